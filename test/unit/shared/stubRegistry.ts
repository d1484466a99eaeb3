import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SchemaClient } from '../../../services/shared/avro/schemaRegistry.ts';
import { readEnvironment } from '../../../services/shared/config/environment.ts';

export type Answers = Record<string, object | string | undefined>;

/**
 * Starts an HTTP server that answers like a schema registry. Disposing of the result stops it.
 * @param answers by path: an object is sent as JSON, a text as it is; others are 404
 */
export async function stubRegistry(
  answers: Answers | RequestListener,
  {
    base = '',
    signal,
    timeoutMs,
  }: { base?: string; signal?: AbortSignal; timeoutMs?: number } = {},
) {
  const paths: string[] = [];
  const errors: unknown[] = [];
  const server = createServer((request, response) => {
    const path = request.url!.slice(request.url!.startsWith(base) ? base.length : 0);
    paths.push(path);
    if (typeof answers === 'function') return answers(request, response);
    const answer = answers[path.replace(/\?.*/, '')];
    if (answer === undefined) return response.writeHead(404).end('{"error_code":40403}');
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${base}`;
  const schemas = new SchemaClient(readEnvironment({ SCHEMA_REGISTRY_URL: url }), {
    onRetry: error => errors.push(error),
    signal,
    timeoutMs,
  });
  return {
    schemas,
    /** Paths that were asked for. */
    paths,
    /** What requests failed with before they were repeated. */
    errors,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
