import { connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import type { KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { consumerGroup, serviceFlow } from '../../services/shared/kafka/serviceFlow.ts';
import { topics } from '../../services/shared/kafka/topics.ts';
import { waitUntilGone } from '../kafka/waitUntilGone.ts';
import { deleteGroups } from './deleteGroups.ts';
import { deleteSubjects } from './deleteSubjects.ts';

/**
 * Removes an installation from servers that stay: its data, schema subjects and consumer groups.
 */
export async function dropInstallation(admin: KafkaAdmin, environment: Environment): Promise<void> {
  await dropData(admin, environment);
  const subjects = new Set(ownTopics(environment).map(topic => `${topic}-value`));
  await deleteSubjects(environment, subject => subjects.has(subject));
  const groups = new Set(serviceFlow.map(({ name }) => consumerGroup(environment, name)));
  await deleteGroups(admin, group => groups.has(group));
}

/** Removes what takes space: the topics with their records, and the database. */
export async function dropData(admin: KafkaAdmin, environment: Environment): Promise<void> {
  const existing = new Set(await admin.listTopics());
  const dropped = ownTopics(environment).filter(topic => existing.has(topic));
  if (dropped.length > 0) {
    await admin.deleteTopics({ topics: dropped });
    await waitUntilGone(admin, dropped);
  }
  const clickhouse = connectClickhouse(environment, { retry: false }, 'default');
  await clickhouse
    .command(`DROP DATABASE IF EXISTS ${environment.CLICKHOUSE_DATABASE}`)
    .finally(() => clickhouse.close());
}

/**
 * Returns the names of the topics that Driftloop made for this installation. Topics that only
 * start with the prefix belong to others, and so do those that DRIFTLOOP_PREDICTIONS_TOPIC and
 * DRIFTLOOP_FEEDBACK_TOPIC name.
 */
function ownTopics({ DRIFTLOOP_TOPIC_PREFIX: prefix }: Environment): string[] {
  return Object.values(topics).map(topic => prefix + topic);
}
