import type { Clickhouse } from '../clickhouse/clickhouse.ts';
import { isClickhouseError } from '../clickhouse/clickhouseErrors.ts';

/** Asks ClickHouse whether the tables of Driftloop have been created. */
export class TablesStore {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  async exist(): Promise<boolean> {
    try {
      const [row] = await this.#clickhouse.select<{ tables: number }>(
        `SELECT count() AS tables FROM system.tables
         WHERE database = currentDatabase() AND name = 'topic_positions'`,
      );
      return row!.tables > 0;
    } catch (error) {
      if (isClickhouseError(error, ['UNKNOWN_DATABASE'])) return false;
      throw error;
    }
  }
}
