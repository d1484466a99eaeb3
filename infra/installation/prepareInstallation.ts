import type { Environment } from '../../services/shared/config/environment.ts';
import type { KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { migrate } from '../clickhouse/migrate.ts';
import { ensureTopics, type TopicOverrides } from '../kafka/topics.ts';

/**
 * Creates the topics and the tables that the services need, where they are missing. Idempotent.
 * @param overrides values of topics that differ from their definitions
 */
export async function prepareInstallation(
  admin: KafkaAdmin,
  environment: Environment,
  overrides: TopicOverrides = {},
): Promise<void> {
  await Promise.all([ensureTopics(admin, environment, overrides), migrate(environment)]);
}
