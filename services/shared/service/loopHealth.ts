/**
 * Time without progress after which the loop counts as stalled.
 *
 * A healthy turn waits for less without an answer of ClickHouse. While a server is away it waits
 * for longer, but then it is true that the service is not ready.
 */
const stallAfterMs = 2 * 60_000;

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

  /** @param now a clock that nobody sets, ms */
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
