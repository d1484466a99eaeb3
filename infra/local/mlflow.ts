import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { installTestPackages } from '../python/testPackages.ts';
import type { ChildProcess } from './processes/childProcess.ts';
import { freePort, localHost } from './processes/claimPort.ts';
import { startServerProcess } from './processes/serverProcess.ts';
import { answersOk } from './processes/untilReady.ts';

export interface MlflowServer extends ChildProcess {
  url: string;
  /** Folder of the programs of its Python, such as `python`. */
  programs: string;
}

/**
 * Starts an MLflow server that keeps its data in a folder. It ends with this process.
 * @throws UserError of one line if it does not get ready
 */
export async function startMlflow({
  dir,
  logDir,
  port = 0,
}: {
  /** Absolute path. Data that are there already are used. */
  dir: string;
  logDir: string;
  /** 0 or absent means a free port. */
  port?: number;
}): Promise<MlflowServer> {
  const programs = await installTestPackages();
  mkdirSync(dir, { recursive: true });
  const address = port === 0 ? await freePort() : port;
  const url = `http://${localHost}:${address}`;
  const child = await startServerProcess({
    name: 'MLflow',
    command: join(programs, 'python'),
    args: [
      ...['-m', 'mlflow', 'server', '--host', localHost, '--port', String(address)],
      ...['--workers', '1', '--backend-store-uri', `sqlite:///${join(dir, 'mlflow.db')}`],
      ...['--artifacts-destination', join(dir, 'artifacts')],
    ],
    // Jobs are background processes of its own, of a gigabyte of memory.
    env: { MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false', MLFLOW_DISABLE_TELEMETRY: 'true' },
    cwd: dir,
    logFile: join(logDir, 'mlflow.log'),
    dataFolder: dir,
    isReady: () => answersOk(`${url}/health`),
  });
  return { ...child, url, programs };
}
