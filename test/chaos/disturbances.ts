import { setTimeout as pause } from 'node:timers/promises';
import type { Fleet } from './fleet.ts';
import type { ServerName, Servers } from './servers.ts';

const mostReplicas = 3;

/** Does harm at random, and undoes what would otherwise stay. */
export interface Disturber {
  /** One disturbance. @returns what it was */
  disturb(): Promise<string>;
  /** Everything runs again: stopped processes go on, servers are up, each service has a replica. */
  calm(): Promise<void>;
}

/**
 * @param random chooses what, whom and how long
 * @param sessionTimeoutMs of the services: a process that rests longer loses its partitions and wakes as a zombie
 */
export function createDisturber(
  fleet: Fleet,
  servers: Servers,
  random: () => number,
  sessionTimeoutMs: number,
): Disturber {
  const pending = new Set<Promise<void>>();
  const any = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;

  async function anyReplica(): Promise<{ pid: number; name: string }> {
    await fleet.whole();
    return any(fleet.replicas(any(fleet.services)));
  }

  /** Undoes a disturbance later, while others go on. */
  function later(afterMs: number, undo: () => Promise<void> | void): void {
    const done = pause(afterMs)
      .then(undo)
      .finally(() => pending.delete(done));
    pending.add(done);
  }

  async function killService(): Promise<string> {
    const victim = await anyReplica();
    signal(victim.pid, 'SIGKILL');
    return `SIGKILL of a ${victim.name}`;
  }

  async function freezeService(): Promise<string> {
    const victim = await anyReplica();
    signal(victim.pid, 'SIGSTOP');
    later(sessionTimeoutMs * (0.5 + 1.5 * random()), () => signal(victim.pid, 'SIGCONT'));
    return `SIGSTOP of a ${victim.name}`;
  }

  async function changeReplicas(): Promise<string> {
    const service = any(fleet.services);
    // Drawn in any case, so that the seed decides what comes next, whoever is alive now.
    const coin = random();
    const grow = fleet.replicas(service).length < 2 || (fleet.replicas(service).length < mostReplicas && coin < 0.5);
    await (grow ? fleet.add(service) : fleet.remove(service));
    return grow ? `another ${service}` : `one ${service} less`;
  }

  async function killServer(name: ServerName): Promise<string> {
    await Promise.all(pending);
    await servers.kill(name);
    await pause(random() * 1_000);
    await servers.restart(name);
    return `SIGKILL of ${name}`;
  }

  async function freezeServer(name: ServerName): Promise<string> {
    const pid = servers.pid(name);
    signal(pid, 'SIGSTOP');
    await pause(500 + random() * 1_500);
    signal(pid, 'SIGCONT');
    return `${name} silent`;
  }

  const disturbances: readonly [weight: number, () => Promise<string>][] = [
    [4, killService],
    [3, freezeService],
    [3, changeReplicas],
    [1, () => killServer('kafka')],
    [2, () => killServer('clickhouse')],
    [1, () => killServer('registry')],
    [1, () => freezeServer('clickhouse')],
    [1, () => freezeServer('kafka')],
  ];
  const weighted = disturbances.flatMap(([weight, disturbance]) => Array<typeof disturbance>(weight).fill(disturbance));

  return {
    disturb: async () => any(weighted)(),
    async calm() {
      await Promise.all(pending);
      await fleet.whole();
    },
  };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    // It has ended meanwhile, and another took its place.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
