import type { Logger } from 'pino';
import type { ServiceMetrics } from './metrics.ts';
import { type Partition, partitionKey } from './partitionStart.ts';

/** How far the loop is in a partition. */
export interface WatchedPartition extends Partition {
  /** Offset of the record that is expected next. */
  next: number;
}

export interface LagWatchOptions {
  /** Partitions that are read now. */
  reading: () => readonly WatchedPartition[];
  /** Asks Kafka for the offsets behind the last records, by `partitionKey`. */
  ends: (topics: readonly string[]) => Promise<ReadonlyMap<string, number>>;
  /** Whether the loop works on something, so that records may wait. */
  isBusy: () => boolean;
  /** Called when records wait although the loop does nothing. */
  onStuck: () => void;
  now?: () => number;
  log: Logger;
  metrics: ServiceMetrics;
}

const pollMs = 10_000;
/** Records that wait for longer than this, while the loop does nothing, will not come. */
const stuckAfterMs = 60_000;

/**
 * Asks Kafka how many records wait, beside the loop, so that the lag is also true while the loop
 * stands still. Notices when records wait and nothing is done about it, which no error tells.
 */
export class LagWatch {
  readonly #options: LagWatchOptions;
  readonly #now: () => number;
  /** Since when a partition has had records behind `next`, by `partitionKey`. */
  readonly #waiting = new Map<string, { next: number; sinceMs: number }>();
  #timer: NodeJS.Timeout | undefined;
  #isPolling = false;

  constructor(options: LagWatchOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  start(): void {
    this.#timer = setInterval(() => void this.poll(), pollMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async poll(): Promise<void> {
    const { reading, ends, log, metrics } = this.#options;
    const partitions = reading();
    if (this.#isPolling || partitions.length === 0) return;
    this.#isPolling = true;
    try {
      const found = await ends([...new Set(partitions.map(({ topic }) => topic))]);
      metrics.waits.answered('Kafka');
      this.#compare(found);
    } catch (error) {
      // The last known lag stays. The loop may wait for Kafka in a request that kafkajs repeats
      // without telling.
      metrics.waits.failed('Kafka', error);
      log.warn({ err: error }, 'Kafka does not say where its partitions end');
    } finally {
      this.#isPolling = false;
    }
  }

  /** Returns the reason why records wait although the loop does nothing, or null. */
  reason(): string | null {
    for (const [key, { sinceMs }] of this.#waiting) {
      const waitingMs = this.#now() - sinceMs;
      if (waitingMs > stuckAfterMs && !this.#options.isBusy())
        return `records of ${key} have waited for ${Math.floor(waitingMs / 1000)} s`;
    }
    return null;
  }

  #compare(ends: ReadonlyMap<string, number>): void {
    const { reading, isBusy, onStuck, log, metrics } = this.#options;
    const keys = new Set<string>();
    for (const { topic, partition, next } of reading()) {
      const key = partitionKey({ topic, partition });
      const end = ends.get(key);
      if (end === undefined) continue;
      metrics.lag.set({ topic, partition }, Math.max(0, end - next));
      if (end <= next) continue;
      keys.add(key);
      if (this.#waiting.get(key)?.next !== next)
        this.#waiting.set(key, { next, sinceMs: this.#now() });
    }
    for (const key of this.#waiting.keys()) if (!keys.has(key)) this.#waiting.delete(key);
    const reason = this.reason();
    if (reason === null || isBusy()) return;
    log.error(`${reason}, but none arrive; the partitions are read again from where they stand`);
    metrics.stuckPartitions.inc();
    this.#waiting.clear();
    onStuck();
  }
}
