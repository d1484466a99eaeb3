import { Gauge, type Registry } from 'prom-client';

/** Servers that a service may have to wait for. */
export const awaitedServers = [
  'Kafka',
  'ClickHouse',
  'the schema registry',
  'the store of artifacts',
  'MLflow',
] as const;
export type AwaitedServer = (typeof awaitedServers)[number];

/** A shorter wait is not worth telling: one request failed, and the next one succeeds. */
const toldAfterMs = 5_000;

interface Wait {
  sinceMs: number;
  reason: string;
}

/**
 * Knows which servers the service waits for, because their requests fail and are repeated. Shows it
 * as gauges.
 */
export class Waits {
  readonly #now: () => number;
  readonly #waits = new Map<AwaitedServer, Wait>();

  constructor(registers: Registry[], now: () => number = () => performance.now()) {
    this.#now = now;
    const waits = this;
    new Gauge({
      name: 'driftloop_waiting_seconds',
      help: 'Time for which requests to a server have been failing and are repeated, by server',
      labelNames: ['server'],
      registers,
      collect() {
        for (const server of awaitedServers) this.set({ server }, waits.#lastingMs(server) / 1000);
      },
    });
  }

  /**
   * Notes that a request has failed and will be repeated.
   * @param waitedMs time that this request had waited for an answer
   */
  failed(server: AwaitedServer, error: unknown, waitedMs = 0): void {
    const reason = error instanceof Error ? error.message : String(error);
    const sinceMs = this.#waits.get(server)?.sinceMs ?? this.#now() - waitedMs;
    this.#waits.set(server, { sinceMs, reason });
  }

  answered(server: AwaitedServer): void {
    this.#waits.delete(server);
  }

  /** Notes that what was waiting has gone on. */
  clear(): void {
    this.#waits.clear();
  }

  /** Returns what the service waits for, or null. */
  reason(afterMs = toldAfterMs): string | null {
    for (const [server, { reason }] of this.#waits) {
      const lastingMs = this.#lastingMs(server);
      if (lastingMs >= afterMs)
        return `waiting for ${server} for ${Math.floor(lastingMs / 1000)} s: ${reason}`;
    }
    return null;
  }

  #lastingMs(server: AwaitedServer): number {
    const wait = this.#waits.get(server);
    return wait ? Math.max(0, this.#now() - wait.sinceMs) : 0;
  }
}
