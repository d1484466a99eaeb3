import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { migrate } from '../infra/clickhouse/migrate.ts';
import { freePort } from '../infra/local/claimPort.ts';
import { type ServiceProcess, startServiceProcess } from '../infra/local/serviceProcesses.ts';
import { waitUntilQuiet } from '../infra/quiescence.ts';
import { consumerGroup, type ServiceName } from '../infra/serviceFlow.ts';
import { ensureTopics } from '../infra/topics.ts';
import { connectClickhouse } from '../services/shared/clickhouse.ts';
import { readEnvironment } from '../services/shared/environment.ts';
import { connectKafka, connectProducer } from '../services/shared/kafka.ts';
import { connectSchemaRegistry } from '../services/shared/schemaRegistry.ts';
import type { BenchServers } from './benchServers.ts';

export type BenchInstallation = Awaited<ReturnType<typeof createInstallation>>;

/** Topics and a database of a measurement's own, gone when `use` ends; rounds that begin anew share the topics, and take a new database. */
export async function withInstallation<T>(
  servers: BenchServers,
  name: string,
  settings: string,
  use: (installation: BenchInstallation) => Promise<T>,
): Promise<T> {
  const installation = await createInstallation(servers, name, settings);
  try {
    return await use(installation);
  } finally {
    await installation.dispose();
  }
}

async function createInstallation(servers: BenchServers, name: string, settings: string) {
  const folder = join(servers.folder, name);
  await mkdir(folder);
  await writeFile(join(folder, 'driftloop.yaml'), settings);
  const variables: Record<string, string> = {
    ...servers.variables,
    CLICKHOUSE_DATABASE: name,
    DRIFTLOOP_TOPIC_PREFIX: `${name}-`,
    DRIFTLOOP_CONFIG: join(folder, 'driftloop.yaml'),
    DRIFTLOOP_LOG_LEVEL: 'warn',
  };
  const environment = readEnvironment(variables);
  const kafka = connectKafka(environment, 'bench');
  const admin = kafka.admin();
  await Promise.all([migrate(environment), admin.connect()]);
  await ensureTopics(admin, environment);
  const producer = await connectProducer(kafka);
  const clickhouse = connectClickhouse(environment, { retry: false });
  const running = new Set<ServiceProcess>();
  /** Aborted when a service has died: nobody would work off what is waited for. */
  const death = new AbortController();
  let databases = 0;

  return {
    folder,
    variables,
    environment,
    kafka,
    admin,
    producer,
    clickhouse,
    schemas: connectSchemaRegistry(environment),
    /** @returns variables that name an empty database */
    async newDatabase(): Promise<Record<string, string>> {
      databases++;
      const own = { ...variables, CLICKHOUSE_DATABASE: `${name}_${databases}` };
      await migrate(readEnvironment(own));
      return own;
    },
    dropDatabase: ({ CLICKHOUSE_DATABASE: database }: Record<string, string>) =>
      clickhouse.command(`DROP DATABASE ${database}`),
    /** The service starts at the beginning of its topics the next time. It must have stopped. */
    async forgetOffsets(service: ServiceName): Promise<void> {
      await admin.deleteGroups([consumerGroup(environment, service)]);
    },
    /** The service as it runs elsewhere; it is stopped with the installation at the latest. */
    async startService(service: ServiceName): Promise<ServiceProcess> {
      const started = await startServiceProcess({
        name: service,
        script: join(import.meta.dirname, '..', 'services', service, 'main.ts'),
        env: { ...variables, DRIFTLOOP_HTTP_PORT: String(await freePort()) },
        logFile: join(folder, `${service}.log`),
        onExit: line => death.abort(new Error(line)),
      });
      running.add(started);
      return started;
    },
    /** All that was sent to the services is processed. */
    untilQuiet: (services: readonly ServiceName[]) =>
      waitUntilQuiet({ admin, environment, services, signal: death.signal }),
    async dispose(): Promise<void> {
      await Promise.all([...running].map(service => service.stop()));
      await clickhouse.command(`DROP DATABASE ${name}`);
      const own = (await admin.listTopics()).filter(topic => topic.startsWith(`${name}-`));
      await admin.deleteTopics({ topics: own });
      await Promise.all([producer.disconnect(), admin.disconnect(), clickhouse.close()]);
    },
  };
}
