import { readdirSync, readFileSync } from 'node:fs';
import { SchemaRegistry, SchemaType } from '@kafkajs/confluent-schema-registry';
import avro from 'avsc';
import type { Environment } from '../config/environment.ts';
import { retryTransient } from '../retryTransient.ts';
import { avroTypeHook } from './avroTypeHook.ts';

const schemaFolder = new URL('../../../schemas/', import.meta.url);
const magicByte = 0;
export const wireHeaderBytes = 5;

/** The Avro types of the contracts, by record name: `Prediction`, `Feedback`, `DriftEvent` … */
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

/**
 * Returns the schema id of a value in the Confluent wire format, or null for a value in another
 * format.
 */
export function wireSchemaId(value: Buffer): number | null {
  return value.length >= wireHeaderBytes && value[0] === magicByte ? value.readInt32BE(1) : null;
}

/**
 * What reads values of one schema as a contract, synchronously. null: the registry does not know
 * the id of the schema. An Error: the schema cannot be read as the contract.
 */
export type ResolvedSchema = { type: avro.Type; resolver: avro.Resolver } | null | Error;

type OnRetry = (error: unknown, attempt: number) => void;

export function connectSchemaRegistry(environment: Environment, onRetry?: OnRetry): SchemaClient {
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
  return new SchemaClient(registry, onRetry);
}

/**
 * A thin edge around the official client of the registry, which waits for a registry that is away.
 *
 * Invariant: a schema is fetched once per id and contract, because the schema of an id never
 * changes. Only ids that the registry did not know are asked for again.
 */
export class SchemaClient {
  readonly #registry: SchemaRegistry;
  readonly #onRetry: OnRetry | undefined;
  /** By contract and schema id. */
  readonly #resolvers = new Map<string, Map<number, ResolvedSchema>>();

  constructor(registry: SchemaRegistry, onRetry?: OnRetry) {
    this.#registry = registry;
    this.#onRetry = onRetry;
  }

  /** Fetches the schemas that the values need and that are not known yet. */
  async prepare(contract: string, values: Iterable<Buffer | null>): Promise<void> {
    const known = this.#resolvers.get(contract) ?? new Map<number, ResolvedSchema>();
    this.#resolvers.set(contract, known);
    let lastId: number | null = null;
    for (const value of values) {
      const schemaId = value && wireSchemaId(value);
      if (schemaId === null || schemaId === lastId) continue;
      lastId = schemaId;
      // An unknown id is asked for again, because its producer may have registered it since.
      if ((known.get(schemaId) ?? null) === null)
        known.set(schemaId, await this.#fetchResolver(contract, schemaId));
    }
  }

  /** Returns what `prepare` has fetched. */
  resolver(contract: string, schemaId: number): ResolvedSchema {
    return this.#resolvers.get(contract)?.get(schemaId) ?? null;
  }

  /**
   * Registers the contract under the subject of a topic, and returns an encoder to the Confluent
   * wire format.
   */
  async encoder<T>(contract: string, topic: string): Promise<(value: T) => Buffer> {
    const type = contractType(contract);
    const schema = JSON.stringify(type.schema({ exportAttrs: true }));
    const subject = `${topic}-value`;
    const { id } = await retryTransient(
      () => this.#registry.register({ type: SchemaType.AVRO, schema }, { subject }),
      error => isTransient(error) || isRegistrationRace(error),
      this.#onRetry,
    );
    const header = Buffer.alloc(wireHeaderBytes);
    header.writeInt32BE(id, 1);
    return value => Buffer.concat([header, type.toBuffer(value)]);
  }

  async #fetchResolver(contract: string, schemaId: number): Promise<ResolvedSchema> {
    let schema: unknown;
    try {
      schema = await retryTransient(
        () => this.#registry.getSchema(schemaId),
        isTransient,
        this.#onRetry,
      );
    } catch (error) {
      if ((error as { status?: number }).status === 404) return null;
      // Such as rejected credentials, which are not the fault of the records.
      throw error;
    }
    const type = contractType(contract);
    try {
      return { type, resolver: type.createResolver(schema as avro.Type) };
    } catch (error) {
      return error as Error;
    }
  }
}

/**
 * Returns whether a request may succeed when it is repeated. "Compatibility does not match" comes
 * without a status: another service has just registered the subject and not set its compatibility
 * yet.
 */
function isTransient(error: unknown): boolean {
  const { status, message } = error as { status?: number; message?: string };
  // The client's HTTP library reports a connection that failed as status 400, without the text of
  // an answer.
  const unreachable =
    status === 400 && message !== undefined && message.includes('- Error, status 400');
  return status === undefined || status >= 500 || status === 429 || unreachable;
}

/**
 * Returns whether two services registered a new subject at the same moment. The second one is
 * refused and finds the schema when it asks again.
 */
function isRegistrationRace(error: unknown): boolean {
  const { status, message } = error as { status?: number; message?: string };
  return status === 409 && message !== undefined && message.includes('already exists');
}
