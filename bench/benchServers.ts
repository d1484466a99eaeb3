import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startClickhouse } from '../infra/local/clickhouse.ts';
import { startKafka } from '../infra/local/kafka.ts';
import { startSchemaRegistry } from '../infra/local/schemaRegistry.ts';

export type BenchServers = Awaited<ReturnType<typeof startBenchServers>>;

/** The local stack in a temporary folder, with the process ids of which the CPU time is read. */
export async function startBenchServers() {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-bench-'));
  const logDir = join(folder, 'logs');
  const [kafka, registry, clickhouse] = await Promise.all([
    startKafka({ dir: join(folder, 'kafka'), port: 0, logDir }),
    startSchemaRegistry({ dir: join(folder, 'registry'), port: 0, logDir }),
    startClickhouse({ dir: join(folder, 'clickhouse'), port: 0, logDir }),
  ]);
  return {
    folder,
    logDir,
    variables: { KAFKA_BROKERS: kafka.brokers, SCHEMA_REGISTRY_URL: registry.url, CLICKHOUSE_URL: clickhouse.url },
    clickhousePid: clickhouse.pid,
    async stop(): Promise<void> {
      await Promise.all([kafka.stop(), registry.stop(), clickhouse.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
