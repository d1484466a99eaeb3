import { type Clickhouse, connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { isClickhouseError } from '../../services/shared/clickhouse/clickhouseErrors.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import { connectKafka, type Kafka, type KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { UserError } from '../../services/shared/userError.ts';
import { requireServer } from './requireServer.ts';

/**
 * Connects to Kafka while `use` runs.
 * @throws UserError if Kafka does not answer, or a topic is missing
 */
export async function withKafka<T>(
  environment: Environment,
  use: (kafka: Kafka, admin: KafkaAdmin) => Promise<T>,
): Promise<T> {
  await requireServer(environment, 'KAFKA_BROKERS');
  const kafka = connectKafka(environment, 'driftloop-command');
  const admin = kafka.admin();
  await admin.connect();
  try {
    return await use(kafka, admin);
  } catch (error) {
    if (!isMissingTopic(error)) throw error;
    throw missingTopicsError(environment, error);
  } finally {
    await admin.disconnect();
  }
}

export function missingTopicsError(environment: Environment, cause?: unknown): UserError {
  const { DRIFTLOOP_TOPIC_PREFIX: prefix } = environment;
  return new UserError(
    `Kafka at ${environment.KAFKA_BROKERS} lacks Driftloop topics (DRIFTLOOP_TOPIC_PREFIX is ${JSON.stringify(prefix)}): run "driftloop topics"`,
    { cause },
  );
}

/** kafkajs wraps errors in errors. */
function isMissingTopic(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { type, cause } = error as Error & { type?: string };
  return type === 'UNKNOWN_TOPIC_OR_PARTITION' || isMissingTopic(cause);
}

/**
 * Connects to the database while `use` runs.
 * @throws UserError if ClickHouse does not answer, or the database has no tables
 */
export async function withClickhouse<T>(
  environment: Environment,
  use: (clickhouse: Clickhouse) => Promise<T>,
): Promise<T> {
  await requireServer(environment, 'CLICKHOUSE_URL');
  const clickhouse = connectClickhouse(environment, { retry: false });
  try {
    return await use(clickhouse);
  } catch (error) {
    if (isClickhouseError(error, ['UNKNOWN_TABLE', 'UNKNOWN_DATABASE'])) {
      throw new UserError(
        `database ${environment.CLICKHOUSE_DATABASE} of ClickHouse has no Driftloop tables: run "driftloop migrate", or set CLICKHOUSE_DATABASE`,
        { cause: error },
      );
    }
    throw error;
  } finally {
    await clickhouse.close();
  }
}
