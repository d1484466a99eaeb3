import type { Environment } from '../config/environment.ts';
import type { KafkaRecord } from '../kafka/kafka.ts';
import { retryTransient } from '../retryTransient.ts';
import { BoundedCache } from './boundedCache.ts';
import { contractText, contractType } from './contractTypes.ts';
import { type ParsedSchema, parseSchema } from './parsedSchema.ts';
import {
  AnswerTooLarge,
  type OnRetry,
  type RegisteredSchema,
  RegistryError,
  RegistryRequests,
  type RequestOptions,
  type SchemaReference,
} from './registryRequests.ts';
import { resolveSchema, type SchemaReader } from './resolveSchema.ts';
import { type SchemaKey, wireHeaderBytes, writtenWith } from './schemaKey.ts';

export { contractType, contractTypes } from './contractTypes.ts';
export { wireHeaderBytes, wireSchemaId } from './schemaKey.ts';

/**
 * What reads values of one schema as a contract, synchronously. null: the registry does not know
 * the schema. An Error: it cannot be read as the contract.
 */
export type ResolvedSchema = SchemaReader | null | Error;

type Written = Pick<KafkaRecord, 'value' | 'headers'>;

/** Bytes of the texts of all schemas that are remembered. */
const maxRememberedBytes = 8 * 1024 * 1024;
/** What remembering a schema takes beside its text. */
const entryBytes = 1000;
/** Ids that the registry did not know; each of them takes some hundred bytes. */
const maxUnknown = 10_000;
/** A producer may register its schema at any time, so an unknown id is asked for again. */
const unknownForMs = 5_000;
/** A registry that gave garbage may be mended. */
const unreadableForMs = 60_000;
/**
 * Unknown ids that are asked for in that time. In a flood of garbage all others count as unknown
 * without a request, so that good records need not wait for thousands of answers.
 */
export const maxUnknownAsked = 1_000;
const maxRequestsAtATime = 16;
const maxReferences = 100;

/** A schema in memory: what could be made of it, and what reads it as each contract. */
interface RememberedSchema {
  parsed: ParsedSchema | Error;
  readers: Map<string, SchemaReader | Error>;
  /** When it is asked for again, by a clock that nobody sets. */
  untilMs: number;
}

export function connectSchemaRegistry(
  environment: Environment,
  onRetry?: OnRetry,
  signal?: AbortSignal,
): SchemaClient {
  return new SchemaClient(environment, { onRetry, signal });
}

/**
 * The schemas of producers, and the contracts for those who write.
 *
 * Invariant: `prepare` waits for the registry and throws only what stops every producer, such as
 * rejected credentials. What is wrong with one schema is remembered as an Error, which `resolver`
 * returns for every record of it. A schema never changes, so each is fetched once for as long as it
 * is remembered.
 */
export class SchemaClient {
  readonly #requests: RegistryRequests;
  readonly #options: RequestOptions;
  readonly #schemas = new BoundedCache<SchemaKey, RememberedSchema>(maxRememberedBytes);
  /** Until when an unknown schema is not asked for again. */
  readonly #unknown = new BoundedCache<SchemaKey, number>(maxUnknown);
  #unknownAsked = { count: 0, untilMs: 0 };
  /** The schema that was asked for last; most records have it again. */
  #latest: { contract: string; key: SchemaKey; resolved: ResolvedSchema } | null = null;

  constructor(environment: Environment, options: RequestOptions = {}) {
    this.#requests = new RegistryRequests(environment, options);
    this.#options = options;
  }

  /** Fetches the schemas that records need and that are not known yet. */
  async prepare(records: Iterable<Written>): Promise<void> {
    const wanted = this.#unknownKeysOf(records);
    if (wanted.length === 0) return;
    this.#schemas.trim();
    this.#unknown.trim();
    this.#latest = null;
    for (let start = 0; start < wanted.length; start += maxRequestsAtATime) {
      if (this.#isFlooded()) return;
      const keys = wanted.slice(start, start + maxRequestsAtATime);
      await Promise.all(keys.map(key => this.#remember(key)));
    }
  }

  /** Returns what `prepare` has found. */
  resolver(contract: string, key: SchemaKey): ResolvedSchema {
    if (this.#latest?.key === key && this.#latest.contract === contract)
      return this.#latest.resolved;
    const resolved = this.#resolve(contract, key);
    if (resolved !== null) this.#latest = { contract, key, resolved };
    return resolved;
  }

  /**
   * Registers the contract under the subject of a topic, and returns an encoder to the Confluent
   * wire format.
   */
  async encoder<T>(contract: string, topic: string): Promise<(value: T) => Buffer> {
    const type = contractType(contract);
    const id = await retryTransient(
      () => this.#register(`${topic}-value`, contractText(contract)),
      isRegistrationRace,
      this.#options.onRetry,
      undefined,
      this.#options.signal,
    );
    const header = Buffer.alloc(wireHeaderBytes);
    header.writeInt32BE(id, 1);
    return value => Buffer.concat([header, type.toBuffer(value)]);
  }

  async #register(subject: string, schema: string): Promise<number> {
    const path = encodeURIComponent(subject);
    const isNew = await this.#requests.get(`/config/${path}`).then(
      () => false,
      error => {
        if (isUnknown(error)) return true;
        throw error;
      },
    );
    const { id } = await this.#requests.send<{ id: number }>('POST', `/subjects/${path}/versions`, {
      schema,
    });
    if (isNew) await this.#requests.send('PUT', `/config/${path}`, { compatibility: 'BACKWARD' });
    return id;
  }

  #unknownKeysOf(records: Iterable<Written>): SchemaKey[] {
    const nowMs = performance.now();
    const wanted = new Set<SchemaKey>();
    let last: SchemaKey | null = null;
    for (const { value, headers } of records) {
      if (value === null) continue;
      for (const { schema } of writtenWith(value, headers)) {
        if (schema === last) continue;
        last = schema;
        const isKnown =
          (this.#schemas.get(schema)?.untilMs ?? 0) > nowMs ||
          (this.#unknown.get(schema) ?? 0) > nowMs;
        if (!isKnown) wanted.add(schema);
      }
    }
    return [...wanted];
  }

  #isFlooded(): boolean {
    const nowMs = performance.now();
    if (this.#unknownAsked.untilMs < nowMs)
      this.#unknownAsked = { count: 0, untilMs: nowMs + unknownForMs };
    return this.#unknownAsked.count >= maxUnknownAsked;
  }

  async #remember(key: SchemaKey): Promise<void> {
    const nowMs = performance.now();
    if (this.#schemas.isFull()) {
      const parsed = new Error('too many large schemas came at a time; send the record again');
      this.#schemas.set(key, { parsed, readers: new Map(), untilMs: nowMs }, entryBytes);
      return;
    }
    const found = await this.#fetch(key);
    if (found === null) {
      this.#schemas.delete(key);
      this.#unknown.set(key, nowMs + unknownForMs, 1);
      this.#unknownAsked.count++;
      return;
    }
    this.#unknown.delete(key);
    const { parsed, bytes } = found;
    const untilMs = parsed instanceof Error ? nowMs + unreadableForMs : Number.POSITIVE_INFINITY;
    this.#schemas.set(key, { parsed, readers: new Map(), untilMs }, bytes + entryBytes);
  }

  /** @returns null if the registry does not know the schema */
  async #fetch(key: SchemaKey): Promise<{ parsed: ParsedSchema | Error; bytes: number } | null> {
    let schema: RegisteredSchema;
    let referenced: string[];
    try {
      schema = await this.#requests.schema(key);
      referenced = await this.#referenced(schema.references, new Map());
    } catch (error) {
      if (isUnknown(error)) return null;
      if (error instanceof AnswerTooLarge || error instanceof UnreadableReference)
        return { parsed: error, bytes: 0 };
      // Such as rejected credentials, which are not the fault of the records.
      throw error;
    }
    try {
      const parsed = parseSchema(schema.kind, schema.text, referenced);
      return { parsed, bytes: [schema.text, ...referenced].join('').length };
    } catch (error) {
      const { message } = error as Error;
      const kind = kindNames[schema.kind];
      const parsed = new Error(kind ? `${kind} schema: ${message}` : message, { cause: error });
      return { parsed, bytes: 0 };
    }
  }

  /** Returns the texts of imported schemas, each after those that it imports itself. */
  async #referenced(
    references: readonly SchemaReference[],
    found: Map<string, string>,
  ): Promise<string[]> {
    for (const { subject, version } of references) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${version}`;
      if (found.has(path)) continue;
      if (found.size >= maxReferences)
        throw new UnreadableReference(`it imports more than ${maxReferences} schemas`);
      found.set(path, '');
      const schema = await this.#requests.schemaAt(path).catch(error => {
        if (!isUnknown(error)) throw error;
        throw new UnreadableReference(
          `it imports version ${version} of ${subject}, which the registry does not have`,
        );
      });
      await this.#referenced(schema.references, found);
      found.delete(path);
      found.set(path, schema.text);
    }
    return [...found.values()].filter(text => text !== '');
  }

  #resolve(contract: string, key: SchemaKey): ResolvedSchema {
    const remembered = this.#schemas.get(key);
    if (!remembered) return null;
    const { parsed, readers } = remembered;
    if (parsed instanceof Error) return parsed;
    const known = readers.get(contract);
    if (known) return known;
    const resolved = resolvedOrError(contract, parsed);
    readers.set(contract, resolved);
    return resolved;
  }
}

const kindNames: Readonly<Record<string, string>> = { AVRO: 'Avro', PROTOBUF: 'Protobuf' };

/** A schema imports what cannot be had. */
class UnreadableReference extends Error {}

function resolvedOrError(contract: string, parsed: ParsedSchema): SchemaReader | Error {
  try {
    return resolveSchema(contract, parsed);
  } catch (error) {
    return error as Error;
  }
}

function isUnknown(error: unknown): boolean {
  return error instanceof RegistryError && [400, 404, 405, 422].includes(error.status);
}

/**
 * Returns whether two services registered a new subject at the same moment. The second one is
 * refused and finds the schema when it asks again.
 */
function isRegistrationRace(error: unknown): boolean {
  return (
    error instanceof RegistryError &&
    error.status === 409 &&
    error.message.includes('already exists')
  );
}
