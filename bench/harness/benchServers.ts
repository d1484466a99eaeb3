import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startClickhouse } from '../../infra/local/clickhouse/clickhouse.ts';
import { startKafka } from '../../infra/local/kafka.ts';
import { startSchemaRegistry } from '../../infra/local/schemaRegistry.ts';

export type BenchServers = Awaited<ReturnType<typeof startBenchServers>>;

/** The local stack in a temporary folder, with the process ids of which the CPU time is read. */
export async function startBenchServers() {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-bench-'));
  const logDir = join(folder, 'logs');
  const starting = [
    startKafka({ dir: join(folder, 'kafka'), port: 0, logDir }),
    startSchemaRegistry({ dir: join(folder, 'registry'), port: 0, logDir }),
    startClickhouse({ dir: join(folder, 'clickhouse'), port: 0, logDir }),
  ] as const;
  const stop = async () => {
    const outcomes = await Promise.allSettled(starting);
    await Promise.all(
      outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value.stop() : undefined)),
    );
    await rm(folder, { recursive: true, force: true });
  };
  const [kafka, registry, clickhouse] = await Promise.all(starting).catch(async error => {
    // Those that did start would keep this process alive.
    await stop();
    throw error;
  });
  return {
    folder,
    logDir,
    variables: {
      KAFKA_BROKERS: kafka.brokers,
      SCHEMA_REGISTRY_URL: registry.url,
      CLICKHOUSE_URL: clickhouse.url,
    },
    clickhousePid: clickhouse.pid,
    stop,
  };
}
