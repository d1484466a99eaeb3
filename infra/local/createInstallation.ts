import { join } from 'node:path';
import { connectSchemaRegistry } from '../../services/shared/avro/schemaRegistry.ts';
import { connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { connectKafka, connectProducer } from '../../services/shared/kafka/kafka.ts';
import type { ServiceName } from '../../services/shared/kafka/serviceFlow.ts';
import { dropData } from '../installation/dropInstallation.ts';
import { prepareInstallation } from '../installation/prepareInstallation.ts';
import { waitUntilQuiet } from '../kafka/quiescence.ts';
import { freePort } from './processes/claimPort.ts';
import {
  type ServiceProcess,
  serviceScript,
  startServiceProcess,
} from './processes/serviceProcesses.ts';

/**
 * Creates topics and a database of the caller's own on servers that run, with clients to use them.
 * Disposing of it stops the services that it started and removes the topics and the database.
 * @param variables environment of the services: the addresses of the servers, and names that
 *   nobody else uses in DRIFTLOOP_TOPIC_PREFIX and CLICKHOUSE_DATABASE
 * @param folder receives the logs of the services
 */
export async function createInstallation(variables: Record<string, string>, folder: string) {
  const environment = readEnvironment(variables);
  const kafka = connectKafka(environment, 'installation');
  const admin = kafka.admin();
  await admin.connect();
  await prepareInstallation(admin, environment);
  const producer = await connectProducer(kafka);
  const clickhouse = connectClickhouse(environment, { retry: false });
  const running = new Set<ServiceProcess>();
  /** Aborted when a service has died: what it should have done will never be done. */
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
    /** Starts a service, which stops with the installation at the latest. */
    async startService(service: ServiceName): Promise<ServiceProcess> {
      const port = String(await freePort());
      const started = await startServiceProcess({
        name: service,
        script: serviceScript(service),
        env: { ...variables, DRIFTLOOP_HTTP_PORT: port },
        logFile: join(folder, `${service}-${port}.log`),
        onExit: line => death.abort(new Error(line)),
      });
      running.add(started);
      return started;
    },
    /**
     * Waits until the services have processed all that was sent to them.
     * @throws when a service has died
     */
    untilQuiet: (...services: ServiceName[]) =>
      waitUntilQuiet({ admin, environment, services, signal: death.signal }),
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.all([...running].map(service => service.stop()));
      await dropData(admin, environment);
      await Promise.all([producer.disconnect(), admin.disconnect(), clickhouse.close()]);
    },
  };
}
