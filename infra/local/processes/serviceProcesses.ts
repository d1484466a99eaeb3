import { join } from 'node:path';
import type { ServiceName } from '../../../services/shared/kafka/serviceFlow.ts';
import { startChildProcess } from './childProcess.ts';
import { localHost } from './claimPort.ts';
import { answersOk, untilReady } from './untilReady.ts';

export interface ServiceProcessOptions {
  /** Name of the process in messages, such as "profiler". */
  name: string;
  /** TypeScript or JavaScript file that Node runs. */
  script: string;
  /** Added to the environment of this process. DRIFTLOOP_HTTP_PORT is where it answers /ready. */
  env: Record<string, string | undefined> & { DRIFTLOOP_HTTP_PORT: string };
  logFile: string;
  /** Called with one line when the process ends without stop() or kill(). */
  onExit?: (line: string) => void;
}

export interface ServiceProcess {
  name: string;
  pid: number;
  /** Base URL of /live, /ready and /metrics. */
  healthUrl: string;
  logFile: string;
  /** Sends SIGTERM, and SIGKILL if the process is not gone in time. Resolves when it is gone. */
  stop(): Promise<void>;
  /** Sends SIGKILL, as if the machine failed. `onExit` is not called. */
  kill(): void;
}

/** Returns the program of a service. */
export function serviceScript(name: ServiceName): string {
  return join(import.meta.dirname, '..', '..', '..', 'services', name, 'main.ts');
}

/**
 * Settings of the C library (glibc), which holds Node's buffers: few arenas, and freed memory goes
 * back to the system at once. Without them a profiler of 1,000 models has 10 % more resident
 * memory.
 */
export const allocation = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '131072',
};

/**
 * Folder in which Node keeps compiled code, TypeScript too. A service that starts again needs a
 * fifth less processor time until it is ready.
 */
const compiledCode = join(import.meta.dirname, '..', '..', '..', '.driftloop', 'compiled');

/**
 * Starts a service as a process and waits until it is ready. It ends with this process, however
 * that one ends.
 * @throws UserError of one line, with the error in its log, if it does not get ready
 */
export async function startServiceProcess({
  name,
  script,
  env,
  logFile,
  onExit,
}: ServiceProcessOptions): Promise<ServiceProcess> {
  const child = startChildProcess({
    name,
    command: process.execPath,
    args: [script],
    env: { NODE_COMPILE_CACHE: compiledCode, ...allocation, ...env },
    logFile,
  });
  const healthUrl = `http://${localHost}:${env.DRIFTLOOP_HTTP_PORT}`;
  try {
    await untilReady(child, () => answersOk(`${healthUrl}/ready`));
  } catch (error) {
    await child.stop();
    throw error;
  }

  let stopping = false;
  child.exited.then(how => {
    if (!stopping) onExit?.(`${name} ${how} (log: ${logFile})`);
  });
  const stop = async () => {
    stopping = true;
    await child.stop();
  };
  const kill = () => {
    stopping = true;
    process.kill(child.pid, 'SIGKILL');
  };
  return { name, pid: child.pid, healthUrl, logFile, stop, kill };
}
