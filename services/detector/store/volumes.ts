import { anyOf } from '../../shared/clickhouse/anyOf.ts';
import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import { msOf, timeOf } from './sqlTime.ts';
import type { WindowRange } from './windowRange.ts';

/** The windows of all versions of a model. */
export type VolumeRange = Omit<WindowRange, 'version'>;

export function volumes(clickhouse: Clickhouse) {
  return {
    /**
     * Reads how many predictions the windows of some models have, of all their versions together,
     * by model and by start. Windows of less than an hour are added up to hours. A window without
     * predictions has no entry.
     */
    async volumes(ranges: readonly VolumeRange[]): Promise<Map<string, Map<number, number>>> {
      const { sql, parameters } = anyOf(
        ranges,
        ({ model, fromMs, toMs, windowSizeMs }, value) =>
          `model = ${value('String', model)}
           AND window_start >= ${timeOf(value('Int64', fromMs))}
           AND window_start <= ${timeOf(value('Int64', toMs))}
           AND ${msOf('window_end')} - ${msOf('window_start')} = ${value('Int64', windowSizeMs)}`,
      );
      const unit = `greatest(3600000, ${msOf('window_end')} - ${msOf('window_start')})`;
      const rows = await clickhouse.select<{ model: string; startMs: number; records: number }>(
        `SELECT model, min(${msOf('window_start')}) AS startMs, sum(count) AS records
         FROM window_profiles FINAL
         WHERE (${sql}) AND segment = '' AND kind = 'output' AND feature = 'prediction'
         GROUP BY model, intDiv(${msOf('window_start')}, ${unit})`,
        parameters,
      );
      const byModel = Map.groupBy(rows, ({ model }) => model);
      return new Map(
        [...byModel].map(([model, ofModel]) => [
          model,
          new Map(ofModel.map(({ startMs, records }) => [startMs, records])),
        ]),
      );
    },
  };
}
