/** A type of an Avro schema, with the names in it resolved. */
export type AvroNode =
  | { kind: AvroPrimitive; logical: string | null; scale: number }
  | { kind: 'fixed'; size: number; logical: string | null; scale: number }
  | { kind: 'enum'; symbols: readonly string[] }
  | { kind: 'array'; items: AvroNode }
  | { kind: 'map'; values: AvroNode }
  | { kind: 'union'; branches: readonly AvroNode[] }
  | AvroRecord;

export interface AvroRecord {
  kind: 'record';
  name: string;
  fields: { name: string; type: AvroNode }[];
}

const primitives = [
  'null',
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'bytes',
  'string',
] as const;
export type AvroPrimitive = (typeof primitives)[number];

/** Types within types; a deeper schema is a mistake or an attack. */
const maxSchemaDepth = 100;

/**
 * Parses the schema of a producer by the Avro specification. It takes what other parsers are strict
 * about and what does not matter for reading: defaults, aliases, documentation, unusual names.
 * @param referenced schemas that this one names, those first that others name
 * @throws Error with what is wrong
 * @see https://avro.apache.org/docs/1.12.0/specification/
 */
export function parseAvroSchema(text: string, referenced: readonly string[] = []): AvroNode {
  const named = new Map<string, AvroNode>();
  for (const schema of referenced) parseType(readSchema(schema), '', named, 0);
  return parseType(readSchema(text), '', named, 0);
}

function readSchema(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A primitive type may be registered as its bare name.
    return text.trim();
  }
}

type Named = Map<string, AvroNode>;

function parseType(schema: unknown, namespace: string, named: Named, depth: number): AvroNode {
  if (depth > maxSchemaDepth)
    throw new Error(`the schema has types in more than ${maxSchemaDepth} levels`);
  if (typeof schema === 'string') return typeOfName(schema, namespace, named);
  if (Array.isArray(schema)) {
    return {
      kind: 'union',
      branches: schema.map(branch => parseType(branch, namespace, named, depth + 1)),
    };
  }
  if (typeof schema !== 'object' || schema === null)
    throw new Error(`expected an Avro type, got ${JSON.stringify(schema)}`);
  return parseObject(schema as Record<string, unknown>, namespace, named, depth);
}

function typeOfName(name: string, namespace: string, named: Named): AvroNode {
  const found = named.get(fullName(name, namespace)) ?? named.get(name);
  if (found) return found;
  if (isPrimitive(name)) return { kind: name, logical: null, scale: 0 };
  throw new Error(`the type ${JSON.stringify(name.slice(0, 100))} is not defined`);
}

function isPrimitive(name: string): name is AvroPrimitive {
  return (primitives as readonly string[]).includes(name);
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;
}

function parseObject(
  schema: Record<string, unknown>,
  namespace: string,
  named: Named,
  depth: number,
): AvroNode {
  const { type } = schema;
  const logical = typeof schema.logicalType === 'string' ? schema.logicalType : null;
  const scale = typeof schema.scale === 'number' ? schema.scale : 0;
  const inner = (part: unknown) => parseType(part, namespace, named, depth + 1);
  switch (type) {
    case 'record':
    case 'error':
      return parseRecord(schema, namespace, named, depth);
    case 'enum':
      return define(schema, namespace, named, { kind: 'enum', symbols: listOf(schema.symbols) });
    case 'fixed': {
      const { size } = schema;
      if (typeof size !== 'number' || !(size >= 0)) throw new Error('a fixed type has no size');
      return define(schema, namespace, named, { kind: 'fixed', size, logical, scale });
    }
    case 'array':
      return { kind: 'array', items: inner(schema.items) };
    case 'map':
      return { kind: 'map', values: inner(schema.values) };
    default: {
      const node = inner(type);
      return 'logical' in node && node.kind !== 'fixed' ? { ...node, logical, scale } : node;
    }
  }
}

function parseRecord(
  schema: Record<string, unknown>,
  namespace: string,
  named: Named,
  depth: number,
): AvroNode {
  const record: AvroRecord = { kind: 'record', name: String(schema.name), fields: [] };
  define(schema, namespace, named, record);
  const own = namespaceOf(schema, namespace);
  for (const field of listOf<Record<string, unknown>>(schema.fields)) {
    record.fields.push({
      name: String(field?.name),
      type: parseType(field?.type, own, named, depth + 1),
    });
  }
  return record;
}

function define(
  schema: Record<string, unknown>,
  namespace: string,
  named: Named,
  node: AvroNode,
): AvroNode {
  if (typeof schema.name !== 'string') throw new Error(`a ${node.kind} has no name`);
  named.set(fullName(schema.name, namespaceOf(schema, namespace)), node);
  return node;
}

function namespaceOf(schema: Record<string, unknown>, outer: string): string {
  const name = String(schema.name);
  if (name.includes('.')) return name.slice(0, name.lastIndexOf('.'));
  return typeof schema.namespace === 'string' ? schema.namespace : outer;
}

function listOf<T>(value: unknown): T[] {
  if (Array.isArray(value)) return value;
  throw new Error(
    `expected a list of fields or symbols, got ${JSON.stringify(value) ?? 'nothing'}`,
  );
}

/**
 * Returns the least number of steps that reading a value of a type takes. A record of records of
 * records may need more than any computer can do, without one byte of value.
 */
export function minReadingSteps(node: AvroNode, known = new Map<AvroNode, number>()): number {
  if (node.kind !== 'record' && node.kind !== 'union') return 1;
  const before = known.get(node);
  if (before !== undefined) return before;
  // A type that contains itself ends somewhere, or its values can only be damaged ones.
  known.set(node, 1);
  const steps =
    node.kind === 'record'
      ? node.fields.reduce((sum, { type }) => sum + minReadingSteps(type, known), 1)
      : node.branches.reduce(
          (least, branch) => Math.min(least, minReadingSteps(branch, known)),
          Number.POSITIVE_INFINITY,
        ) + 1;
  known.set(node, steps);
  return steps;
}
