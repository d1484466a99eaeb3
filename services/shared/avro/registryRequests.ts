import { Agent, fetch, type RequestInit, type Response } from 'undici';
import { certificateMistake } from '../config/certificateMistake.ts';
import type { Environment } from '../config/environment.ts';
import { readTlsFiles } from '../config/readTlsFiles.ts';
import { retryTransient } from '../retryTransient.ts';
import { UserError } from '../userError.ts';
import type { SchemaKey } from './schemaKey.ts';

/** A schema as a registry has it. */
export interface RegisteredSchema {
  /** AVRO, JSON or PROTOBUF. */
  kind: string;
  text: string;
  references: readonly SchemaReference[];
}

/** A schema that another one imports, under the name that it is imported by. */
export interface SchemaReference {
  name: string;
  subject: string;
  version: number;
}

/** A request that a registry has answered with an error, such as for wrong credentials. */
export class RegistryError extends UserError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** An answer that is larger than any schema may be. It will be as large the next time. */
export class AnswerTooLarge extends Error {}

export type OnRetry = (error: unknown, attempt: number) => void;

/** An answer with a larger schema is not read. */
export const maxAnswerBytes = 4 * 1024 * 1024;
/** A registry that has not answered in this time is away. */
const requestTimeoutMs = 10_000;
const contentType = 'application/vnd.schemaregistry.v1+json';

export interface RequestOptions {
  onRetry?: OnRetry | undefined;
  /** Ends every wait for a registry that is away. */
  signal?: AbortSignal | undefined;
  /** Time in which an answer must have come. */
  timeoutMs?: number | undefined;
}

/**
 * Requests to a schema registry over HTTP. A request is repeated for as long as the registry is
 * away, which means that there is no connection, no answer in time, or an answer that says so. What
 * the registry answers is for the caller to judge.
 */
export class RegistryRequests {
  readonly #baseUrl: string;
  readonly #authorization: Record<string, string>;
  readonly #connections: Agent;
  readonly #options: RequestOptions;

  constructor(environment: Environment, options: RequestOptions = {}) {
    if (!URL.canParse(environment.SCHEMA_REGISTRY_URL)) {
      throw new UserError(
        `environment variable SCHEMA_REGISTRY_URL: expected a URL such as http://registry:8081 (got ${JSON.stringify(environment.SCHEMA_REGISTRY_URL)})`,
      );
    }
    const url = new URL(environment.SCHEMA_REGISTRY_URL);
    const username = environment.SCHEMA_REGISTRY_USERNAME ?? decodeURIComponent(url.username);
    const password = environment.SCHEMA_REGISTRY_PASSWORD ?? decodeURIComponent(url.password);
    url.username = '';
    url.password = '';
    this.#baseUrl = url.href.replace(/\/+$/, '');
    const credentials = Buffer.from(`${username}:${password}`).toString('base64');
    this.#authorization = username === '' ? {} : { authorization: `Basic ${credentials}` };
    this.#connections = new Agent({ connect: { ...readTlsFiles(environment, 'SCHEMA_REGISTRY') } });
    this.#options = options;
  }

  /**
   * Returns the schema of a key.
   * @throws RegistryError if the registry refuses the request, AnswerTooLarge
   */
  schema(key: SchemaKey): Promise<RegisteredSchema> {
    if (typeof key === 'number') return this.schemaAt(`/schemas/ids/${key}`);
    const [kind, id] = key.split(' ') as [string, string];
    return kind === 'guid' ? this.schemaAt(`/schemas/guids/${id}`) : this.#ofApicurio(kind, id);
  }

  /** @param path such as /schemas/ids/7 */
  schemaAt(path: string): Promise<RegisteredSchema> {
    return this.#request(`${this.#baseUrl}${path}`, { method: 'GET' }, text => {
      const { schema, schemaType = 'AVRO', references = [] } = JSON.parse(text);
      if (typeof schema !== 'string' || !Array.isArray(references))
        throw new Error(`the answer to ${path} is no schema: ${text.slice(0, 100)}`);
      return { kind: String(schemaType), text: schema, references };
    });
  }

  get(path: string): Promise<unknown> {
    return this.#request(`${this.#baseUrl}${path}`, { method: 'GET' }, text => JSON.parse(text));
  }

  /**
   * Sends a request that changes something, with an object as JSON.
   * @throws RegistryError if the registry refuses the request
   */
  send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, content?: object): Promise<T> {
    const request = { method, ...(content && { body: JSON.stringify(content) }) };
    return this.#request(`${this.#baseUrl}${path}`, request, text => JSON.parse(text));
  }

  /**
   * Asks Apicurio's own interface, beside the one that it offers to clients of Confluent's. It does
   * not say of which kind a schema is.
   */
  async #ofApicurio(kind: string, id: string): Promise<RegisteredSchema> {
    const [, base, version] = /^(.*)\/apis\/ccompat\/v(\d+)/.exec(this.#baseUrl) ?? [];
    if (base === undefined) throw new RegistryError(404, 'the registry is not Apicurio');
    const [path, query] =
      version === '7' ? ['v2', 'dereference=true'] : ['v3', 'references=DEREFERENCE'];
    const url = `${base}/apis/registry/${path}/ids/${kind}s/${id}?${query}`;
    return this.#request(url, { method: 'GET' }, text => ({ kind: '', text, references: [] }));
  }

  /** @param read reads an answer; one that it cannot read is asked for again */
  #request<T>(url: string, request: RequestInit, read: (text: string) => T): Promise<T> {
    return retryTransient(
      async () => read(await this.#requestOnce(url, request)),
      isTransient,
      this.#options.onRetry,
      undefined,
      this.#options.signal,
    );
  }

  async #requestOnce(url: string, request: RequestInit): Promise<string> {
    const { signal, timeoutMs = requestTimeoutMs } = this.#options;
    const timeout = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, {
      ...request,
      dispatcher: this.#connections,
      headers: {
        ...this.#authorization,
        accept: `${contentType}, */*`,
        'content-type': contentType,
      },
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    }).catch(error => {
      throw connectionError(error, url);
    });
    const text = await boundedText(response);
    if (response.ok) return text;
    throw new RegistryError(
      response.status,
      `the schema registry answers ${response.status} to ${url}: ${text.slice(0, 300)}`,
    );
  }
}

/**
 * Returns an error that says why there was no answer; `fetch` hides it in its cause. What a server
 * by TLS says when it wants another certificate is lost, because it closes the connection as well.
 */
function connectionError(error: unknown, url: string): unknown {
  const mistake = certificateMistake(error, 'the schema registry', 'SCHEMA_REGISTRY');
  if (mistake !== null) return new UserError(mistake, { cause: error });
  const { cause } = error as { cause?: { message?: string; code?: string } };
  const reason = cause?.message || cause?.code;
  if (!reason) return error;
  const isClosed = url.startsWith('https:') && cause?.code === 'UND_ERR_SOCKET';
  return new Error(isClosed ? `${reason}; ${certificateAdvice}` : reason, { cause: error });
}

const certificateAdvice =
  'if it asks for a client certificate, name one that it accepts in SCHEMA_REGISTRY_CERT_FILE and SCHEMA_REGISTRY_KEY_FILE';

async function boundedText(response: Response): Promise<string> {
  const blocks: Uint8Array[] = [];
  let bytes = 0;
  for await (const block of response.body ?? []) {
    bytes += block.length;
    if (bytes > maxAnswerBytes) {
      throw new AnswerTooLarge(
        `the answer of the schema registry has more than ${maxAnswerBytes} bytes`,
      );
    }
    blocks.push(block);
  }
  return Buffer.concat(blocks).toString('utf8');
}

/**
 * Returns whether a request may succeed when it is repeated. What has no status is a connection
 * that failed, or an answer that did not come in time.
 */
function isTransient(error: unknown): boolean {
  if (error instanceof AnswerTooLarge) return false;
  if (!(error instanceof RegistryError)) return !(error instanceof UserError);
  return error.status >= 500 || error.status === 429 || error.status === 408;
}
