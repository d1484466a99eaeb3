import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { migrate } from '../infra/clickhouse/migrate.ts';
import { freePort } from '../infra/local/claimPort.ts';
import { type ServiceProcess, startServiceProcess } from '../infra/local/serviceProcesses.ts';
import { ensureTopics } from '../infra/topics.ts';
import { connectClickhouse } from '../services/shared/clickhouse.ts';
import { type Environment, readEnvironment } from '../services/shared/environment.ts';
import { connectKafka, connectProducer } from '../services/shared/kafka.ts';
import { connectSchemaRegistry } from '../services/shared/schemaRegistry.ts';

/** Topics and a database of a test's own on the shared stack; everything that it starts ends with it. */
export async function freshInstallation(variables: Record<string, string> = {}) {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-installation-'));
  const own: Record<string, string> = {
    KAFKA_BROKERS: inject('kafkaBrokers'),
    SCHEMA_REGISTRY_URL: inject('schemaRegistryUrl'),
    CLICKHOUSE_URL: inject('clickhouseUrl'),
    CLICKHOUSE_DATABASE: name,
    DRIFTLOOP_TOPIC_PREFIX: `${name}-`,
    DRIFTLOOP_ARTIFACTS: join(folder, 'artifacts'),
    DRIFTLOOP_FLUSH_MS: '50',
    DRIFTLOOP_SESSION_TIMEOUT_MS: '3000',
    ...variables,
  };
  const environment: Environment = readEnvironment(own);
  const kafka = connectKafka(environment, 'test');
  const admin = kafka.admin();
  await Promise.all([migrate(environment), admin.connect()]);
  await ensureTopics(admin, environment);
  const producer = await connectProducer(kafka);
  const clickhouse = connectClickhouse(environment, { retry: false });
  const running = new Set<ServiceProcess>();

  return {
    environment,
    variables: own,
    folder,
    kafka,
    admin,
    producer,
    clickhouse,
    schemas: connectSchemaRegistry(environment),
    async startService(service: string): Promise<ServiceProcess> {
      const port = await freePort();
      const started = await startServiceProcess({
        name: service,
        script: new URL(`../services/${service}/main.ts`, import.meta.url).pathname,
        env: { ...own, DRIFTLOOP_HTTP_PORT: String(port) },
        logFile: join(folder, `${service}-${port}.log`),
      });
      running.add(started);
      return started;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map(service => service.stop()));
      await clickhouse.command(`DROP DATABASE IF EXISTS ${name}`);
      const mine = (await admin.listTopics()).filter(topic => topic.startsWith(`${name}-`));
      await admin.deleteTopics({ topics: mine });
      await Promise.all([producer.disconnect(), admin.disconnect(), clickhouse.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type Installation = Awaited<ReturnType<typeof freshInstallation>>;
