import { readdirSync, readFileSync } from 'node:fs';
import avro from 'avsc';
import { avroTypeHook } from './avroTypeHook.ts';

const schemaFolder = new URL('../../../schemas/', import.meta.url);

interface Contract {
  type: avro.Type;
  /** What is registered: the published file, with its documentation and logical types. */
  text: string;
}

const contracts: ReadonlyMap<string, Contract> = new Map(
  readdirSync(schemaFolder)
    .filter(file => file.endsWith('.avsc'))
    .map(file => {
      const schema = JSON.parse(readFileSync(new URL(file, schemaFolder), 'utf8'));
      const type = avro.Type.forSchema(schema, { typeHook: avroTypeHook });
      return [schema.name as string, { type, text: JSON.stringify(schema) }];
    }),
);

/** The Avro types of the contracts, by record name: `Prediction`, `Feedback`, `DriftEvent` … */
export const contractTypes: ReadonlyMap<string, avro.Type> = new Map(
  Array.from(contracts, ([name, { type }]) => [name, type]),
);

export function contractType(name: string): avro.Type {
  return contractOf(name).type;
}

/** Returns the schema of a contract as it is published and registered. */
export function contractText(name: string): string {
  return contractOf(name).text;
}

function contractOf(name: string): Contract {
  const contract = contracts.get(name);
  if (!contract) throw new Error(`no contract ${name} in schemas/`);
  return contract;
}
