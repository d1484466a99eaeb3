import { type Clickhouse, connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { isClickhouseError } from '../../services/shared/clickhouse/clickhouseErrors.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import { connectKafka, type Kafka, type KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { UserError } from '../../services/shared/userError.ts';
import { requireServer } from './requireServer.ts';

/** Connects to Kafka for the time of `use`. */
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
  } finally {
    await admin.disconnect();
  }
}

/** Connects to Driftloop's database for the time of `use`. @throws UserError when it does not exist */
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
        `ClickHouse has no tables of Driftloop in database ${environment.CLICKHOUSE_DATABASE}: run "driftloop migrate"`,
        { cause: error },
      );
    }
    throw error;
  } finally {
    await clickhouse.close();
  }
}
