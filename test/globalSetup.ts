import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { requireServers } from '../bin/servers/requireServer.ts';
import { namedServers, type ServerVariables } from '../infra/local/namedServers.ts';
import { startLocalStack } from '../infra/local/stack.ts';
import { readEnvironment } from '../services/shared/config/environment.ts';
import { removeLeftovers } from './removeLeftovers.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address as host:port. */
    kafkaBrokers: string;
    schemaRegistryUrl: string;
    clickhouseUrl: string;
    /** Prefix of every name that a test creates on the servers. */
    runPrefix: string;
  }
}

interface TestServers {
  variables: ServerVariables;
  /** Stops the servers if this run started them; otherwise removes what the tests left on them. */
  release(): Promise<void>;
}

/**
 * State that the projects of one run share. It is global because each project loads this file anew.
 */
const shared = globalThis as {
  driftloopTests?: { runPrefix: string; projects: number; servers: Promise<TestServers> };
};

/**
 * Provides all projects of a test run with the same servers: those that the environment names, or
 * else new ones on free ports with their data in a temporary folder. Tests make topics and
 * databases of their own there.
 */
export default async function provideServers(project: TestProject): Promise<() => Promise<void>> {
  const runPrefix = `test_${randomBytes(4).toString('hex')}_`;
  shared.driftloopTests ??= { runPrefix, projects: 0, servers: serversOf(runPrefix) };
  const run = shared.driftloopTests;
  run.projects++;
  const { variables, release } = await run.servers;
  project.provide('kafkaBrokers', variables.KAFKA_BROKERS);
  project.provide('schemaRegistryUrl', variables.SCHEMA_REGISTRY_URL);
  project.provide('clickhouseUrl', variables.CLICKHOUSE_URL);
  project.provide('runPrefix', run.runPrefix);
  return async () => {
    run.projects--;
    if (run.projects > 0) return;
    delete shared.driftloopTests;
    await release();
  };
}

async function serversOf(runPrefix: string): Promise<TestServers> {
  const variables = namedServers();
  if (!variables) return newServers();
  await requireServers(readEnvironment(variables));
  return { variables, release: () => removeLeftovers(variables, runPrefix) };
}

async function newServers(): Promise<TestServers> {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-test-'));
  const stack = await startLocalStack({ dir: folder });
  return {
    variables: stack.variables,
    async release() {
      await stack.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
