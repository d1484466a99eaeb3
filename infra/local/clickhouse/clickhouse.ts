import { join, resolve } from 'node:path';
import type { ChildProcess } from '../processes/childProcess.ts';
import { claimPort, localHost } from '../processes/claimPort.ts';
import { untilUnowned } from '../processes/dataFolderOwner.ts';
import { startServerProcess } from '../processes/serverProcess.ts';
import type { StartOptions } from '../processes/startOptions.ts';
import { answersOk } from '../processes/untilReady.ts';

export interface ClickhouseServer extends ChildProcess {
  /** Base URL of the HTTP interface. */
  url: string;
}

/**
 * Starts the ClickHouse engine with its HTTP interface as a process.
 * @throws UserError if it cannot
 */
export async function startClickhouse({
  dir,
  port,
  logDir,
}: StartOptions): Promise<ClickhouseServer> {
  const dataFolder = resolve(dir);
  await untilUnowned('ClickHouse', dataFolder);
  const httpPort = await claimPort('ClickHouse', port, 'DRIFTLOOP_CLICKHOUSE_PORT');
  const script = join(import.meta.dirname, 'clickhouse-server.ts');
  const url = `http://${localHost}:${httpPort}`;
  const child = await startServerProcess({
    name: 'ClickHouse',
    command: process.execPath,
    args: [script, '--path', dataFolder, '--port', String(httpPort), '--host', localHost],
    // Each query that runs occupies a thread of libuv's pool, which has four by default. Servers
    // run in UTC.
    env: { UV_THREADPOOL_SIZE: '48', TZ: 'UTC' },
    logFile: join(logDir, 'clickhouse.log'),
    dataFolder,
    isReady: () => answersOk(`${url}/ping`),
  });
  return { ...child, url };
}
