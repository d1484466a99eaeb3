import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { migrate } from '../../infra/clickhouse/migrate.ts';
import { createInstallation } from '../../infra/local/createInstallation.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { consumerGroup, type ServiceName } from '../../services/shared/kafka/serviceFlow.ts';
import type { BenchServers } from './benchServers.ts';

export type BenchInstallation = Awaited<ReturnType<typeof benchInstallation>>;

/**
 * Gives a measurement topics and a database of its own, which are removed when `use` ends. Rounds
 * that start from nothing share the topics and take a new database each.
 */
export async function withInstallation<T>(
  servers: BenchServers,
  name: string,
  settings: string,
  use: (installation: BenchInstallation) => Promise<T>,
): Promise<T> {
  const installation = await benchInstallation(servers, name, settings);
  try {
    return await use(installation);
  } finally {
    await installation[Symbol.asyncDispose]();
  }
}

async function benchInstallation(servers: BenchServers, name: string, settings: string) {
  const folder = join(servers.folder, name);
  await mkdir(folder);
  await writeFile(join(folder, 'driftloop.yaml'), settings);
  const installation = await createInstallation(
    {
      ...servers.variables,
      CLICKHOUSE_DATABASE: name,
      DRIFTLOOP_TOPIC_PREFIX: `${name}-`,
      DRIFTLOOP_CONFIG: join(folder, 'driftloop.yaml'),
      DRIFTLOOP_LOG_LEVEL: 'warn',
    },
    folder,
  );
  const { variables, environment, admin, clickhouse } = installation;
  let databases = 0;

  return {
    ...installation,
    /** Makes an empty database. @returns variables that name it */
    async newDatabase(): Promise<Record<string, string>> {
      databases++;
      const own = { ...variables, CLICKHOUSE_DATABASE: `${name}_${databases}` };
      await migrate(readEnvironment(own));
      return own;
    },
    dropDatabase: ({ CLICKHOUSE_DATABASE: database }: Record<string, string>) =>
      clickhouse.command(`DROP DATABASE ${database}`),
    /** Makes a service read its topics from the beginning the next time. It must have stopped. */
    async forgetOffsets(service: ServiceName): Promise<void> {
      await admin.deleteGroups([consumerGroup(environment, service)]);
    },
  };
}
