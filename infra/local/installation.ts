import { join } from 'node:path';
import { connectSchemaRegistry } from '../../services/shared/avro/schemaRegistry.ts';
import { connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { connectKafka, connectProducer } from '../../services/shared/kafka/kafka.ts';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import { migrate } from '../clickhouse/migrate.ts';
import { waitUntilQuiet } from '../kafka/quiescence.ts';
import type { ServiceName } from '../kafka/serviceFlow.ts';
import { ensureTopics } from '../kafka/topics.ts';
import { freePort } from './processes/claimPort.ts';
import { type ServiceProcess, startServiceProcess } from './processes/serviceProcesses.ts';

/**
 * Topics and a database of somebody's own on servers that run, and what is needed to use them. All that it starts ends with it.
 * @param variables environment of the services: addresses of the servers, and names of its own in DRIFTLOOP_TOPIC_PREFIX and CLICKHOUSE_DATABASE
 * @param folder for the logs of services
 */
export async function createInstallation(variables: Record<string, string>, folder: string) {
  const environment = readEnvironment(variables);
  const { CLICKHOUSE_DATABASE: database } = environment;
  const kafka = connectKafka(environment, 'installation');
  const admin = kafka.admin();
  await Promise.all([migrate(environment), admin.connect()]);
  await ensureTopics(admin, environment);
  const producer = await connectProducer(kafka);
  const clickhouse = connectClickhouse(environment, { retry: false });
  const running = new Set<ServiceProcess>();
  /** Aborted when a service has died: nobody would work off what is waited for. */
  const death = new AbortController();

  return {
    environment,
    variables,
    folder,
    kafka,
    admin,
    producer,
    clickhouse,
    schemas: connectSchemaRegistry(environment),
    /** It is stopped with the installation at the latest. */
    async startService(service: ServiceName): Promise<ServiceProcess> {
      const port = String(await freePort());
      const started = await startServiceProcess({
        name: service,
        script: join(import.meta.dirname, '..', '..', 'services', service, 'main.ts'),
        env: { ...variables, DRIFTLOOP_HTTP_PORT: port },
        logFile: join(folder, `${service}-${port}.log`),
        onExit: line => death.abort(new Error(line)),
      });
      running.add(started);
      return started;
    },
    /**
     * All that was sent to the services is processed.
     * @throws when a service has died
     */
    untilQuiet: (...services: ServiceName[]) =>
      waitUntilQuiet({ admin, environment, services, signal: death.signal }),
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.all([...running].map(service => service.stop()));
      await clickhouse.command(`DROP DATABASE IF EXISTS ${database}`);
      // By their names: with an empty prefix every topic of the broker would begin with it.
      const existing = new Set(await admin.listTopics());
      const own = Object.values(topics).map(topic => prefixed(environment, topic));
      await admin.deleteTopics({ topics: own.filter(topic => existing.has(topic)) });
      await Promise.all([producer.disconnect(), admin.disconnect(), clickhouse.close()]);
    },
  };
}
