import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { type LocalStack, startLocalStack } from '../infra/local/stack.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** host:port */
    kafkaBrokers: string;
    schemaRegistryUrl: string;
    clickhouseUrl: string;
  }
}

interface SharedStack {
  users: number;
  folder: string;
  starting: Promise<LocalStack>;
}

/** Each project of the run loads this file anew; what they share has to be global. */
const shared = globalThis as { driftloopTestStack?: Promise<SharedStack> };

/** One stack of real servers for a whole test run, on free ports and in a temporary folder; tests make their own topics and databases in it. */
export default async function startServers(project: TestProject): Promise<() => Promise<void>> {
  shared.driftloopTestStack ??= startInTemporaryFolder();
  const servers = await shared.driftloopTestStack;
  servers.users++;
  const stack = await servers.starting;
  project.provide('kafkaBrokers', stack.kafkaBrokers);
  project.provide('schemaRegistryUrl', stack.schemaRegistryUrl);
  project.provide('clickhouseUrl', stack.clickhouseUrl);
  return async () => {
    servers.users--;
    if (servers.users > 0) return;
    delete shared.driftloopTestStack;
    await stack.stop();
    await rm(servers.folder, { recursive: true, force: true });
  };
}

async function startInTemporaryFolder(): Promise<SharedStack> {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-test-'));
  return { users: 0, folder, starting: startLocalStack({ dir: folder }) };
}
