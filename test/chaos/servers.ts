import { join } from 'node:path';
import { startClickhouse } from '../../infra/local/clickhouse/clickhouse.ts';
import { startKafka } from '../../infra/local/kafka.ts';
import { startSchemaRegistry } from '../../infra/local/schemaRegistry.ts';

const maxStarts = 5;

export type ServerName = 'kafka' | 'registry' | 'clickhouse';

export type Servers = Awaited<ReturnType<typeof startServers>>;

/**
 * Starts Kafka, a schema registry and ClickHouse. Each can be killed, and restarted at the same
 * address with its data.
 */
export async function startServers(folder: string) {
  const logDir = join(folder, 'logs');
  const start = {
    kafka: (port: number) => startKafka({ dir: join(folder, 'kafka'), port, logDir }),
    registry: (port: number) =>
      startSchemaRegistry({ dir: join(folder, 'registry'), port, logDir }),
    clickhouse: (port: number) =>
      startClickhouse({ dir: join(folder, 'clickhouse'), port, logDir }),
  };
  const [kafka, registry, clickhouse] = await Promise.all([
    startPersistently(() => start.kafka(0)),
    startPersistently(() => start.registry(0)),
    startPersistently(() => start.clickhouse(0)),
  ]);
  const running: Record<
    ServerName,
    { pid: number; exited: Promise<string>; stop(): Promise<void> }
  > = {
    kafka,
    registry,
    clickhouse,
  };
  const ports: Record<ServerName, number> = {
    kafka: Number(kafka.brokers.split(':')[1]),
    registry: Number(new URL(registry.url).port),
    clickhouse: Number(new URL(clickhouse.url).port),
  };
  return {
    variables: {
      KAFKA_BROKERS: kafka.brokers,
      SCHEMA_REGISTRY_URL: registry.url,
      CLICKHOUSE_URL: clickhouse.url,
    },
    pid: (name: ServerName) => running[name].pid,
    async kill(name: ServerName): Promise<void> {
      process.kill(running[name].pid, 'SIGKILL');
      await running[name].exited;
    },
    async restart(name: ServerName): Promise<void> {
      running[name] = await startPersistently<(typeof running)[ServerName]>(() =>
        start[name](ports[name]),
      );
    },
    async stop(): Promise<void> {
      await Promise.all(Object.values(running).map(server => server.stop()));
    },
  };
}

/**
 * Starts a server, and tries again if that fails. On a busy machine a server may not be ready
 * within the minute that it is given.
 */
async function startPersistently<T>(start: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start();
    } catch (error) {
      if (attempt === maxStarts) throw error;
    }
  }
}
