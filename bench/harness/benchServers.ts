import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocalStack } from '../../infra/local/stack.ts';

export type BenchServers = Awaited<ReturnType<typeof startBenchServers>>;

/** Starts the local stack in a temporary folder, which goes when it stops. */
export async function startBenchServers() {
  const folder = await mkdtemp(join(tmpdir(), 'driftloop-bench-'));
  const { variables, clickhouse, stop } = await startLocalStack({ dir: folder }).catch(
    async error => {
      await rm(folder, { recursive: true, force: true });
      throw error;
    },
  );
  return {
    folder,
    variables,
    /** Process whose CPU time is that of the queries. */
    clickhousePid: clickhouse.pid,
    async stop() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
