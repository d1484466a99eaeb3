import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { createInstallation } from '../infra/local/installation.ts';

/** Topics and a database of a test's own on the shared stack; everything that it starts ends with it. */
export async function freshInstallation(variables: Record<string, string> = {}) {
  const name = `test_${randomBytes(6).toString('hex')}`;
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
