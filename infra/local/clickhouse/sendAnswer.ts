import type { IncomingMessage, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { ChdbResult } from './chdbAddon.ts';
import type { ClickhouseRequest } from './clickhouseRequest.ts';

const compress = promisify(gzip);

/** Sends the result of a query with the headers that ClickHouse would set. */
export async function sendResult(
  request: ClickhouseRequest,
  result: ChdbResult,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const summary = {
    read_rows: String(result.rowsRead),
    read_bytes: String(result.bytesRead),
    elapsed_ns: String(Math.round(result.elapsed * 1e9)),
  };
  response.setHeader('X-ClickHouse-Query-Id', request.queryId);
  response.setHeader('X-ClickHouse-Summary', JSON.stringify(summary));
  let body = result.bytes;
  if (
    request.compressResponse &&
    /\bgzip\b/.test(message.headers['accept-encoding'] ?? '') &&
    body.length > 0
  ) {
    body = await compress(body);
    response.setHeader('Content-Encoding', 'gzip');
  }
  response.setHeader('X-ClickHouse-Format', request.defaultFormat);
  response.setHeader('X-ClickHouse-Timezone', 'UTC');
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  response.end(body);
}

/**
 * Sends an error as ClickHouse words it, because clients read its number and name from the text.
 */
export function sendFailure(
  error: unknown,
  request: ClickhouseRequest | undefined,
  response: ServerResponse,
): void {
  if (response.headersSent) return void response.destroy();
  const text = failureText(error);
  const code = /^Code: (\d+)\./.exec(text)?.[1] ?? '1002';
  if (request) response.setHeader('X-ClickHouse-Query-Id', request.queryId);
  response.writeHead(500, {
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Exception-Code': code,
  });
  response.end(`${text}\n`);
}

function failureText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
    return 'Code: 243. DB::Exception: No space left on device. (NOT_ENOUGH_SPACE)';
  // The engine repeats the number and names the file of the rows:
  // "Query failed: Code: 27. DB::Exception: Code: 27. DB::Exception: … (in file/uri /…): …"
  const text = message
    .replace(/^Query failed: /, '')
    .replace(/^(Code: \d+\. DB::Exception: )\1/, '$1')
    .replace(/: \(in file\/uri [^)]*\)/, '');
  return text.startsWith('Code: ')
    ? text
    : `Code: 1002. DB::Exception: ${text}. (UNKNOWN_EXCEPTION)`;
}
