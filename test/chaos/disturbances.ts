import { setTimeout as pause } from 'node:timers/promises';
import type { ArtifactsDisk } from './artifactsDisk.ts';
import type { Fault, FaultProxy } from './faultProxy.ts';
import type { Fleet } from './fleet.ts';
import type { ServerName, Servers } from './servers.ts';

const mostReplicas = 3;

/** How often each comes in a round. Every round has all of them, in an order of its own. */
const timesPerRound = {
  'SIGKILL of a service': 4,
  'SIGSTOP of a service': 3,
  'replica more or less': 3,
  'kafka killed': 1,
  'kafka silent': 1,
  'clickhouse killed': 2,
  'clickhouse silent': 1,
  'clickhouse unavailable': 1,
  'clickhouse exceptions': 1,
  'clickhouse slow': 1,
  'clickhouse inserts cut off': 2,
  'clickhouse answers lost': 2,
  'clickhouse answers cut off': 1,
  'registry killed': 1,
  'registry unavailable': 1,
  'registry slow': 1,
  'partitions added': 1,
  'disk of the artifacts full': 1,
};

export type Disturbance = keyof typeof timesPerRound;

export const everyDisturbance: readonly Disturbance[] = Object.entries(timesPerRound).flatMap(
  ([name, times]) => Array<Disturbance>(times).fill(name as Disturbance),
);

/** Does harm at random, and undoes what would otherwise stay. */
export interface Disturber {
  /** One disturbance. @returns what it was, more exactly */
  disturb(): Promise<string>;
  /** Everything runs again: stopped processes go on, servers are up, each service has a replica. */
  calm(): Promise<void>;
}

export interface Disturbed {
  fleet: Fleet;
  servers: Servers;
  proxies: { clickhouse: FaultProxy; registry: FaultProxy };
  artifacts: ArtifactsDisk;
  /** Adds a partition to predictions. */
  addPartition(): Promise<void>;
  /** Asks for a training and waits until its run has ended. */
  train(id: string): Promise<void>;
}

/**
 * @param round what comes, in any order, before anything comes again
 * @param random chooses the order, whom and how long
 * @param sessionTimeoutMs of the services: a process that rests longer loses its partitions and
 *   wakes as a zombie
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
    const grow =
      fleet.replicas(service).length < 2 ||
      (fleet.replicas(service).length < mostReplicas && coin < 0.5);
    await (grow ? fleet.add(service) : fleet.remove(service));
    return grow ? `another ${service}` : `one ${service} less`;
  }

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

  /** @returns null when nobody asked the server meanwhile, so that nothing was harmed */
  async function harm(server: keyof typeof proxies, fault: Fault): Promise<string | null> {
    const requests = await proxies[server].harm(fault, 3 + Math.floor(random() * 6), 4_000);
    return requests > 0 ? '' : null;
  }

  /**
   * A training that finds no room has to say so; one that is asked for afterwards has to come
   * about.
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
   * Each says what it was where that is more exact than the disturbance, else ''; null when nothing
   * was disturbed.
   */
  const does: Record<Disturbance, () => Promise<string | null>> = {
    'SIGKILL of a service': killService,
    'SIGSTOP of a service': freezeService,
    'replica more or less': changeReplicas,
    'kafka killed': () => killServer('kafka'),
    'kafka silent': () => freezeServer('kafka'),
    'clickhouse killed': () => killServer('clickhouse'),
    'clickhouse silent': () => freezeServer('clickhouse'),
    'clickhouse unavailable': () => harm('clickhouse', 'unavailable'),
    'clickhouse exceptions': () => harm('clickhouse', 'exception'),
    'clickhouse slow': () => harm('clickhouse', 'slow'),
    'clickhouse inserts cut off': () => harm('clickhouse', 'cut request'),
    'clickhouse answers lost': () => harm('clickhouse', 'lost answer'),
    'clickhouse answers cut off': () => harm('clickhouse', 'cut answer'),
    'registry killed': () => killServer('registry'),
    'registry unavailable': () => harm('registry', 'unavailable'),
    'registry slow': () => harm('registry', 'slow'),
    'partitions added': async () => {
      await addPartition();
      return '';
    },
    'disk of the artifacts full': fillDisk,
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
      const what = await does[disturbance]();
      return what === null ? `not done: ${disturbance}` : what || disturbance;
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
    // It has ended meanwhile, and another took its place.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
