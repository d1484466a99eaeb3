import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import type { Settings } from '../../../shared/config/settings.ts';
import type { Feedback } from '../../../shared/contracts.ts';
import type { VersionName } from '../../../shared/versionKey.ts';

export interface FeedbackWindows {
  /** Windows of the stored predictions that the feedback is about. */
  windows: (VersionName & { startMs: number })[];
  /** Number of ids that have a stored prediction. */
  ids: number;
}

/**
 * Finds the windows that feedback is about. ClickHouse counts the ids, so the answer stays short.
 */
export async function windowsOfFeedback(
  clickhouse: Clickhouse,
  feedback: readonly Feedback[],
  settings: Settings,
): Promise<FeedbackWindows> {
  const unnamed = feedback.filter(({ model }) => model === null);
  const named = feedback.filter(({ model }) => model !== null);
  const conditions = [
    ...(unnamed.length > 0 ? ['id IN ({ids:Array(String)})'] : []),
    ...(named.length > 0
      ? ['(id, model) IN arrayZip({namedIds:Array(String)}, {namedModels:Array(String)})']
      : []),
  ];
  const { configuredModels } = settings;
  const rows = await clickhouse.select<
    VersionName & { start_ms: number; ids: number; is_total: number }
  >(
    `SELECT model, version, start_ms, uniqExact(id) AS ids, grouping(model) AS is_total
     FROM
     (
         SELECT id, model, version,
                transform(toString(model),
                          {models:Array(String)}, {sizes:Array(Int64)}, {size:Int64}) AS window_ms,
                intDiv(toUnixTimestamp64Milli(event_time), window_ms) * window_ms AS start_ms
         FROM prediction_ids WHERE ${conditions.join(' OR ')}
     )
     GROUP BY GROUPING SETS ((model, version, start_ms), ())
     SETTINGS force_grouping_standard_compatibility = 1`,
    {
      ids: unnamed.map(({ id }) => id),
      namedIds: named.map(({ id }) => id),
      namedModels: named.map(({ model }) => model),
      models: configuredModels,
      sizes: configuredModels.map(model => settings.of(model).windowSizeMs),
      // The window size of every model that is not configured.
      size: settings.of('').windowSizeMs,
    },
  );
  return {
    windows: rows
      .filter(row => row.is_total === 0)
      .map(({ model, version, start_ms }) => ({ model, version, startMs: start_ms })),
    ids: rows.find(row => row.is_total === 1)?.ids ?? 0,
  };
}
