import { type Clickhouse, clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import type { ModelAlias } from '../../shared/contracts.ts';

/** The table model_aliases. */
export class ModelAliasTable {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  async insert(aliases: readonly ModelAlias[]): Promise<void> {
    await this.#clickhouse.insert(
      'model_aliases',
      aliases.map(({ model, alias, version, sequence, requestId, changedBy, note, time }) => ({
        model,
        alias,
        version: version ?? '',
        sequence,
        request_id: requestId,
        changed_by: changedBy,
        note,
        since: clickhouseTime(time),
      })),
    );
  }
}
