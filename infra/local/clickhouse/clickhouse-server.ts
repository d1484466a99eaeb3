/**
 * Offers ClickHouse's HTTP interface (https://clickhouse.com/docs/interfaces/http) over the engine
 * that is embedded in this process. So any number of processes share it through the official
 * client, as they would share a server.
 *
 *   node infra/local/clickhouse/clickhouse-server.ts --path DIR --port N [--host 127.0.0.1]
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { answerRequest } from './answerRequest.ts';
import { ClickhouseEngine } from './clickhouseEngine.ts';

/** ClickHouse takes URLs of 1 MiB; Node's default for all headers is 16 KiB. */
const maxHeaderSize = 2 * 1024 ** 2;
const keepAliveTimeout = 30_000;
const idlePollMs = 20;

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
const engine = new ClickhouseEngine(resolve(path));
const server = createServer(
  { keepAliveTimeout, maxHeaderSize, requestTimeout: 0 },
  (message, response) => {
    void answerRequest(engine, message, response, host);
  },
);
server.listen(port, host);
await once(server, 'listening');
console.log(`ClickHouse listens on http://${host}:${port}, its data are in ${path}`);

let isStopping = false;
const stop = async (): Promise<void> => {
  if (isStopping) return;
  isStopping = true;
  const closed = once(server, 'close');
  server.close();
  // A connection that has just been answered stays open for the next request, so end it too.
  setInterval(() => server.closeIdleConnections(), idlePollMs);
  await closed;
  await engine.close();
  process.exit(0);
};
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop());
