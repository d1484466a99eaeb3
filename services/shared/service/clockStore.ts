import type { Clickhouse } from '../clickhouse/clickhouse.ts';

/** Asks ClickHouse for its clock. */
export class ClockStore {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  /** Returns the wall clock of the server, ms. */
  async nowMs(): Promise<number> {
    const [row] = await this.#clickhouse.select<{ nowMs: number }>(
      'SELECT toUnixTimestamp64Milli(now64(3)) AS nowMs',
    );
    return row!.nowMs;
  }
}
