import { readdirSync, readFileSync } from 'node:fs';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import avro from 'avsc';
import type { Environment } from '../config/environment.ts';
import { retryTransient } from '../retryTransient.ts';
import { avroTypeHook } from './avroTypeHook.ts';

const schemaFolder = new URL('../../../schemas/', import.meta.url);
const magicByte = 0;
export const wireHeaderBytes = 5;

/** Avro types of the contracts, by record name: `Prediction`, `Feedback`, `DriftEvent` … */
export const contractTypes: ReadonlyMap<string, avro.Type> = new Map(
  readdirSync(schemaFolder)
    .filter(file => file.endsWith('.avsc'))
    .map(file => {
      const schema = JSON.parse(readFileSync(new URL(file, schemaFolder), 'utf8'));
      return [schema.name as string, avro.Type.forSchema(schema, { typeHook: avroTypeHook })];
    }),
);

export function contractType(name: string): avro.Type {
  const type = contractTypes.get(name);
  if (!type) throw new Error(`no contract ${name} in schemas/`);
  return type;
}

/** Schema id of a value in the Confluent wire format, or null if it is not in it. */
export function wireSchemaId(value: Buffer): number | null {
  return value.length >= wireHeaderBytes && value[0] === magicByte ? value.readInt32BE(1) : null;
}

/** `decode` is synchronous: the schema is fetched once per id, and resolving a writer's schema to the contract's is cached. */
export interface Decoder {
  /** null: the registry does not know the id. An Error: the schema cannot be read as the contract. */
  resolver: { type: avro.Type; resolver: avro.Resolver } | null | Error;
}

export type SchemaClient = ReturnType<typeof connectSchemaRegistry>;

/** Also "Compatibility does not match", which has no status: another service has just registered the subject, and not yet set it. */
function isTransient(error: unknown): boolean {
  const { status, message } = error as { status?: number; message?: string };
  // The client's HTTP library reports a connection that failed as status 400, without the text of an answer.
  const unreachable =
    status === 400 && message !== undefined && message.includes('- Error, status 400');
  return status === undefined || status >= 500 || status === 429 || unreachable;
}

/** Two services registered a new subject at the same moment: who comes second is refused, and finds it when it asks again. */
function isRegistrationRace(error: unknown): boolean {
  const { status, message } = error as { status?: number; message?: string };
  return status === 409 && message !== undefined && message.includes('already exists');
}

export function connectSchemaRegistry(
  environment: Environment,
  onRetry?: (error: unknown, attempt: number) => void,
) {
  const registry = new SchemaRegistry(
    {
      host: environment.SCHEMA_REGISTRY_URL,
      ...(environment.SCHEMA_REGISTRY_USERNAME && {
        auth: {
          username: environment.SCHEMA_REGISTRY_USERNAME,
          password: environment.SCHEMA_REGISTRY_PASSWORD ?? '',
        },
      }),
      retry: { retries: 0 },
    },
    { [SchemaType.AVRO]: { typeHook: avroTypeHook } },
  );
  /** By contract and schema id. */
  const resolvers = new Map<string, Map<number, Decoder['resolver']>>();

  async function resolverFor(contract: string, schemaId: number): Promise<Decoder['resolver']> {
    let schema: unknown;
    try {
      schema = await retryTransient(() => registry.getSchema(schemaId), isTransient, onRetry);
    } catch (error) {
      if ((error as { status?: number }).status === 404) return null;
      // Such as rejected credentials: no fault of the records.
      throw error;
    }
    const type = contractType(contract);
    try {
      return { type, resolver: type.createResolver(schema as avro.Type) };
    } catch (error) {
      return error as Error;
    }
  }

  return {
    /** Fetches the schemas that the values need and that are not known yet. */
    async prepare(contract: string, values: Iterable<Buffer | null>): Promise<void> {
      const known = resolvers.get(contract) ?? new Map<number, Decoder['resolver']>();
      resolvers.set(contract, known);
      let lastId: number | null = null;
      for (const value of values) {
        const schemaId = value && wireSchemaId(value);
        if (schemaId === null || schemaId === lastId) continue;
        lastId = schemaId;
        // An unknown id is asked for again: its producer may have registered it since.
        if ((known.get(schemaId) ?? null) === null)
          known.set(schemaId, await resolverFor(contract, schemaId));
      }
    },
    resolver: (contract: string, schemaId: number): Decoder['resolver'] =>
      resolvers.get(contract)?.get(schemaId) ?? null,
    /** Registers the contract under the subject of a topic. @returns an encoder to the Confluent wire format */
    async encoder<T>(contract: string, topic: string): Promise<(value: T) => Buffer> {
      const type = contractType(contract);
      const schema = JSON.stringify(type.schema({ exportAttrs: true }));
      const { id } = await retryTransient(
        () => registry.register({ type: SchemaType.AVRO, schema }, { subject: `${topic}-value` }),
        error => isTransient(error) || isRegistrationRace(error),
        onRetry,
      );
      const header = Buffer.alloc(wireHeaderBytes);
      header.writeInt32BE(id, 1);
      return value => Buffer.concat([header, type.toBuffer(value)]);
    },
  };
}
