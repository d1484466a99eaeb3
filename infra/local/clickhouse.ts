import { join, resolve } from 'node:path';
import { type ChildProcess, startChildProcess } from './childProcess.ts';
import { claimPort, localHost } from './claimPort.ts';
import { setOwner, untilUnowned } from './dataFolderOwner.ts';
import type { StartOptions } from './kafka.ts';
import { answersOk, untilReady } from './untilReady.ts';

export interface ClickhouseServer extends ChildProcess {
  /** Base of its HTTP interface. */
  url: string;
}

/** The ClickHouse engine behind its HTTP interface, as one process. */
export async function startClickhouse({ dir, port, logDir }: StartOptions): Promise<ClickhouseServer> {
  const httpPort = await claimPort('ClickHouse', port, 'DRIFTLOOP_CLICKHOUSE_PORT');
  const dataFolder = resolve(dir);
  await untilUnowned('ClickHouse', dataFolder);
  const script = join(import.meta.dirname, 'clickhouse-server.ts');
  const child = startChildProcess({
    name: 'ClickHouse',
    command: process.execPath,
    args: [script, '--path', dataFolder, '--port', String(httpPort), '--host', localHost],
    // Each running query occupies one thread of libuv's pool, which has four by default. Servers run in UTC.
    env: { UV_THREADPOOL_SIZE: '48', TZ: 'UTC' },
    logFile: join(logDir, 'clickhouse.log'),
  });
  setOwner(dataFolder, child.pid);
  const url = `http://${localHost}:${httpPort}`;
  await untilReady(child, () => answersOk(`${url}/ping`));
  return { ...child, url };
}
