import { join } from 'node:path';
import { UserError } from '../../services/shared/userError.ts';
import { startClickhouse } from './clickhouse/clickhouse.ts';
import { startKafka } from './kafka.ts';
import { startSchemaRegistry } from './schemaRegistry.ts';

export interface LocalStackOptions {
  /** Folder of all data and logs, which persist from one start to the next. */
  dir: string;
  /** 0 or absent: a free one. */
  ports?: { kafka?: number; registry?: number; clickhouse?: number };
  onProgress?: (line: string) => void;
}

export interface LocalStack extends AsyncDisposable {
  kafkaBrokers: string;
  schemaRegistryUrl: string;
  clickhouseUrl: string;
  /** Resolves with one line when a part ends, be it by stop(). */
  partEnded: Promise<string>;
  /** Ends all parts; resolves when no process is left. */
  stop(): Promise<void>;
}

/**
 * Kafka, a schema registry and ClickHouse as processes of this machine, without containers.
 * They end with the process that started them, however that ends.
 * @throws UserError of one line when a part cannot start; the others are stopped then
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
    return {
      kafkaBrokers: kafka.brokers,
      schemaRegistryUrl: registry.url,
      clickhouseUrl: clickhouse.url,
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
    throw explained(error, dir);
  }
}

function explained(error: unknown, dir: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC')
    return new UserError(`the disk is full: make space for ${dir}`, { cause: error });
  if (code === 'EACCES' || code === 'EROFS')
    return new UserError(`${dir} cannot be written to: ${message}`, { cause: error });
  return error;
}
