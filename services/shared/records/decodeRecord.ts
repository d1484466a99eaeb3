import { readWithSchema } from '../avro/parsedSchema.ts';
import type { SchemaReader } from '../avro/resolveSchema.ts';
import { type SchemaKey, type WrittenWith, writtenWith } from '../avro/schemaKey.ts';
import type { SchemaClient } from '../avro/schemaRegistry.ts';
import type { InputMapping } from '../config/inputs.ts';
import type {
  Alert,
  AlertRequest,
  DriftEvent,
  DriftRequest,
  Feedback,
  ModelAlias,
  ModelVersion,
  Notice,
  OutputMeaning,
  RetrainRequest,
  VersionRequest,
  WindowUpdate,
} from '../contracts.ts';
import { headerText, type KafkaRecord } from '../kafka/kafka.ts';
import type { LoggedPrediction } from '../profile/features.ts';
import { contractValue, isObject, needsDigits } from './contractValue.ts';
import { epochMs } from './eventTime.ts';
import { mappedValues } from './mappedValues.ts';
import { parseJson, parseJsonKeepingDigits } from './parseJson.ts';

/** A larger value is not decoded. */
export const maxRecordBytes = 1024 * 1024;

/** Why a record cannot be used; its class among the dead letters. */
export type RejectionClass =
  | 'null-value'
  | 'too-large'
  | 'unknown-schema-id'
  | 'incompatible-schema'
  | 'malformed-avro'
  | 'malformed-protobuf'
  | 'malformed-json'
  | 'invalid-field'
  | 'implausible-time'
  | 'future-time'
  | 'too-many-features'
  | 'too-late';

export interface Rejection {
  class: RejectionClass;
  /** Names the field, its value and what was expected. */
  message: string;
  /** Model that the record names, where that could be read; the same for `version`. */
  model?: string;
  version?: string;
}

/** The types that values of the contracts are read as. */
export interface DecodedContracts {
  Alert: Alert;
  DriftEvent: DriftEvent;
  DriftRequest: DriftRequest;
  AlertRequest: AlertRequest;
  Feedback: Feedback;
  ModelAlias: ModelAlias;
  ModelVersion: ModelVersion;
  Notice: Notice;
  OutputMeaning: OutputMeaning;
  Prediction: LoggedPrediction;
  RetrainRequest: RetrainRequest;
  VersionRequest: VersionRequest;
  WindowUpdate: WindowUpdate;
}

export type ContractName = keyof DecodedContracts;

export type Decoded<T> =
  | { value: T; rejection?: undefined }
  | { value?: undefined; rejection: Rejection };

type Schemas = Pick<SchemaClient, 'resolver'>;

function rejected(rejectionClass: RejectionClass, message: string): { rejection: Rejection } {
  return { rejection: { class: rejectionClass, message } };
}

/**
 * Decodes one record of a producer to the type of a contract, with its features as names and
 * values. Reads values of a schema registry (Avro, Protobuf and JSON Schema), plain JSON, and
 * CloudEvents in binary and structured mode. It is synchronous, because `schemas.prepare` has
 * fetched the schemas of the producers before.
 */
export function decodeRecord<Name extends ContractName>(
  record: KafkaRecord,
  contract: Name,
  schemas: Schemas,
): Decoded<DecodedContracts[Name]> {
  if (latestReading.contract !== contract || latestReading.schemas !== schemas)
    latestReading = directReading(contract, schemas);
  return decode(record, latestReading as Reading<DecodedContracts[Name]>);
}

function directReading<Name extends ContractName>(
  contract: Name,
  schemas: Schemas,
): Reading<DecodedContracts[Name]> {
  return {
    contract,
    schemas,
    isDirect: true,
    read: content => contractValue(content, contract),
  };
}

/**
 * Decodes one record of another form, by the mapping of its topic, to as many values of a contract
 * as it has rows. If one of them cannot be used, the record cannot.
 */
export function decodeMapped<Name extends ContractName>(
  record: KafkaRecord,
  contract: Name,
  schemas: Schemas,
  mapping: InputMapping,
): Decoded<DecodedContracts[Name][]> {
  const read = (content: unknown) => mappedValues(content, contract, mapping);
  return decode(record, { contract, schemas, isDirect: false, read });
}

/** How a value becomes what is wanted of it. */
interface Reading<T> {
  contract: ContractName;
  schemas: Schemas;
  /** True if a value may be read straight into the type of the contract. */
  isDirect: boolean;
  read(content: unknown): Decoded<T>;
}

/** The reading of the record before; all records of a batch have the same. */
let latestReading: Reading<unknown> = directReading('Prediction', { resolver: () => null });

function decode<T>(record: KafkaRecord, reading: Reading<T>): Decoded<T> {
  const { value, headers } = record;
  if (value === null) return rejected('null-value', 'the value is null, expected a record');
  if (value.length > maxRecordBytes) {
    return rejected(
      'too-large',
      `the value has ${value.length} bytes, at most ${maxRecordBytes} are read`,
    );
  }
  const written = writtenWith(value, headers);
  return written.length > 0
    ? decodeWritten(value, written, reading)
    : decodeJson(value, reading, headerText(headers, 'content-type'));
}

/** Decodes a value with the first of the schemas that it may have been written with. */
function decodeWritten<T>(
  value: Buffer,
  written: readonly WrittenWith[],
  reading: Reading<T>,
): Decoded<T> {
  let failed: { rejection: Rejection } | null = null;
  for (const one of written) {
    const resolved = reading.schemas.resolver(reading.contract, one.schema);
    if (resolved === null) continue;
    const decoded = decodeWith(value, one, reading, resolved);
    if (!decoded.rejection) return decoded;
    failed ??= decoded;
  }
  const [first] = written;
  // JSON says itself what it is, also where the schema in the header is unknown or one of Avro.
  if (first!.offset === 0 && value[0] === openingBrace) {
    const decoded = decodeJson(value, reading);
    if (!decoded.rejection) return decoded;
    failed ??= decoded;
  }
  if (failed) return failed;
  return rejected('unknown-schema-id', `${named(first!.schema)} is not in the registry`);
}

const openingBrace = '{'.charCodeAt(0);

/** @example named(7) // 'schema id 7' */
function named(schema: SchemaKey): string {
  return typeof schema === 'number' ? `schema id ${schema}` : `schema ${schema}`;
}

function decodeWith<T>(
  value: Buffer,
  written: WrittenWith,
  reading: Reading<T>,
  resolved: SchemaReader | Error,
): Decoded<T> {
  if (resolved instanceof Error) {
    return rejected(
      'incompatible-schema',
      `${named(written.schema)} cannot be read as ${reading.contract}: ${resolved.message}`,
    );
  }
  const { schema } = resolved;
  if (schema?.kind === 'JSON') return decodeJson(value.subarray(written.offset), reading);
  if (!reading.isDirect && schema) return decodeContent(value, written, reading, schema);
  try {
    return decodeDirectly(value, written.offset, resolved);
  } catch (error) {
    if (schema) return decodeContent(value, written, reading, schema);
    return malformed(written, reading, 'Avro', error);
  }
}

/** Reads straight into the type of the contract. @throws Error if that cannot be done */
function decodeDirectly<T>(
  value: Buffer,
  offset: number,
  { type, resolver, schema }: SchemaReader,
): Decoded<T> {
  if (!type) throw new Error('the schema is no plain one');
  // Decodes in place, because a view of the bytes behind the header costs as much as decoding three
  // features.
  const decoded = type.decode(value, offset, resolver);
  if (decoded.offset < 0) throw new Error('truncated buffer');
  if (decoded.offset < value.length) throw new Error('trailing data');
  // Times of Driftloop itself are in ms.
  if (schema) {
    const content = decoded.value as { time: number };
    content.time = epochMs(content.time) ?? content.time;
  }
  return { value: decoded.value as T };
}

function decodeContent<T>(
  value: Buffer,
  written: WrittenWith,
  reading: Reading<T>,
  schema: Exclude<NonNullable<SchemaReader['schema']>, { kind: 'JSON' }>,
): Decoded<T> {
  let content: unknown;
  try {
    content = readWithSchema(schema, value, written);
  } catch (error) {
    const kind = schema.kind === 'AVRO' ? 'Avro' : 'Protobuf';
    return malformed(written, reading, kind, error);
  }
  return reading.read(content);
}

function malformed(
  { schema }: WrittenWith,
  { contract }: Pick<Reading<unknown>, 'contract'>,
  kind: 'Avro' | 'Protobuf',
  error: unknown,
): { rejection: Rejection } {
  return rejected(
    kind === 'Avro' ? 'malformed-avro' : 'malformed-protobuf',
    `not ${contract} in ${kind} (${named(schema)}): ${(error as Error).message}`,
  );
}

function decodeJson<T>(bytes: Buffer, reading: Reading<T>, contentType?: string): Decoded<T> {
  const text = bytes.toString('utf8');
  let content: unknown;
  try {
    content = parsed(text, reading, contentType);
  } catch (error) {
    return rejected(
      'malformed-json',
      `neither Avro in the Confluent wire format nor JSON: ${(error as Error).message}`,
    );
  }
  if (surrogateEscape.test(text) && !isWellFormed(content)) {
    return rejected(
      'malformed-json',
      'holds half of a surrogate pair (\\ud800 to \\udfff), which is no character',
    );
  }
  if (!isStructuredEvent(content, contentType)) return reading.read(content);
  if (typeof content.data_base64 !== 'string') return reading.read(content.data);
  return decodeJson(Buffer.from(content.data_base64, 'base64'), reading, 'application/json');
}

/** Parses JSON, with all digits of whole numbers where an id may need them. @throws Error */
function parsed<T>(text: string, { isDirect }: Reading<T>, contentType?: string): unknown {
  // A mapping may take an id from anywhere.
  if (!isDirect) return parseJsonKeepingDigits(text);
  const content = parseJson(text);
  const record = isStructuredEvent(content, contentType) ? content.data : content;
  return needsDigits(record) ? parseJsonKeepingDigits(text) : content;
}

function isStructuredEvent(
  content: unknown,
  contentType: string | undefined,
): content is Record<string, unknown> {
  return (
    isObject(content) &&
    (contentType?.startsWith('application/cloudevents+json') || 'specversion' in content)
  );
}

const surrogateEscape = /\\ud[89a-f]/i;

/**
 * Returns whether no text in a JSON value holds half of a surrogate pair. JSON can escape one, but
 * no database and no other language would take the text. It uses no recursion, because the content
 * may be deep.
 */
function isWellFormed(content: unknown): boolean {
  const rest = [content];
  while (rest.length > 0) {
    const part = rest.pop();
    if (typeof part === 'string' && !part.isWellFormed()) return false;
    if (typeof part !== 'object' || part === null) continue;
    for (const [key, value] of Object.entries(part)) {
      if (!key.isWellFormed()) return false;
      rest.push(value);
    }
  }
  return true;
}
