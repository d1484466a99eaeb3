import { join } from 'node:path';
import { type ClickhouseServer, startClickhouse } from './clickhouse/clickhouse.ts';
import { type KafkaServer, startKafka } from './kafka.ts';
import type { ServerVariables } from './namedServers.ts';
import { explainedError } from './processes/explainedError.ts';
import type { LocalStackPorts } from './processes/localStackPorts.ts';
import { type SchemaRegistryServer, startSchemaRegistry } from './schemaRegistry.ts';

export interface LocalStackOptions {
  /** Folder of all data and logs. They stay when the stack stops, and the next start finds them. */
  dir: string;
  /** 0 or absent means a free port. */
  ports?: Partial<LocalStackPorts>;
  onProgress?: (line: string) => void;
}

export interface LocalStack extends AsyncDisposable {
  /** Addresses of Kafka's brokers, comma-separated. */
  kafkaBrokers: string;
  schemaRegistryUrl: string;
  clickhouseUrl: string;
  /** Environment variables that name the servers. */
  variables: ServerVariables;
  kafka: KafkaServer;
  registry: SchemaRegistryServer;
  clickhouse: ClickhouseServer;
  /** Resolves with one line when a server has ended, also when stop() ended it. */
  partEnded: Promise<string>;
  /** Stops the servers. Resolves when no process is left. */
  stop(): Promise<void>;
}

/**
 * Starts Kafka, a schema registry and ClickHouse as processes of this machine, without containers.
 * They end with the process that started them, however that one ends.
 * @throws UserError of one line if a server cannot start; the others are stopped then
 */
export async function startLocalStack({
  dir,
  ports = {},
  onProgress,
}: LocalStackOptions): Promise<LocalStack> {
  const logDir = join(dir, 'logs');
  const startedMs = Date.now();
  const announced = async <Part extends { name: string }>(
    starting: Promise<Part>,
  ): Promise<Part> => {
    const part = await starting;
    onProgress?.(`${part.name} is up after ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
    return part;
  };
  const starting = [
    announced(startKafka({ dir: join(dir, 'kafka'), port: ports.kafka ?? 0, logDir })),
    announced(
      startSchemaRegistry({ dir: join(dir, 'registry'), port: ports.registry ?? 0, logDir }),
    ),
    announced(
      startClickhouse({ dir: join(dir, 'clickhouse'), port: ports.clickhouse ?? 0, logDir }),
    ),
  ] as const;
  const stop = async () => {
    const outcomes = await Promise.allSettled(starting);
    await Promise.all(
      outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value.stop() : undefined)),
    );
  };

  try {
    const [kafka, registry, clickhouse] = await Promise.all(starting);
    const addresses = {
      kafkaBrokers: kafka.brokers,
      schemaRegistryUrl: registry.url,
      clickhouseUrl: clickhouse.url,
    };
    return {
      ...addresses,
      variables: {
        KAFKA_BROKERS: addresses.kafkaBrokers,
        SCHEMA_REGISTRY_URL: addresses.schemaRegistryUrl,
        CLICKHOUSE_URL: addresses.clickhouseUrl,
      },
      kafka,
      registry,
      clickhouse,
      partEnded: Promise.race(
        [kafka, registry, clickhouse].map(
          async part => `${part.name} ${await part.exited} (log: ${part.logFile})`,
        ),
      ),
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw explainedError(error, dir);
  }
}
