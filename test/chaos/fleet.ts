import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../infra/local/processes/claimPort.ts';
import {
  type ServiceProcess,
  serviceScript,
  startServiceProcess,
} from '../../infra/local/processes/serviceProcesses.ts';
import { logTail } from '../../infra/local/processes/untilReady.ts';
import type { ServiceName } from '../../services/shared/kafka/serviceFlow.ts';

export interface Fleet {
  services: readonly ServiceName[];
  /** Returns the running replicas of a service, the oldest first. */
  replicas(service: ServiceName): readonly ServiceProcess[];
  /** Resolves when every service has at least one replica that is ready. */
  whole(): Promise<void>;
  /** Starts another replica of a service and waits until it is ready. */
  add(service: ServiceName): Promise<void>;
  /** Stops the newest replica cleanly if the service has more than one. */
  remove(service: ServiceName): Promise<void>;
  /**
   * Returns how often a process was started again after it had exited, was killed or had failed to
   * start.
   */
  restarts(): number;
  /** Is aborted when a service cannot be started. The reason contains the last lines of its log. */
  broken: AbortSignal;
  stop(): Promise<void>;
}

/**
 * Maximum number of failed starts in a row. A server that is down explains one or two of them;
 * after more the service itself must be at fault.
 */
const maxFailedStarts = 5;
const pauseAfterFailureMs = 500;
const shownLogLines = 10;

/**
 * Creates a fleet of service replicas. It restarts each one as soon as it exits, as an orchestrator
 * does.
 */
export function startFleet(
  services: readonly ServiceName[],
  variables: Record<string, string>,
  folder: string,
): Fleet {
  const running = new Map<ServiceName, ServiceProcess[]>(services.map(service => [service, []]));
  const starting = new Set<Promise<void>>();
  const failedStarts = new Map<ServiceName, number>();
  const broken = new AbortController();
  let restarts = 0;
  let stopping = false;

  async function startOne(service: ServiceName): Promise<void> {
    while (!stopping && !broken.signal.aborted) {
      const port = await freePort();
      const logFile = join(folder, `${service}-${port}.log`);
      try {
        const started = await startServiceProcess({
          name: service,
          script: serviceScript(service),
          env: { ...variables, DRIFTLOOP_HTTP_PORT: String(port) },
          logFile,
          onExit: () => {
            const replicas = running.get(service)!;
            replicas.splice(replicas.indexOf(started), 1);
            startAgain(service);
          },
        });
        failedStarts.delete(service);
        running.get(service)!.push(started);
        return;
      } catch (error) {
        const failures = (failedStarts.get(service) ?? 0) + 1;
        failedStarts.set(service, failures);
        if (failures === maxFailedStarts) {
          const lastLines = logTail(logFile).trimEnd().split('\n').slice(-shownLogLines).join('\n');
          broken.abort(
            new Error(
              `${service} failed to start ${failures} times in a row: ${(error as Error).message}\n${lastLines}`,
            ),
          );
        }
        restarts++;
        await pause(pauseAfterFailureMs);
      }
    }
  }

  function startAgain(service: ServiceName): void {
    if (stopping) return;
    restarts++;
    const start = startOne(service).finally(() => starting.delete(start));
    starting.add(start);
  }

  return {
    services,
    replicas: service => running.get(service)!,
    async whole() {
      while (services.some(service => running.get(service)!.length === 0)) {
        broken.signal.throwIfAborted();
        await Promise.race(starting);
      }
    },
    async add(service) {
      await startOne(service);
      broken.signal.throwIfAborted();
    },
    async remove(service) {
      const replicas = running.get(service)!;
      if (replicas.length > 1) await replicas.pop()!.stop();
    },
    restarts: () => restarts,
    broken: broken.signal,
    async stop() {
      stopping = true;
      await Promise.all(starting);
      await Promise.all([...running.values()].flat().map(replica => replica.stop()));
    },
  };
}
