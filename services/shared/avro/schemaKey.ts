import type { KafkaHeaders } from '../kafka/kafka.ts';

/** Names a schema: Confluent's id as a number, else as text, `guid 1b…` or `globalId 7`. */
export type SchemaKey = number | string;

/** The schema that a value was written with, and where the value itself begins. */
export interface WrittenWith {
  schema: SchemaKey;
  /** Bytes before the value. */
  offset: number;
  /** Message of a Protobuf schema: its place, or its name; null where the value says it itself. */
  message: readonly number[] | string | null;
  /** True for a value that Apicurio's serialisers wrote, with the name of its message before it. */
  hasTypeReference?: boolean;
}

/** Bytes before a value in the Confluent wire format: a zero and the id of the schema. */
export const wireHeaderBytes = 5;
/** What Confluent's serialisers write before a GUID, where they write a zero before an id. */
const guidMagic = 1;
const apicurioHeaderBytes = 9;
const guidBytes = 16;

/**
 * Returns the schema id of a value in the Confluent wire format, or null for a value in another
 * format.
 */
export function wireSchemaId(value: Buffer): number | null {
  return value.length >= wireHeaderBytes && value[0] === 0 ? value.readInt32BE(1) : null;
}

/**
 * Returns what names the schema of a value, the most likely first: a header of Confluent's or
 * Apicurio's serialisers, or the bytes before the value. Apicurio's have an id of eight bytes there
 * and Confluent's one of four or a GUID, so a value with four zero bytes may be either of the ids.
 */
export function writtenWith(value: Buffer, headers: KafkaHeaders): readonly WrittenWith[] {
  const header = headerOfSchema(headers);
  if (header !== null) return [header];
  const id = wireSchemaId(value);
  if (id === null) return withGuid(value);
  if (id === latestId && id !== 0) return latest;
  latest = inPrefix(id, value);
  latestId = id;
  return latest;
}

/** No JSON begins with the byte that stands before a GUID. */
function withGuid(value: Buffer): readonly WrittenWith[] {
  if (value[0] !== guidMagic || value.length <= guidBytes) return withoutSchema;
  return [{ schema: `guid ${guidText(value)}`, offset: guidBytes + 1, message: null }];
}

const withoutSchema: readonly WrittenWith[] = [];
/** What was found for the record before; the next one of a producer has the same schema. */
let latest = withoutSchema;
let latestId = 0;

function inPrefix(id: number, value: Buffer): readonly WrittenWith[] {
  const confluent: WrittenWith = { schema: id, offset: wireHeaderBytes, message: null };
  if (id !== 0 || value.length < apicurioHeaderBytes) return [confluent];
  const longId = value.readUInt32BE(wireHeaderBytes);
  return [
    confluent,
    ...['globalId', 'contentId'].map(kind => ({
      schema: `${kind} ${longId}`,
      offset: apicurioHeaderBytes,
      message: null,
      hasTypeReference: true,
    })),
  ];
}

const schemaHeaders = ['__value_schema_id', 'apicurio.value.globalId', 'apicurio.value.contentId'];

/** Returns the bytes of a header. When it is repeated, its last value counts. */
function headerBytes(headers: KafkaHeaders, name: string): Buffer | null {
  const value = headers[name] ?? null;
  const last = Array.isArray(value) ? (value.at(-1) ?? null) : value;
  return typeof last === 'string' ? Buffer.from(last) : last;
}

function headerOfSchema(headers: KafkaHeaders): WrittenWith | null {
  if (!schemaHeaders.some(name => headers[name] !== undefined)) return null;
  const confluent = headerBytes(headers, '__value_schema_id');
  if (confluent) {
    if (confluent[0] === 0 && confluent.length >= wireHeaderBytes)
      return inHeader(confluent.readInt32BE(1), confluent.subarray(wireHeaderBytes));
    if (confluent[0] === guidMagic && confluent.length > guidBytes)
      return inHeader(`guid ${guidText(confluent)}`, confluent.subarray(guidBytes + 1));
  }
  for (const kind of ['globalId', 'contentId']) {
    const id = headerBytes(headers, `apicurio.value.${kind}`);
    if (id?.length === 8) {
      const name =
        headerBytes(headers, 'apicurio.protobuf.type') ??
        headerBytes(headers, 'apicurio.value.msgType');
      const message = name?.toString() ?? null;
      return { schema: `${kind} ${id.readBigInt64BE()}`, offset: 0, message };
    }
  }
  return null;
}

function inHeader(schema: SchemaKey, indexes: Buffer): WrittenWith {
  return { schema, offset: 0, message: indexes.length === 0 ? null : placeOfMessage(indexes) };
}

/** Returns a place that no schema has for bytes that are none, so that the record is rejected. */
function placeOfMessage(indexes: Buffer): number[] {
  try {
    return readMessageIndexes(indexes).indexes;
  } catch {
    return [-1];
  }
}

function guidText(header: Buffer): string {
  return header
    .toString('hex', 1, guidBytes + 1)
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** A message within messages within messages is deep; a longer list is damage. */
const maxMessageIndexes = 100;

/**
 * Reads the place of a message in a Protobuf schema, as Confluent's serialisers write it: the
 * number of levels, and the index in each. A single zero stands for the first message.
 * @throws Error when the bytes are no such list
 */
export function readMessageIndexes(bytes: Buffer): { indexes: number[]; length: number } {
  let position = 0;
  const next = () => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[position++];
      if (byte === undefined) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw new Error('the indexes of the Protobuf message are damaged');
  };
  const count = next();
  if (count === 0) return { indexes: [0], length: position };
  if (count < 0 || count > maxMessageIndexes)
    throw new Error('the indexes of the Protobuf message are damaged');
  const indexes = Array.from({ length: count }, next);
  return { indexes, length: position };
}
