import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freePort } from '../../infra/local/processes/claimPort.ts';
import { type Prediction, predictionDefaults } from '../../services/shared/contracts.ts';
import { serviceFlow } from '../../services/shared/kafka/serviceFlow.ts';
import { eventually } from '../eventually.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';

const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 10);

/**
 * Forwards requests to ClickHouse, but hangs up on inserts of predictions while `hangUp` is set.
 */
async function gatewayToClickhouse(): Promise<{ url: string; server: Server; hangUp: boolean }> {
  const port = await freePort();
  const gateway = { url: `http://127.0.0.1:${port}`, hangUp: false, server: createServer() };
  gateway.server.on('request', (incoming, outgoing) => {
    const query = new URL(incoming.url!, gateway.url).searchParams.get('query') ?? '';
    if (gateway.hangUp && query.startsWith('INSERT INTO predictions ')) return incoming.destroy();
    const { method, headers } = incoming;
    const forwarded = request(
      new URL(incoming.url!, inject('clickhouseUrl')),
      { method, headers },
      answer => {
        outgoing.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(outgoing);
      },
    );
    incoming.pipe(forwarded);
  });
  await new Promise<void>(resolve => gateway.server.listen(port, '127.0.0.1', resolve));
  return gateway;
}

/** Returns the samples of /metrics by their name and their labels other than the service. */
async function scrape(healthUrl: string): Promise<Map<string, number>> {
  const text = await (await fetch(`${healthUrl}/metrics`)).text();
  const samples = new Map<string, number>();
  for (const [, name, labels, value] of text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)) {
    const own = labels?.split(',').filter(label => !label.startsWith('service='));
    samples.set(own?.length ? `${name}{${own.join(',')}}` : name!, Number(value));
  }
  return samples;
}

describe('metrics of running services', () => {
  let installation: Installation;
  let mlflow: Server;
  let gateway: Awaited<ReturnType<typeof gatewayToClickhouse>>;
  beforeAll(async () => {
    gateway = await gatewayToClickhouse();
    // Whatever MLflow is asked, it has nothing.
    mlflow = createServer((_, answer) => answer.end('{}')).listen(0, '127.0.0.1');
    await once(mlflow, 'listening');
    const { port } = mlflow.address() as AddressInfo;
    installation = await freshInstallation({ MLFLOW_TRACKING_URI: `http://127.0.0.1:${port}` });
  });
  afterAll(async () => {
    await installation[Symbol.asyncDispose]();
    gateway.server.closeAllConnections();
    gateway.server.close();
    mlflow.closeAllConnections();
    mlflow.close();
  });

  it('are those that docs/operators.md lists', async () => {
    const services = await Promise.all(
      serviceFlow.map(({ name }) => installation.startService(name)),
    );
    const texts = await Promise.all(
      services.map(async ({ healthUrl }) => (await fetch(`${healthUrl}/metrics`)).text()),
    );
    const exposed = new Set(
      texts.flatMap(text =>
        [...text.matchAll(/^# TYPE (driftloop_\w+)/gm)].map(([, name]) => name!),
      ),
    );
    const documented = readFileSync(
      new URL('../../docs/operators.md', import.meta.url),
      'utf8',
    ).matchAll(/^\| `(driftloop_\w+)`/gm);
    expect([...exposed].sort()).toEqual([...documented].map(([, name]) => name!).sort());
    await Promise.all(services.map(service => service.stop()));
  });

  it('show how records were used, what is held in memory, and that ClickHouse is away', async () => {
    installation.variables.CLICKHOUSE_URL = gateway.url;
    const { healthUrl } = await installation.startService('profiler');
    const topic = `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}predictions`;
    const encode = await installation.schemas.encoder<Prediction>('Prediction', topic);
    const prediction = (id: string, time: number): Prediction => ({
      ...predictionDefaults,
      id,
      model: 'm',
      version: '1',
      time,
      features: { amount: 1 },
      prediction: 'yes',
    });
    // A single record would not move the watermark so far.
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    const values = [
      ...ids.map(id => encode(prediction(id, startMs + 8 * 24 * hourMs))),
      encode(prediction('a', startMs + 8 * 24 * hourMs)),
      encode(prediction('late', startMs + 7 * 24 * hourMs)),
      encode(prediction('too late', startMs)),
      Buffer.from('{"id":'),
    ];
    gateway.hangUp = true;
    await installation.producer.send({
      topic,
      messages: values.map(value => ({ key: 'k', value })),
    });
    const away = await eventually('a request that waits for ClickHouse', async () => {
      const samples = await scrape(healthUrl);
      return samples.get('driftloop_clickhouse_waiting_requests') ? samples : null;
    });
    expect(away.get('driftloop_clickhouse_retries_total')).toBeGreaterThan(0);
    expect(away.get('driftloop_unflushed_records')).toBe(values.length);
    expect(away.get('driftloop_unflushed_bytes')).toBe(
      values.reduce((sum, { length }) => sum + length + 1, 0),
    );
    gateway.hangUp = false;
    await installation.untilQuiet('profiler');
    const back = await scrape(healthUrl);
    const expected = {
      'driftloop_predictions_total{verdict="on_time"}': ids.length,
      'driftloop_predictions_total{verdict="late"}': 1,
      'driftloop_predictions_total{verdict="too_late"}': 1,
      'driftloop_predictions_total{verdict="duplicate"}': 1,
      [`driftloop_dead_letters_total{topic="${topic}",class="malformed-json"}`]: 1,
      [`driftloop_dead_letters_total{topic="${topic}",class="too-late"}`]: 1,
      'driftloop_cache_entries{cache="versions"}': 1,
      'driftloop_cache_entries{cache="windows"}': 2,
      'driftloop_cache_entries{cache="profiles"}': 4,
      'driftloop_cache_entries{cache="deduplication_ids"}': ids.length + 1,
      driftloop_clickhouse_waiting_requests: 0,
      driftloop_unflushed_records: 0,
      driftloop_unflushed_bytes: 0,
      driftloop_unflushed_age_seconds: 0,
    };
    expect(Object.fromEntries(Object.keys(expected).map(name => [name, back.get(name)]))).toEqual(
      expected,
    );
  });
});
