import { openAsBlob } from 'node:fs';
import type { Environment } from '../../shared/config/environment.ts';
import { UserError } from '../../shared/userError.ts';
import { MlflowError } from './mlflowError.ts';

const timeoutMs = 30_000;
/** A file of a model may be large. */
export const uploadTimeoutMs = 600_000;
const maxMessageCharacters = 500;

type Query = Record<string, string>;

/**
 * Sends single requests to an MLflow server, and repeats none: of a request that was cut off nobody
 * knows whether it was done, so its caller has to look first.
 */
export class MlflowRequests {
  readonly #base: string;
  readonly #headers: Record<string, string>;
  readonly #signal: AbortSignal;

  /** @throws UserError if the environment names no MLflow server with an HTTP address */
  constructor(environment: Environment, signal: AbortSignal) {
    this.#base = baseAddress(environment.MLFLOW_TRACKING_URI);
    this.#headers = authorization(environment);
    this.#signal = signal;
  }

  get<Answer>(path: string, query: Query): Promise<Answer> {
    return this.#send('GET', `api/2.0/mlflow/${path}?${new URLSearchParams(query)}`);
  }

  post<Answer>(path: string, content: object): Promise<Answer> {
    return this.#send('POST', `api/2.0/mlflow/${path}`, content);
  }

  patch(path: string, content: object): Promise<unknown> {
    return this.#send('PATCH', `api/2.0/mlflow/${path}`, content);
  }

  delete(path: string, content: object): Promise<unknown> {
    return this.#send('DELETE', `api/2.0/mlflow/${path}`, content);
  }

  /** Uploads a file. One of that path is replaced. */
  async uploadFile(path: string, file: string): Promise<void> {
    await this.#upload(path, await openAsBlob(file));
  }

  async uploadText(path: string, text: string): Promise<void> {
    await this.#upload(path, new Blob([text]));
  }

  async #upload(path: string, body: Blob): Promise<void> {
    const encoded = path.split('/').map(encodeURIComponent).join('/');
    const headers = { 'content-type': 'application/octet-stream' };
    const request = { method: 'PUT', headers, body };
    await this.#fetch(`api/2.0/mlflow-artifacts/artifacts/${encoded}`, request, uploadTimeoutMs);
  }

  async #send<Answer>(method: string, path: string, content?: object): Promise<Answer> {
    const headers = { 'content-type': 'application/json' };
    const body = content && JSON.stringify(content);
    const answer = await this.#fetch(path, { method, headers, body }, timeoutMs);
    try {
      return JSON.parse(answer);
    } catch (cause) {
      // Such as the page of a proxy that asks somebody to log in.
      const message = `the answer is not JSON: ${answer.slice(0, maxMessageCharacters)}`;
      throw new MlflowError(nameOf(method, path), { message }, { cause });
    }
  }

  /** @returns the body of the answer */
  async #fetch(path: string, request: RequestInit, maxMs: number): Promise<string> {
    const name = nameOf(request.method!, path);
    const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(maxMs)]);
    const headers = { ...request.headers, ...this.#headers };
    let ok: boolean;
    let status: number;
    let text: string;
    try {
      const answer = await fetch(this.#base + path, { ...request, headers, signal });
      ({ ok, status } = answer);
      text = await answer.text();
    } catch (cause) {
      this.#signal.throwIfAborted();
      const { message, cause: reason } = cause as Error;
      throw new MlflowError(name, { message: reasonOf(reason) ?? message }, { cause });
    }
    if (ok) return text;
    const { code, message } = mistakeIn(text);
    throw new MlflowError(name, { status, code, message: message.slice(0, maxMessageCharacters) });
  }
}

/** Names a request in messages. */
function nameOf(method: string, path: string): string {
  return `${method} ${path.split('?')[0]}`;
}

/** `fetch` itself only says that it failed. */
function reasonOf(cause: unknown): string | null {
  return cause instanceof Error && cause.message !== '' ? cause.message : null;
}

function baseAddress(uri: string | undefined): string {
  if (uri === undefined || !/^https?:\/\/./.test(uri))
    throw new UserError(
      `environment variable MLFLOW_TRACKING_URI: expected the address of an MLflow server, such as http://127.0.0.1:5000 (got ${JSON.stringify(uri)})`,
    );
  return uri.endsWith('/') ? uri : `${uri}/`;
}

function authorization({
  MLFLOW_TRACKING_TOKEN: token,
  MLFLOW_TRACKING_USERNAME: username,
  MLFLOW_TRACKING_PASSWORD: password = '',
}: Environment): Record<string, string> {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (username === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

function mistakeIn(text: string): { code: string; message: string } {
  try {
    const { error_code = '', message = text } = JSON.parse(text);
    return { code: String(error_code), message: String(message) };
  } catch {
    // A proxy, or a part of the server that answers with a page. The page is the message.
    return { code: '', message: text };
  }
}
