import { setTimeout as pause } from 'node:timers/promises';
import type { ArtifactsDisk } from './artifactsDisk.ts';
import type { Fault, FaultProxy } from './faultProxy.ts';
import type { Fleet } from './fleet.ts';
import type { ServerName, Servers } from './servers.ts';

const maxReplicas = 3;

/**
 * How often each disturbance occurs in a round. Every round contains all of them, in a random
 * order.
 */
const timesPerRound = {
  'SIGKILL of a service': 4,
  'SIGSTOP of a service': 3,
  'replica added or removed': 3,
  'kafka killed': 1,
  'kafka frozen': 1,
  'clickhouse killed': 2,
  'clickhouse frozen': 1,
  'clickhouse unavailable': 1,
  'clickhouse exceptions': 1,
  'clickhouse slow': 1,
  'clickhouse silent': 1,
  'clickhouse inserts cut off': 2,
  'clickhouse responses lost': 2,
  'clickhouse responses cut off': 1,
  'registry killed': 1,
  'registry unavailable': 1,
  'registry slow': 1,
  'registry answers garbage': 1,
  'registry silent': 1,
  'partition added': 1,
  'artifacts disk full': 1,
};

export type Disturbance = keyof typeof timesPerRound;

export const everyDisturbance: readonly Disturbance[] = Object.entries(timesPerRound).flatMap(
  ([name, times]) => Array<Disturbance>(times).fill(name as Disturbance),
);

/** Disturbs services and servers at random, and undoes what would otherwise last. */
export interface Disturber {
  /**
   * Carries out the next disturbance.
   * @returns a description of what was done
   */
  disturb(): Promise<string>;
  /**
   * Waits until everything runs again: frozen processes continue, servers are up, and each service
   * has a replica.
   */
  calm(): Promise<void>;
}

/** What a disturber acts on. */
export interface Disturbed {
  fleet: Fleet;
  servers: Servers;
  proxies: { clickhouse: FaultProxy; registry: FaultProxy };
  artifacts: ArtifactsDisk;
  /** Adds a partition to the topic `predictions`. */
  addPartition(): Promise<void>;
  /** Requests a training and waits until its run has ended. */
  train(id: string): Promise<void>;
}

/**
 * Creates a disturber, which carries out all disturbances of a round before any of the next round.
 * @param round disturbances of a round, in any order
 * @param random chooses the order, the victims and the durations
 * @param sessionTimeoutMs session timeout of the services. A process that is frozen for longer
 *   loses its partitions, and is a zombie when it continues.
 */
export function createDisturber(
  { fleet, servers, proxies, artifacts, addPartition, train }: Disturbed,
  round: readonly Disturbance[],
  random: () => number,
  sessionTimeoutMs: number,
): Disturber {
  const pending = new Set<Promise<void>>();
  const upcoming: Disturbance[] = [];
  let fills = 0;
  const any = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;

  async function anyReplica(): Promise<{ pid: number; name: string }> {
    await fleet.whole();
    return any(fleet.replicas(any(fleet.services)));
  }

  /** Undoes a disturbance after a while. Other disturbances go on meanwhile. */
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
    // Draw the number in any case, so that the sequence depends on the seed alone, not on which
    // replicas are alive now.
    const coin = random();
    const grow =
      fleet.replicas(service).length < 2 ||
      (fleet.replicas(service).length < maxReplicas && coin < 0.5);
    await (grow ? fleet.add(service) : fleet.remove(service));
    return grow ? `${service} replica added` : `${service} replica removed`;
  }

  /** Kills a server after all frozen processes continue, and restarts it within a second. */
  async function killServer(name: ServerName): Promise<string> {
    await Promise.all(pending);
    await servers.kill(name);
    await pause(random() * 1_000);
    await servers.restart(name);
    return '';
  }

  async function freezeServer(name: ServerName): Promise<string> {
    const pid = servers.pid(name);
    signal(pid, 'SIGSTOP');
    await pause(500 + random() * 1_500);
    signal(pid, 'SIGCONT');
    return '';
  }

  /**
   * Makes a proxy disturb the next requests to a server.
   * @returns null if the server received no request meanwhile, so that none was disturbed
   */
  async function harm(server: keyof typeof proxies, fault: Fault): Promise<string | null> {
    const requests = await proxies[server].harm(fault, 3 + Math.floor(random() * 6), 4_000);
    return requests > 0 ? '' : null;
  }

  /**
   * Requests a training while the disk is full, which must fail with that reason, and another one
   * after the disk was freed, which must succeed.
   */
  async function fillDisk(): Promise<string | null> {
    if (artifacts.obstacle !== null) return null;
    const number = ++fills;
    artifacts.fill();
    try {
      await train(`full-disk-${number}`);
    } finally {
      await artifacts.free();
    }
    await train(`free-disk-${number}`);
    return '';
  }

  /**
   * Actions by the name of their disturbance. Each returns a description if that is more precise
   * than the name, else ''; null if nothing was disturbed.
   */
  const actions: Record<Disturbance, () => Promise<string | null>> = {
    'SIGKILL of a service': killService,
    'SIGSTOP of a service': freezeService,
    'replica added or removed': changeReplicas,
    'kafka killed': () => killServer('kafka'),
    'kafka frozen': () => freezeServer('kafka'),
    'clickhouse killed': () => killServer('clickhouse'),
    'clickhouse frozen': () => freezeServer('clickhouse'),
    'clickhouse unavailable': () => harm('clickhouse', 'unavailable'),
    'clickhouse exceptions': () => harm('clickhouse', 'exception'),
    'clickhouse slow': () => harm('clickhouse', 'slow'),
    'clickhouse silent': () => harm('clickhouse', 'silence'),
    'clickhouse inserts cut off': () => harm('clickhouse', 'cut request'),
    'clickhouse responses lost': () => harm('clickhouse', 'lost response'),
    'clickhouse responses cut off': () => harm('clickhouse', 'cut response'),
    'registry killed': () => killServer('registry'),
    'registry unavailable': () => harm('registry', 'unavailable'),
    'registry slow': () => harm('registry', 'slow'),
    'registry answers garbage': () => harm('registry', 'garbage'),
    'registry silent': () => harm('registry', 'silence'),
    'partition added': async () => {
      await addPartition();
      return '';
    },
    'artifacts disk full': fillDisk,
  };

  function draw(): Disturbance {
    if (upcoming.length === 0) {
      const order = round.map(disturbance => ({ disturbance, position: random() }));
      upcoming.push(
        ...order.sort((a, b) => a.position - b.position).map(({ disturbance }) => disturbance),
      );
    }
    return upcoming.shift()!;
  }

  return {
    async disturb() {
      const disturbance = draw();
      const what = await actions[disturbance]();
      return what === null ? `not possible: ${disturbance}` : what || disturbance;
    },
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
    // The process has ended meanwhile, and another one took its place.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
