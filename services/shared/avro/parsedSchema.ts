import type protobuf from 'protobufjs';
import {
  messageType,
  type ProtobufSchema,
  parseProtobufSchema,
} from '../protobuf/protobufSchema.ts';
import { readProtobuf } from '../protobuf/readProtobuf.ts';
import { type AvroNode, minReadingSteps, parseAvroSchema } from './avroSchema.ts';
import { readAvro } from './readAvro.ts';
import { readMessageIndexes, type WrittenWith } from './schemaKey.ts';

/** A schema of a producer that can be read with. */
export type ParsedSchema =
  | { kind: 'AVRO'; type: AvroNode; text: string }
  | { kind: 'JSON' }
  | { kind: 'PROTOBUF'; schema: ProtobufSchema };

/** Text of a schema and of all that it imports. */
export const maxSchemaBytes = 512 * 1024;

/** Records, fields and values that the smallest value of a schema consists of. */
const maxParts = 40_000;

/**
 * Parses a schema.
 * @param kind as the registry says; '' where it does not
 * @param referenced texts of the schemas that it imports
 * @throws Error with a reason that its producer understands
 */
export function parseSchema(
  kind: string,
  text: string,
  referenced: readonly string[] = [],
): ParsedSchema {
  const bytes = [text, ...referenced].reduce((sum, part) => sum + Buffer.byteLength(part), 0);
  if (bytes > maxSchemaBytes)
    throw new Error(`it has ${bytes} bytes, at most ${maxSchemaBytes} are read`);
  switch (kind || kindOf(text)) {
    case 'AVRO': {
      const type = parseAvroSchema(text, referenced);
      if (!(minReadingSteps(type) <= maxParts))
        throw new Error(`every value has more than ${maxParts} parts, also without any byte`);
      return { kind: 'AVRO', type, text };
    }
    case 'JSON':
      return { kind: 'JSON' };
    case 'PROTOBUF':
      return { kind: 'PROTOBUF', schema: parseProtobufSchema(text, referenced) };
    default:
      throw new Error(
        `it is of the kind ${JSON.stringify(kind)}; Avro, JSON and Protobuf are read`,
      );
  }
}

/** Tells the kind of a schema from its text, where a registry does not say it. */
function kindOf(text: string): string {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return 'PROTOBUF';
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return 'AVRO';
  return 'fields' in content || 'symbols' in content || 'logicalType' in content ? 'AVRO' : 'JSON';
}

/**
 * Fields of the contracts that may be absent, in both spellings. In Protobuf without `optional` a
 * field that is absent cannot be told from one that is 0.
 */
const mayBeAbsent: ReadonlySet<string> = new Set([
  'score',
  'probabilities',
  'segment',
  'codeVersion',
  'code_version',
  'latencyMs',
  'latency_ms',
  'weight',
  'samplingRate',
  'sampling_rate',
  'quantiles',
  'ranking',
  'shadow',
  'value',
  'model',
]);

/**
 * Reads the bytes of an Avro or Protobuf value as the object that JSON would give.
 * @throws Error when they are no value of the schema
 */
export function readWithSchema(
  schema: Exclude<ParsedSchema, { kind: 'JSON' }>,
  value: Buffer,
  written: WrittenWith,
): unknown {
  if (schema.kind === 'AVRO') return readAvro(schema.type, value, written.offset);
  const { type, offset } = messageOf(schema.schema, value, written);
  return readProtobuf(type, value.subarray(offset), mayBeAbsent);
}

function messageOf(
  schema: ProtobufSchema,
  value: Buffer,
  { offset, message, hasTypeReference }: WrittenWith,
): { type: protobuf.Type; offset: number } {
  if (message !== null) return { type: messageType(schema, message), offset };
  if (offset === 0) return { type: messageType(schema, [0]), offset };
  if (hasTypeReference) return messageOfApicurio(schema, value, offset);
  const { indexes, length } = readMessageIndexes(value.subarray(offset));
  return { type: messageType(schema, indexes), offset: offset + length };
}

/** Apicurio's serialiser writes a message with the name of the type, and its length, first. */
function messageOfApicurio(
  schema: ProtobufSchema,
  value: Buffer,
  offset: number,
): { type: protobuf.Type; offset: number } {
  const length = value[offset] ?? 0;
  const nameLength = value[offset + 2] ?? 0;
  const start = offset + 3;
  if (value[offset + 1] !== 0x0a || length !== nameLength + 2)
    return { type: messageType(schema, [0]), offset };
  const name = value.toString('utf8', start, start + nameLength);
  return { type: messageType(schema, name), offset: start + nameLength };
}
