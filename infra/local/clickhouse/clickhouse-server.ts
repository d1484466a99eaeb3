/**
 * ClickHouse's HTTP interface (https://clickhouse.com/docs/interfaces/http) over the engine embedded in this process, so that any
 * number of processes share it through the official client, as they would a server.
 *
 *   node infra/local/clickhouse/clickhouse-server.ts --path DIR --port N [--host 127.0.0.1]
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { parseArgs, promisify } from 'node:util';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
  gzip,
} from 'node:zlib';
import type { ChdbResult } from './chdbAddon.ts';
import { type ClickhouseEngine, openClickhouseEngine } from './clickhouseEngine.ts';
import {
  ClickhouseFailure,
  type ClickhouseRequest,
  parseClickhouseRequest,
} from './clickhouseRequest.ts';
import { parseInsertStatement } from './insertStatement.ts';

const decompressors: Record<string, () => NodeJS.ReadWriteStream> = {
  gzip: createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};
const maxQueryBytes = 256 * 1024 ** 2;
/** Enough to find the end of an INSERT's own text. */
const insertHeadBytes = 64 * 1024;
/** ClickHouse takes URLs of 1 MiB; Node would take headers of 16 KiB. */
const maxHeaderSize = 2 * 1024 ** 2;
const keepAliveTimeout = 30_000;
const compress = promisify(gzip);

async function answer(
  engine: ClickhouseEngine,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(message.url ?? '/', 'http://localhost');
  if (url.pathname === '/ping') return void response.end('Ok.\n');
  if (url.pathname !== '/')
    return void response.writeHead(404).end(`There is no handler ${url.pathname}\n`);
  let request: ClickhouseRequest | undefined;
  try {
    request = parseClickhouseRequest(url.searchParams);
    const result = await execute(engine, request, message);
    await sendResult(request, result, message, response);
  } catch (error) {
    // What was not read of the body would stand before the next request of this connection.
    message.resume();
    sendFailure(error, request, response);
  }
}

/** The query is what the URL says, continued by the body. */
async function execute(
  engine: ClickhouseEngine,
  request: ClickhouseRequest,
  message: IncomingMessage,
): Promise<ChdbResult> {
  const type = message.headers['content-type'] ?? '';
  if (type.startsWith('multipart/form-data'))
    return executeForm(engine, request, type, bodyOf(message));
  const inUrl = parseInsertStatement(request.query);
  if (inUrl && inUrl.dataStart === request.query.length)
    return engine.insert(request, inUrl, bodyOf(message));

  const body = await buffer(limited(bodyOf(message), maxQueryBytes));
  const whole =
    request.query === '' ? body : Buffer.concat([Buffer.from(`${request.query}\n`), body]);
  const inBody = parseInsertStatement(whole.subarray(0, insertHeadBytes).toString('latin1'));
  if (inBody) {
    const head = parseInsertStatement(whole.subarray(0, inBody.dataStart).toString())!;
    return engine.insert(request, head, Readable.from([whole.subarray(inBody.dataStart)]));
  }
  return engine.query(request, whole.toString());
}

/** The client sends long parameters as a form with the fields `query` and `param_*`. */
async function executeForm(
  engine: ClickhouseEngine,
  request: ClickhouseRequest,
  type: string,
  body: Readable,
): Promise<ChdbResult> {
  const bytes = await buffer(limited(body, maxQueryBytes));
  const form = await new Response(new Uint8Array(bytes), {
    headers: { 'content-type': type },
  }).formData();
  let query = request.query;
  for (const [name, value] of form) {
    if (typeof value !== 'string')
      throw new ClickhouseFailure(
        48,
        'NOT_IMPLEMENTED',
        'the local ClickHouse has no external tables',
      );
    if (name === 'query') query += value;
    else request.settings.set(name, value);
  }
  return engine.query(request, query);
}

function bodyOf(message: IncomingMessage): Readable {
  const encoding = message.headers['content-encoding'];
  if (!encoding || encoding === 'identity') return message;
  const decompressor = decompressors[encoding]?.();
  if (!decompressor)
    throw new ClickhouseFailure(
      89,
      'UNKNOWN_COMPRESSION_METHOD',
      `Unknown Content-Encoding ${encoding}`,
    );
  message.once('error', error =>
    (decompressor as Readable & NodeJS.ReadWriteStream).destroy(error),
  );
  return message.pipe(decompressor) as unknown as Readable;
}

async function* limited(body: Readable, maxBytes: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of body.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > maxBytes)
      throw new ClickhouseFailure(
        62,
        'SYNTAX_ERROR',
        `Syntax error: the query is longer than ${maxBytes} bytes`,
      );
    yield chunk;
  }
}

async function sendResult(
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
  response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
  response.end(body);
}

/** ClickHouse's own text of an error: the clients take number and name from it. */
function sendFailure(
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
  // "Query failed: Code: 27. DB::Exception: Code: 27. DB::Exception: Cannot parse …: (in file/uri /…/incoming/…): …"
  const text = message
    .replace(/^Query failed: /, '')
    .replace(/^(Code: \d+\. DB::Exception: )\1/, '$1')
    .replace(/: \(in file\/uri [^)]*\)/, '');
  return text.startsWith('Code: ')
    ? text
    : `Code: 1002. DB::Exception: ${text}. (UNKNOWN_EXCEPTION)`;
}

function readArguments(): { path: string; port: number; host: string } {
  const { values } = parseArgs({
    options: {
      path: { type: 'string' },
      port: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
    },
  });
  const port = Number(values.port);
  if (!values.path || !Number.isInteger(port)) {
    console.error(
      'usage: node infra/local/clickhouse/clickhouse-server.ts --path DIR --port N [--host 127.0.0.1]',
    );
    process.exit(2);
  }
  return { path: values.path, port, host: values.host };
}

const { path, port, host } = readArguments();
const engine = openClickhouseEngine(path);
const server = createServer(
  { keepAliveTimeout, maxHeaderSize, requestTimeout: 0 },
  (message, response) => {
    void answer(engine, message, response);
  },
);
server.listen(port, host);
await once(server, 'listening');
console.log(`ClickHouse listens on http://${host}:${port}, its data are in ${path}`);

let stopping = false;
const stop = async (): Promise<void> => {
  if (stopping) return;
  stopping = true;
  const closed = once(server, 'close');
  server.close();
  // A connection that has just been answered stays open for the next request: end it too.
  setInterval(() => server.closeIdleConnections(), 20);
  await closed;
  await engine.close();
  process.exit(0);
};
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop());
