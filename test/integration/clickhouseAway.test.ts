import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startClickhouse } from '../../infra/local/clickhouse/clickhouse.ts';
import { eventually } from '../eventually.ts';
import { freshInstallation } from '../freshInstallation.ts';

const sessionTimeoutMs = 6_000;
const recordsPerSend = 20;

/** Forwards the requests of a service to ClickHouse, and notes the times at which they failed. */
async function startGateway(clickhouseUrl: string) {
  const failedAtMs: number[] = [];
  const server = createServer((message, response) => {
    const { method, url, headers } = message;
    const onward = request(clickhouseUrl + url, { method, headers }, answer => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => {
      failedAtMs.push(performance.now());
      message.socket.destroy();
    });
    message.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    failedAtMs,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

it('a service waits for a ClickHouse that is away with growing pauses, stays in its group, and loses nothing', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'driftloop-away-'));
  const logDir = join(dir, 'logs');
  let clickhouse = await startClickhouse({ dir: join(dir, 'data'), port: 0, logDir });
  const port = Number(new URL(clickhouse.url).port);
  const gateway = await startGateway(clickhouse.url);
  const installation = await freshInstallation({
    CLICKHOUSE_URL: gateway.url,
    DRIFTLOOP_SESSION_TIMEOUT_MS: String(sessionTimeoutMs),
  });
  const { environment, producer } = installation;
  const topic = `${environment.DRIFTLOOP_TOPIC_PREFIX}predictions`;
  let sent = 0;
  async function send(bytesEach: number): Promise<void> {
    const messages = Array.from({ length: recordsPerSend }, () => {
      const id = `p${sent++}`;
      const features = { amount: 1, text: 'x'.repeat(bytesEach) };
      const value = {
        id,
        model: 'm',
        version: '1',
        time: '2026-01-01T00:00:00Z',
        features,
        prediction: 'yes',
      };
      return { key: id, value: JSON.stringify(value) };
    });
    await producer.send({ topic, messages });
  }
  const quiet = () => installation.untilQuiet('profiler');
  const service = await installation.startService('profiler');
  const metric = async (name: string) => {
    const text = await (await fetch(`${service.healthUrl}/metrics`)).text();
    return Number(new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'm').exec(text)?.[1]);
  };

  await send(10);
  await quiet();
  const rebalances = await metric('driftloop_rebalances_total');
  await clickhouse.stop();
  const awaySinceMs = performance.now();
  await send(10);
  await eventually('an insert that fails', () => gateway.failedAtMs.length > 0);
  const unflushed = await metric('driftloop_unflushed_records');
  const unflushedBytes = await metric('driftloop_unflushed_bytes');
  // These 8 MB exceed what the service may hold, so they must wait in Kafka.
  for (let times = 0; times < 4; times++) await send(100_000);
  await eventually(
    'the end of a session',
    () => performance.now() - awaySinceMs > 2.5 * sessionTimeoutMs,
  );
  const failed = gateway.failedAtMs.length;
  await eventually('another insert that fails', () => gateway.failedAtMs.length > failed);
  expect(await metric('driftloop_unflushed_records')).toBe(unflushed);
  expect(await metric('driftloop_unflushed_bytes')).toBe(unflushedBytes);
  const pausesMs = gateway.failedAtMs
    .slice(1)
    .map((atMs, index) => atMs - gateway.failedAtMs[index]!);
  for (const [index, pauseMs] of pausesMs.entries()) {
    const leastMs = Math.min(10_000, 100 * 2 ** index) / 2;
    expect(pauseMs, `pause ${index + 1} of ${pausesMs.map(Math.round)} ms`).toBeGreaterThan(
      leastMs - 5,
    );
  }
  expect(await metric('driftloop_rebalances_total')).toBe(rebalances);

  clickhouse = await startClickhouse({ dir: join(dir, 'data'), port, logDir });
  await quiet();
  const [counted] = await installation.clickhouse.select(
    'SELECT sum(predictions) AS n FROM stream_progress FINAL',
  );
  const [stored] = await installation.clickhouse.select(
    'SELECT uniqExact(id) AS n FROM predictions FINAL',
  );
  const [profiled] = await installation.clickhouse.select(
    "SELECT sum(count) AS n FROM window_profiles FINAL WHERE feature = 'amount'",
  );
  expect([counted, stored, profiled]).toEqual([{ n: sent }, { n: sent }, { n: sent }]);
  await installation[Symbol.asyncDispose]();
  gateway.close();
  await clickhouse.stop();
  await rm(dir, { recursive: true, force: true });
}, 300_000);
