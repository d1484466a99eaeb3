import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from 'node:zlib';
import type { ChdbResult } from './chdbAddon.ts';
import type { ClickhouseEngine } from './clickhouseEngine.ts';
import {
  ClickhouseFailure,
  type ClickhouseRequest,
  parseClickhouseRequest,
} from './clickhouseRequest.ts';
import { foreignRequest } from './foreignRequest.ts';
import { parseInsertStatement } from './insertStatement.ts';
import { sendFailure, sendResult } from './sendAnswer.ts';

const decompressors: Record<string, () => NodeJS.ReadWriteStream> = {
  gzip: createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};
const maxQueryBytes = 256 * 1024 ** 2;
/** The statement of an INSERT ends within these bytes; its rows follow. */
const maxInsertHeadBytes = 64 * 1024;

/**
 * Answers a request to ClickHouse's HTTP interface, also one that fails.
 * @param host address at which this server listens
 */
export async function answerRequest(
  engine: ClickhouseEngine,
  message: IncomingMessage,
  response: ServerResponse,
  host: string,
): Promise<void> {
  const foreign = foreignRequest(message.headers, host);
  if (foreign !== null) {
    message.resume();
    return void response.writeHead(403).end(`The local ClickHouse refuses this: ${foreign}\n`);
  }
  const url = new URL(message.url ?? '/', 'http://localhost');
  if (url.pathname === '/ping') return void response.end('Ok.\n');
  if (url.pathname !== '/')
    return void response.writeHead(404).end(`There is no handler ${url.pathname}\n`);
  let request: ClickhouseRequest | undefined;
  try {
    request = parseClickhouseRequest(url.searchParams, message.headers);
    // As a ClickHouse server does, because a link or an image of a web page sends GET.
    if (message.method !== 'POST') request.settings.set('readonly', '2');
    const result = await withSignsOfLife(request, response, () =>
      execute(engine, request!, message),
    );
    await sendResult(request, result, message, response);
  } catch (error) {
    // Read the rest of the body, or it would stand before the next request of this connection.
    message.resume();
    sendFailure(error, request, response);
  }
}

/**
 * Sends 100 (Continue) from time to time while a query runs, where ClickHouse would send headers
 * with its progress, so that the client sees that the connection is alive. The status can still be
 * that of an error afterwards.
 */
async function withSignsOfLife<T>(
  { sendsProgress, progressIntervalMs }: ClickhouseRequest,
  response: ServerResponse,
  run: () => Promise<T>,
): Promise<T> {
  if (!sendsProgress) return run();
  const timer = setInterval(() => response.writeContinue(), progressIntervalMs);
  try {
    return await run();
  } finally {
    clearInterval(timer);
  }
}

/** Runs the query of a request. It starts in the URL and goes on in the body. */
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
  const inBody = parseInsertStatement(whole.subarray(0, maxInsertHeadBytes).toString('latin1'));
  if (inBody) {
    const head = parseInsertStatement(whole.subarray(0, inBody.dataStart).toString())!;
    return engine.insert(request, head, Readable.from([whole.subarray(inBody.dataStart)]));
  }
  return engine.query(request, whole.toString());
}

/** Runs a query with long parameters, which come as a form with fields `query` and `param_*`. */
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
