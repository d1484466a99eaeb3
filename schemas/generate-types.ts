/**
 * Writes services/shared/contracts.ts, types and defaults, from the .avsc files, the one source of
 * truth.
 * `npm run generate` writes it, `npm run generate -- --check` fails when it is out of date.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

interface AvroField {
  name: string;
  type: AvroSchema;
  doc?: string;
  default?: unknown;
}
type AvroSchema =
  | string
  | AvroSchema[]
  | {
      type: string;
      name?: string;
      doc?: string;
      fields?: AvroField[];
      items?: AvroSchema;
      values?: AvroSchema;
      symbols?: string[];
    };

const primitives: Record<string, string> = {
  string: 'string',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  double: 'number',
  null: 'null',
};

function typeOf(schema: AvroSchema): string {
  if (typeof schema === 'string') return primitives[schema] ?? schema;
  if (Array.isArray(schema))
    return [...schema]
      .sort((a, b) => Number(a === 'null') - Number(b === 'null'))
      .map(typeOf)
      .join(' | ');
  switch (schema.type) {
    case 'array':
      return `${typeOf(schema.items!)}[]`.replace(/^(.* \| .*)\[\]$/, '($1)[]');
    case 'map':
      return `Record<string, ${typeOf(schema.values!)}>`;
    case 'enum':
      return schema.symbols!.map(symbol => `'${symbol}'`).join(' | ');
    case 'record':
      return schema.name!;
    default:
      return typeOf(schema.type);
  }
}

interface NamedRecord {
  name: string;
  doc?: string;
  fields: AvroField[];
}

const maxColumns = 100;

/** Returns a field as the formatter writes it: a long union has a line for each member. */
function fieldLines(name: string, type: string): string {
  const line = `  ${name}: ${type};`;
  if (line.length <= maxColumns || !type.includes(' | ')) return line;
  return `  ${name}:\n    | ${type.split(' | ').join('\n    | ')};`;
}

function interfaceOf(schema: NamedRecord): string {
  const fields = schema.fields.map(field => {
    const doc = field.doc ? `  /** ${field.doc} */\n` : '';
    return doc + fieldLines(field.name, typeOf(field.type));
  });
  return `/** ${schema.doc} */\nexport interface ${schema.name} {\n${fields.join('\n')}\n}\n`;
}

/** Returns the records that are defined within the fields of another one. */
function recordsWithin(schema: AvroSchema): NamedRecord[] {
  if (typeof schema === 'string') return [];
  if (Array.isArray(schema)) return schema.flatMap(recordsWithin);
  const within = [
    ...(schema.items ? recordsWithin(schema.items) : []),
    ...(schema.values ? recordsWithin(schema.values) : []),
    ...(schema.fields ?? []).flatMap(({ type }) => recordsWithin(type)),
  ];
  return schema.type === 'record' ? [...within, schema as NamedRecord] : within;
}

/** The contracts of producers, who leave out what has a default. */
const contractsOfProducers: ReadonlySet<string> = new Set(['Feedback', 'Prediction']);

/** Returns a constant with the values of the fields that a record leaves out. */
function defaultsOf({ name, fields }: { name: string; fields: AvroField[] }): string {
  const optional = fields.filter(field => field.default !== undefined);
  const values = optional.map(field => `  ${field.name}: ${JSON.stringify(field.default)},`);
  const constant = `${name[0]!.toLowerCase()}${name.slice(1)}Defaults`;
  return (
    `/** The fields that a ${name} may leave out, as they are then read. */\n` +
    `export const ${constant} = {\n${values.join('\n')}\n} satisfies Partial<${name}>;\n`
  );
}

const folder = new URL('./', import.meta.url);
const target = new URL('../services/shared/contracts.ts', folder);
const schemas = readdirSync(folder)
  .filter(file => file.endsWith('.avsc'))
  .sort()
  .map(file => JSON.parse(readFileSync(new URL(file, folder), 'utf8')));
const parts = schemas.flatMap(schema => {
  const interfaces = recordsWithin(schema).map(interfaceOf);
  return contractsOfProducers.has(schema.name) ? [...interfaces, defaultsOf(schema)] : interfaces;
});
const text = `// Generated from schemas/*.avsc by \`npm run generate\`; do not edit.\n\n${parts.join('\n')}`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error(
      'services/shared/contracts.ts is not what schemas/*.avsc say: run `npm run generate`',
    );
    process.exit(1);
  }
} else {
  writeFileSync(target, text);
}
