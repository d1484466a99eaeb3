import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../../infra/local/claimPort.ts';
import { type ServiceProcess, startServiceProcess } from '../../infra/local/serviceProcesses.ts';
import type { ServiceName } from '../../infra/serviceFlow.ts';

export interface Fleet {
  services: readonly ServiceName[];
  /** Running replicas of a service, in the order of their start. */
  replicas(service: ServiceName): readonly ServiceProcess[];
  /** Resolves when every service has a replica that is ready. */
  whole(): Promise<void>;
  add(service: ServiceName): Promise<void>;
  /** Lets the latest replica leave in order. */
  remove(service: ServiceName): Promise<void>;
  /** How often a process ended by itself or was killed, and was started again. */
  restarts(): number;
  stop(): Promise<void>;
}

/** Replicas of services, each started again as soon as it ends, as an orchestrator would. */
export function startFleet(services: readonly ServiceName[], variables: Record<string, string>, folder: string): Fleet {
  const running = new Map<ServiceName, ServiceProcess[]>(services.map(service => [service, []]));
  const starting = new Set<Promise<void>>();
  let restarts = 0;
  let stopping = false;

  async function startOne(service: ServiceName): Promise<void> {
    while (!stopping) {
      const port = await freePort();
      try {
        const started = await startServiceProcess({
          name: service,
          script: new URL(`../../services/${service}/main.ts`, import.meta.url).pathname,
          env: { ...variables, DRIFTLOOP_HTTP_PORT: String(port) },
          logFile: join(folder, `${service}-${port}.log`),
          onExit: () => {
            const replicas = running.get(service)!;
            replicas.splice(replicas.indexOf(started), 1);
            startAgain(service);
          },
        });
        running.get(service)!.push(started);
        return;
      } catch {
        // It ended while a server was away: an orchestrator tries again after a moment.
        restarts++;
        await pause(500);
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
      while (services.some(service => running.get(service)!.length === 0)) await Promise.race(starting);
    },
    add: startOne,
    async remove(service) {
      const replicas = running.get(service)!;
      if (replicas.length > 1) await replicas.pop()!.stop();
    },
    restarts: () => restarts,
    async stop() {
      stopping = true;
      await Promise.all(starting);
      await Promise.all([...running.values()].flat().map(replica => replica.stop()));
    },
  };
}
