import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { freePort } from '../../infra/local/processes/claimPort.ts';
import { serviceScript } from '../../infra/local/processes/serviceProcesses.ts';
import { connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { startFaultProxy } from '../chaos/faultProxy.ts';
import { eventually } from '../eventually.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';
import { startKafkaProxy } from '../kafkaProtocol/kafkaProxy.ts';

/** Starts a profiler that may never be ready. */
async function startProfiler(variables: Record<string, string>) {
  const port = String(await freePort());
  const child = spawn(process.execPath, [serviceScript('profiler')], {
    env: { ...process.env, ...variables, DRIFTLOOP_HTTP_PORT: port },
    stdio: 'ignore',
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return {
    /** Waits for a reason why it is not ready. */
    unreadyReason: (pattern: RegExp) =>
      eventually(`a reason like ${pattern}`, async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => null);
        if (answer?.status !== 503) return null;
        const { reason } = (await answer.json()) as { reason: string };
        return pattern.test(reason) ? reason : null;
      }),
    /** Sends SIGTERM. @returns the exit code */
    async stop(): Promise<number | null> {
      child.kill('SIGTERM');
      return exited;
    },
    [Symbol.dispose]: () => child.kill('SIGKILL'),
  };
}

async function send(installation: Installation, ids: readonly string[]): Promise<void> {
  await installation.producer.send({
    topic: `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}predictions`,
    messages: ids.map(id => ({ key: id, value: id === 'broken' ? id : predictionText(id) })),
  });
}

function predictionText(id: string): string {
  const features = { amount: 1 };
  return JSON.stringify({
    id,
    model: 'm',
    version: '1',
    time: Date.now(),
    features,
    prediction: 1,
  });
}

it.each([
  ['Kafka', 'KAFKA_BROKERS', (address: string) => address],
  ['the schema registry', 'SCHEMA_REGISTRY_URL', (address: string) => `http://${address}`],
  ['ClickHouse', 'CLICKHOUSE_URL', (address: string) => `http://${address}`],
])(
  'a service that starts before %s exists waits, says for what, and ends on SIGTERM',
  async (server, variable, urlOf) => {
    await using installation = await freshInstallation();
    using profiler = await startProfiler({
      ...installation.variables,
      [variable]: urlOf(`127.0.0.1:${await freePort()}`),
    });
    await profiler.unreadyReason(new RegExp(`^waiting for ${server} for `));
    expect(await profiler.stop()).toBe(0);
  },
);

it('a service that starts before the tables exist waits, and says what creates them', async () => {
  await using installation = await freshInstallation();
  using profiler = await startProfiler({
    ...installation.variables,
    CLICKHOUSE_DATABASE: `${installation.environment.CLICKHOUSE_DATABASE}_absent`,
  });
  expect(await profiler.unreadyReason(/^waiting for ClickHouse for .*driftloop migrate/)).toContain(
    '_absent has no tables',
  );
  expect(await profiler.stop()).toBe(0);
});

it('a service that gets no answer to an open request ends on SIGTERM, and its records come again', async () => {
  const proxy = await startFaultProxy(inject('clickhouseUrl'));
  await using installation = await freshInstallation();
  using profiler = await startProfiler({
    ...installation.variables,
    CLICKHOUSE_URL: proxy.url,
  });
  await send(installation, ['a']);
  await installation.untilQuiet('profiler');
  const silent = proxy.harm('silence', 1, 60_000);
  await send(installation, ['b']);
  expect(await silent).toBe(1);
  expect(await profiler.stop()).toBe(0);
  await installation.startService('profiler');
  await installation.untilQuiet('profiler');
  const [row] = await installation.clickhouse.select(
    'SELECT toUInt32(count()) AS count FROM predictions FINAL',
  );
  expect(row).toEqual({ count: 2 });
  await proxy.stop();
});

it('a service whose connection to ClickHouse carries nothing opens another, and says so meanwhile', async () => {
  const proxy = await startFaultProxy(inject('clickhouseUrl'));
  await using installation = await freshInstallation();
  using profiler = await startProfiler({ ...installation.variables, CLICKHOUSE_URL: proxy.url });
  await send(installation, ['a']);
  await installation.untilQuiet('profiler');
  const silent = proxy.harm('silence', 1, 60_000);
  await send(installation, ['b']);
  expect(
    await profiler.unreadyReason(
      /^waiting for ClickHouse for 1\d s: no answer on an open connection for 15 s$/,
    ),
  ).toBeTruthy();
  expect(await silent).toBe(1);
  await installation.untilQuiet('profiler');
  const [row] = await installation.clickhouse.select(
    'SELECT toUInt32(count()) AS count FROM predictions FINAL',
  );
  expect(row).toEqual({ count: 2 });
  await proxy.stop();
});

it('a query of ClickHouse that takes longer than a silent connection may is not given up', async () => {
  const retries: unknown[] = [];
  const clickhouse = connectClickhouse(
    readEnvironment({ CLICKHOUSE_URL: inject('clickhouseUrl') }),
    {
      retry: true,
      onRetry: error => void retries.push(error),
    },
    'default',
  );
  const rows = await clickhouse.select(
    'SELECT toUInt32(sum(sleepEachRow(2))) AS sum FROM numbers(9) SETTINGS max_block_size = 1',
  );
  expect([rows, retries]).toEqual([[{ sum: 0 }], []]);
  await clickhouse.close();
});

/** Lets a process run two hours ahead for as long as a file exists. */
function clockAhead(file: string): string {
  const program = `import { existsSync } from 'node:fs';
    const now = Date.now;
    Date.now = () => now() + (existsSync(${JSON.stringify(file)}) ? 7200000 : 0);`;
  return `--import=data:text/javascript,${encodeURIComponent(program)}`;
}

it('a service whose clock is far ahead waits, says so, and goes on when the clock is right', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-clock-'));
  const file = join(folder, 'ahead');
  await writeFile(file, '');
  await using installation = await freshInstallation();
  using profiler = await startProfiler({
    ...installation.variables,
    NODE_OPTIONS: clockAhead(file),
  });
  await profiler.unreadyReason(
    /^the clock of this machine is 7\d{3} s ahead of that of ClickHouse$/,
  );
  await send(installation, ['a', 'broken', 'b']);
  // A dead letter is stamped by the service, and Kafka refuses it.
  await profiler.unreadyReason(/^waiting for Kafka for .*differs from that of Kafka .*so set it$/);
  await rm(file);
  await installation.untilQuiet('profiler');
  await send(installation, ['c']);
  await installation.untilQuiet('profiler');
  const [row] = await installation.clickhouse.select(
    `SELECT toUInt32(count()) AS predictions, (SELECT toUInt32(count()) FROM dead_letters FINAL) AS letters
     FROM predictions FINAL`,
  );
  expect(row).toEqual({ predictions: 3, letters: 1 });
  expect(await profiler.stop()).toBe(0);
  await rm(folder, { recursive: true });
});

it('a service whose connections to Kafka carry nothing any more opens others', async () => {
  const proxy = await startKafkaProxy(inject('kafkaBrokers'));
  await using installation = await freshInstallation();
  using _ = await startProfiler({ ...installation.variables, KAFKA_BROKERS: proxy.brokers });
  await send(installation, ['a', 'b']);
  await installation.untilQuiet('profiler');
  expect(proxy.silence()).toBeGreaterThan(1);
  await send(installation, ['c', 'd']);
  await installation.untilQuiet('profiler');
  const [row] = await installation.clickhouse.select(
    'SELECT toUInt32(count()) AS count FROM predictions FINAL',
  );
  expect(row).toEqual({ count: 4 });
  proxy.stop();
});
