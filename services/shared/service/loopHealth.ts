/**
 * Time without progress after which the loop counts as stalled.
 *
 * It is longer than all that a healthy turn waits for without an answer of ClickHouse: a request to
 * ClickHouse that times out after 2 minutes and is repeated, a rebalance of 1 minute, and a request
 * to Kafka, which kafkajs gives up after 12 attempts of up to 35 s (7 minutes). So a loop that is
 * slow is not taken for one that hangs.
 */
const stallAfterMs = 10 * 60_000;

/**
 * Knows when the loop of a service last made progress: when a turn of it ended, or ClickHouse
 * answered a request. A turn alone does not tell, because judging a long history or training
 * several models may well take hours; it asks ClickHouse again and again meanwhile.
 *
 * Invariant: the time of the last progress never goes back.
 */
export class LoopHealth {
  readonly #now: () => number;
  #progressedAtMs: number;

  /** @param now wall clock, ms */
  constructor(now: () => number) {
    this.#now = now;
    this.#progressedAtMs = now();
  }

  /** Notes progress. */
  progressed(): void {
    this.#progressedAtMs = Math.max(this.#progressedAtMs, this.#now());
  }

  /** Returns the time since the last progress. */
  silentMs(): number {
    return Math.max(0, this.#now() - this.#progressedAtMs);
  }

  /**
   * Returns why the loop counts as stalled, or null.
   * @param longWorkMs time that the service may work without asking ClickHouse, such as while it
   * trains a model
   */
  stallReason(longWorkMs = 0): string | null {
    const silentMs = this.silentMs();
    if (silentMs <= stallAfterMs + longWorkMs) return null;
    return `the consumer loop has made no progress for ${Math.floor(silentMs / 1000)} s`;
  }
}
