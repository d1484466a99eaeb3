import type avro from 'avsc';
import {
  contractType,
  type SchemaClient,
  wireHeaderBytes,
  wireSchemaId,
} from '../avro/schemaRegistry.ts';
import type {
  Alert,
  DriftEvent,
  Feedback,
  ModelVersion,
  Notice,
  Prediction,
  RetrainRequest,
  WindowUpdate,
} from '../contracts.ts';
import { headerText, type KafkaRecord } from '../kafka/kafka.ts';
import { featuresOf, type LoggedPrediction } from '../profile/features.ts';

/** A larger value is not decoded. */
export const maxRecordBytes = 1024 * 1024;

/** Why a record cannot be used; its class among the dead letters. */
export type RejectionClass =
  | 'null-value'
  | 'too-large'
  | 'unknown-schema-id'
  | 'incompatible-schema'
  | 'malformed-avro'
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
  Feedback: Feedback;
  ModelVersion: ModelVersion;
  Notice: Notice;
  Prediction: LoggedPrediction;
  RetrainRequest: RetrainRequest;
  WindowUpdate: WindowUpdate;
}

export type ContractName = keyof DecodedContracts;

export type Decoded<T> =
  | { value: T; rejection?: undefined }
  | { value?: undefined; rejection: Rejection };

function rejected(rejectionClass: RejectionClass, message: string): { rejection: Rejection } {
  return { rejection: { class: rejectionClass, message } };
}

/**
 * Decodes one record of a producer to the type of a contract, with its features as names and
 * values. Reads Avro in the Confluent wire format, JSON, and CloudEvents (binary and structured).
 * It is synchronous, because `schemas.prepare` has fetched the schemas of the producers before.
 */
export function decodeRecord<Name extends ContractName>(
  record: KafkaRecord,
  contract: Name,
  schemas: Pick<SchemaClient, 'resolver'>,
): Decoded<DecodedContracts[Name]> {
  const { value } = record;
  if (value === null) return rejected('null-value', 'the value is null, expected a record');
  if (value.length > maxRecordBytes) {
    return rejected(
      'too-large',
      `the value has ${value.length} bytes, at most ${maxRecordBytes} are read`,
    );
  }
  const schemaId = wireSchemaId(value);
  if (schemaId !== null) return decodeAvro(value, schemaId, contract, schemas);
  return decodeJson(value, contract, headerText(record.headers, 'content-type'));
}

function decodeAvro<Name extends ContractName>(
  value: Buffer,
  schemaId: number,
  contract: Name,
  schemas: Pick<SchemaClient, 'resolver'>,
): Decoded<DecodedContracts[Name]> {
  const resolved = schemas.resolver(contract, schemaId);
  if (resolved === null)
    return rejected('unknown-schema-id', `schema id ${schemaId} is not in the registry`);
  if (resolved instanceof Error) {
    return rejected(
      'incompatible-schema',
      `schema id ${schemaId} cannot be read as ${contract}: ${resolved.message}`,
    );
  }
  try {
    // Decodes in place, because a view of the bytes behind the header costs as much as decoding
    // three features.
    const decoded = resolved.type.decode(value, wireHeaderBytes, resolved.resolver);
    if (decoded.offset < 0) throw new Error('truncated buffer');
    if (decoded.offset < value.length) throw new Error('trailing data');
    return { value: decoded.value as DecodedContracts[Name] };
  } catch (error) {
    return rejected(
      'malformed-avro',
      `not ${contract} in Avro (schema id ${schemaId}): ${(error as Error).message}`,
    );
  }
}

function decodeJson<Name extends ContractName>(
  bytes: Buffer,
  contract: Name,
  contentType: string | undefined,
): Decoded<DecodedContracts[Name]> {
  const text = bytes.toString('utf8');
  let content: unknown;
  try {
    content = JSON.parse(text);
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
  const structured =
    contentType?.startsWith('application/cloudevents+json') ||
    (isObject(content) && 'specversion' in content);
  if (structured && isObject(content)) {
    if (typeof content.data_base64 === 'string')
      return decodeJson(Buffer.from(content.data_base64, 'base64'), contract, 'application/json');
    content = content.data;
  }
  return fromJson(content, contract);
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

/**
 * Reads a parsed JSON value as the type of a contract. It is checked against the same Avro type;
 * times may be in ISO 8601 or in ms.
 */
export function fromJson<Name extends ContractName>(
  content: unknown,
  contract: Name,
): Decoded<DecodedContracts[Name]> {
  if (!isObject(content))
    return rejected(
      'invalid-field',
      `expected an object with the fields of ${contract}, got ${shown(content)}`,
    );
  const type = contractType(contract) as avro.types.RecordType;
  const value: Record<string, unknown> = {};
  for (const field of type.fields) {
    let fieldValue = content[field.name] ?? field.defaultValue();
    if (fieldValue === undefined)
      fieldValue = field.name in content ? content[field.name] : undefined;
    if (field.name === 'time' && typeof fieldValue === 'string')
      fieldValue = isoTimeMs(fieldValue) ?? fieldValue;
    if (field.name === 'segment' && isObject(fieldValue)) fieldValue = mapOfText(fieldValue);
    value[field.name] = fieldValue;
  }
  let mistake: string | undefined;
  const valid = type.isValid(value, {
    errorHook: (path: string[], part: unknown, partType: avro.Type) => {
      mistake ??=
        part === undefined
          ? `${path.join('.')}: is missing`
          : `${path.join('.')}: expected ${named(partType)}, got ${shown(part)}`;
    },
  });
  if (!valid)
    return {
      rejection: {
        class: 'invalid-field',
        message: mistake ?? `not ${contract}`,
        ...namesIn(content),
      },
    };
  // The Avro type reads features as names and values.
  if (contract === 'Prediction')
    value.features = featuresOf(value.features as Prediction['features']);
  return { value: value as unknown as DecodedContracts[Name] };
}

function namesIn({
  model,
  version,
}: Record<string, unknown>): Pick<Rejection, 'model' | 'version'> {
  return {
    ...(typeof model === 'string' && { model }),
    ...(typeof version === 'string' && { version }),
  };
}

/**
 * Returns the milliseconds since the epoch of a time in ISO 8601, or undefined for another text.
 */
export function isoTimeMs(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}/.test(text)) return undefined;
  // A date and time without a zone is UTC, not in the zone of this process.
  const zoned = /(Z|[+-]\d{2}:?\d{2})$/i.test(text) || text.length === 10 ? text : `${text}Z`;
  const milliseconds = Date.parse(zoned);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}

function mapOfText(content: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(content)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [
        name,
        typeof value === 'number' || typeof value === 'boolean' ? String(value) : value,
      ]),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function named(type: avro.Type): string {
  const { typeName } = type;
  if (typeName.startsWith('union:'))
    return (type as avro.types.UnwrappedUnionType).types.map(named).join(' or ');
  if (typeName === 'long' || typeName === 'int') return 'a whole number';
  if (typeName === 'double') return 'a number';
  if (typeName === 'map') return 'an object';
  return typeName === 'string' ? 'text' : typeName;
}

function shown(value: unknown): string {
  const text = asText(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function asText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch (error) {
    // Thousands of levels can be parsed, but not written.
    if (error instanceof RangeError)
      return Array.isArray(value) ? '[… (too deep)' : '{… (too deep)';
    throw error;
  }
}
