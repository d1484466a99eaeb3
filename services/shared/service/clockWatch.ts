import type { Logger } from 'pino';
import type { Gauge } from 'prom-client';
import type { KafkaRecord } from '../kafka/kafka.ts';

export interface ClockWatchOptions {
  /** Asks ClickHouse for its clock, ms. */
  serverNowMs: () => Promise<number>;
  log: Logger;
  /** Shows the difference in seconds. */
  gauge: Pick<Gauge, 'set'>;
  now?: () => number;
}

const pollMs = 60_000;
/** Two clocks that differ by less are taken for the same. */
const maxDifferenceMs = 60_000;
/** Fewer records say nothing about the clock. */
const minRecords = 20;

/**
 * Compares the clock of this machine with ClickHouse's and with the timestamps of records in Kafka.
 * A wrong clock would refuse good records because their time seems to lie in the future.
 */
export class ClockWatch {
  readonly #options: ClockWatchOptions;
  readonly #now: () => number;
  /** ClickHouse's clock minus this one. */
  #aheadMs = 0;
  /** Least that the timestamps of records were ahead of this clock since the last poll. */
  #recordsAheadMs = Number.POSITIVE_INFINITY;
  #records = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ClockWatchOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Compares now and then every minute. Waits for a ClickHouse that is away. */
  async start(): Promise<void> {
    await this.poll();
    this.#timer = setInterval(
      () => this.poll().catch(error => this.#options.log.warn({ err: error }, 'no clock')),
      pollMs,
    );
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /**
   * Returns the wall clock, ms, for telling whether a time lies in the future. When the two clocks
   * differ it is the later one, because a record that is refused is worse than one that is early.
   */
  nowMs(): number {
    return this.#now() + (this.#aheadMs > maxDifferenceMs ? this.#aheadMs : 0);
  }

  /** Notes the timestamps that producers or the broker gave to records. */
  noteRecords(records: readonly KafkaRecord[]): void {
    const nowMs = this.#now();
    this.#records += records.length;
    for (const { timestampMs } of records)
      this.#recordsAheadMs = Math.min(this.#recordsAheadMs, timestampMs - nowMs);
  }

  /** Returns what is wrong with the clock, or null. */
  reason(): string | null {
    if (Math.abs(this.#aheadMs) <= maxDifferenceMs) return null;
    const direction = this.#aheadMs > 0 ? 'behind' : 'ahead of';
    return `the clock of this machine is ${seconds(this.#aheadMs)} s ${direction} that of ClickHouse`;
  }

  async poll(): Promise<void> {
    const { serverNowMs, gauge, log } = this.#options;
    const askedAtMs = this.#now();
    const serverMs = await serverNowMs();
    const answeredAtMs = this.#now();
    // The server read its clock at some time between.
    if (serverMs > answeredAtMs) this.#aheadMs = serverMs - answeredAtMs;
    else this.#aheadMs = Math.min(0, serverMs - askedAtMs);
    gauge.set(this.#aheadMs / 1000);
    const reason = this.reason();
    if (reason !== null) log.error(`${reason}; set the clocks`);
    else if (this.#records >= minRecords && this.#recordsAheadMs > maxDifferenceMs) {
      log.warn(
        `all ${this.#records} records of the last minute are stamped at least ${seconds(this.#recordsAheadMs)} s ahead of the clock of this machine: it or that of the producers is wrong`,
      );
    }
    this.#records = 0;
    this.#recordsAheadMs = Number.POSITIVE_INFINITY;
  }
}

function seconds(ms: number): number {
  return Math.round(Math.abs(ms) / 1000);
}
