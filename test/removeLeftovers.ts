import { deleteGroups } from '../infra/installation/deleteGroups.ts';
import { deleteSubjects } from '../infra/installation/deleteSubjects.ts';
import type { ServerVariables } from '../infra/local/namedServers.ts';
import { connectClickhouse } from '../services/shared/clickhouse/clickhouse.ts';
import { readEnvironment } from '../services/shared/config/environment.ts';
import { connectKafka } from '../services/shared/kafka/kafka.ts';

/** Removes every topic, group, subject and database whose name starts with the prefix of a run. */
export async function removeLeftovers(servers: ServerVariables, runPrefix: string): Promise<void> {
  const environment = readEnvironment(servers);
  const isLeft = (name: string) => name.startsWith(runPrefix);
  const admin = connectKafka(environment, 'test').admin();
  await admin.connect();
  try {
    const topics = (await admin.listTopics()).filter(isLeft);
    if (topics.length > 0) await admin.deleteTopics({ topics });
    await deleteGroups(admin, isLeft);
  } finally {
    await admin.disconnect();
  }
  await deleteSubjects(environment, isLeft);
  const clickhouse = connectClickhouse(environment, { retry: false }, 'default');
  try {
    const databases = await clickhouse.select<{ name: string }>(
      'SELECT name FROM system.databases WHERE startsWith(name, {runPrefix:String})',
      { runPrefix },
    );
    for (const { name } of databases) await clickhouse.command(`DROP DATABASE ${name}`);
  } finally {
    await clickhouse.close();
  }
}
