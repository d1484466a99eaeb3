import { migrate } from '../../infra/clickhouse/migrate.ts';
import { consumerGroup, serviceFlow } from '../../infra/kafka/serviceFlow.ts';
import { ensureTopics } from '../../infra/kafka/topics.ts';
import { connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import type { KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { topics } from '../../services/shared/kafka/topics.ts';
import { longestLineBytes } from './readLines.ts';

/** A record around the longest line, and a dead letter around that. */
const largestMessageBytes = longestLineBytes + 1024 * 1024;

/** Topics and a database for one replay alone. One partition each for predictions and feedback, so that the order of the file is that of the topic. */
export async function createInstallation(
  admin: KafkaAdmin,
  environment: Environment,
): Promise<void> {
  const inOrder = { partitions: 1, largestMessageBytes };
  await ensureTopics(admin, environment, {
    [topics.predictions]: inOrder,
    [topics.feedback]: inOrder,
    [topics.deadLetters]: { largestMessageBytes: largestMessageBytes + 1024 * 1024 },
  });
  await migrate(environment);
}

/** Removes what the replay has left on servers that stay: topics, schema subjects, database, consumer groups. */
export async function dropInstallation(admin: KafkaAdmin, environment: Environment): Promise<void> {
  const prefix = environment.DRIFTLOOP_TOPIC_PREFIX;
  const ownTopics = (await admin.listTopics()).filter(topic => topic.startsWith(prefix));
  if (ownTopics.length > 0) await admin.deleteTopics({ topics: ownTopics });
  await dropSubjects(environment, prefix);
  const clickhouse = connectClickhouse(environment, { retry: false }, 'default');
  await clickhouse
    .command(`DROP DATABASE IF EXISTS ${environment.CLICKHOUSE_DATABASE}`)
    .finally(() => clickhouse.close());
  await dropGroups(admin, environment);
}

async function dropGroups(admin: KafkaAdmin, environment: Environment): Promise<void> {
  const existing = new Set((await admin.listGroups()).groups.map(({ groupId }) => groupId));
  const groups = serviceFlow
    .map(({ name }) => consumerGroup(environment, name))
    .filter(group => existing.has(group));
  if (groups.length === 0) return;
  try {
    await admin.deleteGroups(groups);
  } catch (error) {
    const failures = (error as { groups?: { error: { type: string } }[] }).groups ?? [];
    const deadMembersRemain =
      failures.length > 0 && failures.every(group => group.error.type === 'NON_EMPTY_GROUP');
    // Kafka forgets a service that was killed when its session is over, and then the group, whose topics are gone.
    if (!deadMembersRemain) throw error;
  }
}

/** A subject is only gone when it has been deleted twice: first softly, then for good. */
async function dropSubjects(environment: Environment, prefix: string): Promise<void> {
  const {
    SCHEMA_REGISTRY_URL: url,
    SCHEMA_REGISTRY_USERNAME: user,
    SCHEMA_REGISTRY_PASSWORD: password,
  } = environment;
  const headers: Record<string, string> = user
    ? { authorization: `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}` }
    : {};
  const response = await fetch(`${url}/subjects`, { headers });
  if (!response.ok) throw new Error(`${url}/subjects: status ${response.status}`);
  for (const subject of ((await response.json()) as string[]).filter(name =>
    name.startsWith(prefix),
  )) {
    for (const query of ['', '?permanent=true']) {
      const deleted = await fetch(`${url}/subjects/${encodeURIComponent(subject)}${query}`, {
        method: 'DELETE',
        headers,
      });
      await deleted.arrayBuffer();
    }
  }
}
