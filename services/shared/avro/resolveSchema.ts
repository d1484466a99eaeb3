import avro from 'avsc';
import type { AvroNode, AvroRecord } from './avroSchema.ts';
import { avroTypeHook } from './avroTypeHook.ts';
import { contractType } from './contractTypes.ts';
import type { ParsedSchema } from './parsedSchema.ts';

/** What reads values of a producer's schema as a contract. */
export interface SchemaReader {
  /**
   * Reads straight into the type of the contract, several times as fast as by way of an object;
   * absent where Avro alone does not know what the values mean.
   */
  type?: avro.Type;
  resolver?: avro.Resolver;
  /** Reads an object; absent where the contract itself is all that can come. */
  schema?: ParsedSchema;
}

/** Contracts that producers of any kind write. The others are written by Driftloop alone. */
const contractsOfProducers = [
  'Prediction',
  'Feedback',
  'RetrainRequest',
  'VersionRequest',
  'DriftRequest',
  'AlertRequest',
];

/**
 * Returns what reads values of a schema as a contract.
 * @throws Error if they cannot be read as it
 */
export function resolveSchema(contract: string, schema: ParsedSchema): SchemaReader {
  if (schema.kind !== 'AVRO') return { schema };
  if (contractsOfProducers.includes(contract)) {
    const isDirect = isRecord(schema.type) && isPlain(schema.type, contract);
    const direct = isDirect ? resolverOrNull(contract, renamed(schema.text, contract)) : null;
    return { ...direct, schema };
  }
  const type = contractType(contract);
  const writer = avro.Type.forSchema(JSON.parse(schema.text), { typeHook: avroTypeHook });
  return { type, resolver: type.createResolver(writer) };
}

function isRecord(type: AvroNode): type is AvroRecord {
  return type.kind === 'record';
}

/** Returns the schema with the name of the contract, because names of records do not matter here. */
function renamed(text: string, contract: string): avro.Schema {
  return { ...JSON.parse(text), name: contract, namespace: 'io.driftloop' };
}

function resolverOrNull(
  contract: string,
  schema: avro.Schema,
): Pick<SchemaReader, 'type' | 'resolver'> | null {
  try {
    const type = contractType(contract);
    const writer = avro.Type.forSchema(schema, { typeHook: avroTypeHook });
    return { type, resolver: type.createResolver(writer) };
  } catch {
    // Such as a version that is a number. It is read by way of an object.
    return null;
  }
}

/**
 * Returns whether Avro's own resolution gives a value of the contract what its producer means, at a
 * bounded cost: no logical types but the one of the contract, no bytes, and nothing nested.
 */
function isPlain({ fields }: AvroRecord, contract: string): boolean {
  const names = new Set(fields.map(({ name }) => name));
  const { fields: expected } = contractType(contract) as avro.types.RecordType;
  const hasOtherSpelling = expected.some(
    ({ name }) => !names.has(name) && names.has(snakeCase(name)),
  );
  return (
    !hasOtherSpelling &&
    fields.every(({ name, type }) =>
      name === 'time' ? isMilliseconds(type) : isPlainType(type, 2),
    )
  );
}

function isMilliseconds(type: AvroNode): boolean {
  return type.kind === 'long' && (type.logical === null || type.logical === 'timestamp-millis');
}

function isPlainType(type: AvroNode, levels: number): boolean {
  if (type.kind === 'union')
    return levels > 0 && type.branches.every(branch => isPlainType(branch, levels));
  if (type.kind === 'map') return levels > 0 && isPlainType(type.values, levels - 1);
  if (type.kind === 'array') return levels > 0 && isPlainType(type.items, levels - 1);
  return 'logical' in type && type.logical === null && !['bytes', 'fixed'].includes(type.kind);
}

/** @example snakeCase('codeVersion') // 'code_version' */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
}
