import { join } from 'node:path';
import type { ServiceName } from '../../../services/shared/kafka/serviceFlow.ts';
import { startChildProcess } from './childProcess.ts';
import { localHost } from './claimPort.ts';
import { answersOk, untilReady } from './untilReady.ts';

export interface ServiceProcessOptions {
  /** How messages call it, such as "profiler". */
  name: string;
  /** TypeScript or JavaScript file that Node runs. */
  script: string;
  /** Added to this process's environment; DRIFTLOOP_HTTP_PORT says where it will answer /ready. */
  env: Record<string, string | undefined> & { DRIFTLOOP_HTTP_PORT: string };
  logFile: string;
  /** Called when it ends without stop(), with one line that says how. */
  onExit?: (line: string) => void;
}

export interface ServiceProcess {
  name: string;
  pid: number;
  /** Base of /live, /ready and /metrics. */
  healthUrl: string;
  logFile: string;
  /** SIGTERM, and SIGKILL if it is not gone in time. Resolves when it is gone. */
  stop(): Promise<void>;
  /** SIGKILL, as when its machine fails; on purpose, so `onExit` is not called. */
  kill(): void;
}

/** Returns the program of a service. */
export function serviceScript(name: ServiceName): string {
  return join(import.meta.dirname, '..', '..', '..', 'services', name, 'main.ts');
}

/**
 * Of the C library (glibc): few arenas, and freed memory goes back to the system at once. Node's buffers lie there; without, a profiler of
 * 1,000 models has a tenth more resident.
 */
export const allocation = {
  MALLOC_ARENA_MAX: '2',
  MALLOC_TRIM_THRESHOLD_: '131072',
  MALLOC_MMAP_THRESHOLD_: '131072',
};

/**
 * Starts a service as a process of its own and waits until it is ready. It ends with this process, however that ends.
 * @throws UserError of one line, with what its log says, when it does not get ready
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
    env: { ...allocation, ...env },
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
