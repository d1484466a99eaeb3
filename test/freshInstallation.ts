import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { createInstallation } from '../infra/local/createInstallation.ts';
import { uniqueName } from './uniqueName.ts';

/**
 * Creates topics and a database for one test on the servers of the run. Disposing of the result
 * removes them and stops the services that the test started.
 * @param variables environment variables that differ from the usual ones
 */
export async function freshInstallation(variables: Record<string, string> = {}) {
  const name = uniqueName();
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-installation-'));
  const installation = await createInstallation(
    {
      KAFKA_BROKERS: inject('kafkaBrokers'),
      SCHEMA_REGISTRY_URL: inject('schemaRegistryUrl'),
      CLICKHOUSE_URL: inject('clickhouseUrl'),
      CLICKHOUSE_DATABASE: name,
      DRIFTLOOP_TOPIC_PREFIX: `${name}-`,
      DRIFTLOOP_ARTIFACTS: join(folder, 'artifacts'),
      DRIFTLOOP_FLUSH_MS: '50',
      DRIFTLOOP_SESSION_TIMEOUT_MS: '3000',
      ...variables,
    },
    folder,
  );
  return {
    ...installation,
    async [Symbol.asyncDispose]() {
      await installation[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type Installation = Awaited<ReturnType<typeof freshInstallation>>;
