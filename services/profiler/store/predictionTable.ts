import { anyOf } from '../../shared/clickhouse/anyOf.ts';
import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { VersionName } from '../../shared/versionKey.ts';
import type { FlagBlock } from '../blocks/flagBlock.ts';
import type { PredictionBlock } from '../blocks/predictionBlock.ts';
import type { ShadowBlock } from '../blocks/shadowBlock.ts';
import type { VersionProgress } from '../counting/versionState.ts';
import { versionPortions } from './versionQueries.ts';

/** A prediction whose id was counted. */
export interface CountedPrediction extends VersionName {
  id: string;
  timeMs: number;
}

/** The tables predictions, shadow_predictions and flags. */
export class PredictionTable {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  /**
   * Gives the predictions whose ids the versions have to remember at their progress to `take`, one
   * by one because there may be a million for each version. After an error in between it begins
   * again with the first.
   */
  async eachCounted(
    versions: readonly (VersionName & VersionProgress)[],
    partition: number,
    take: (prediction: CountedPrediction) => void,
  ): Promise<void> {
    for (const portion of versionPortions(versions)) {
      const counted = anyOf(
        portion,
        ({ model, version, deduplicatedFromMs, lastOffset }, value) => {
          const fromMs = value('Int64', Math.max(0, deduplicatedFromMs));
          return `model = ${value('String', model)} AND version = ${value('String', version)}
             AND event_time >= fromUnixTimestamp64Milli(${fromMs})
             AND source_offset <= ${value('UInt64', lastOffset)}`;
        },
      );
      await this.#clickhouse.selectEach<CountedPrediction>(
        `SELECT model, version, id, toUnixTimestamp64Milli(event_time) AS timeMs FROM predictions
         WHERE source_partition = {partition:Int32} AND ${counted.sql}`,
        { partition, ...counted.parameters },
        take,
      );
    }
  }

  insert(rows: PredictionBlock): Promise<void> {
    return this.#clickhouse.insertBlock('predictions', rows);
  }

  insertShadows(rows: ShadowBlock): Promise<void> {
    return this.#clickhouse.insertBlock('shadow_predictions', rows);
  }

  insertFlags(rows: FlagBlock): Promise<void> {
    return this.#clickhouse.insertBlock('flags', rows);
  }
}
