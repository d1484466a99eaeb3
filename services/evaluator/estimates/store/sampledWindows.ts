import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import type { VersionName } from '../../../shared/versionKey.ts';
import { finalSetting, isInWindows, windowStartOf } from '../../windows/conditions.ts';
import type { VersionWindows } from '../../windows/versionWindows.ts';
import type { PredictedNumber } from '../quality/lossCalibration.ts';
import { rowsByWindow, type WindowName } from './rowsByWindow.ts';
import { featuresOf, type StoredFeatures } from './storedFeatures.ts';

/**
 * Predictions of a window that are read. If there are more, those with the lowest hash of their id
 * are.
 */
export const maxSampledRecords = 2_000;

/** The predictions of a window of a regression. */
export interface SampledWindow extends WindowName {
  /** Number of finite predictions. */
  records: number;
  /** All of them, or those that were drawn. */
  sample: PredictedNumber[];
  /** Weights of the records in the sample; absent if all records of the window have a weight of 1. */
  weights?: number[] | undefined;
}

interface StoredNumber extends StoredFeatures, VersionName {
  start_ms: number;
  records: number;
  predicted: number;
  weight: number;
  is_weighted: number;
}

/**
 * Reads predictions of windows with their features. A window without finite predictions is absent.
 */
export async function sampledWindows(
  clickhouse: Clickhouse,
  windows: readonly VersionWindows[],
  windowSizeMs: number,
): Promise<SampledWindow[]> {
  const { sql, parameters } = isInWindows(windows, 'event_time', windowSizeMs);
  const rows = await clickhouse.select<StoredNumber>(
    `SELECT p.model AS model, p.version AS version, c.start_ms AS start_ms,
            c.records AS records, c.predicted AS predicted,
            c.weight AS weight, c.is_weighted AS is_weighted,
            p.numeric_features AS numbers, p.categorical_features AS texts
     FROM
     (
         SELECT model, version, event_time, id, numeric_features, categorical_features
         FROM predictions FINAL WHERE ${sql}
     ) AS p
     INNER JOIN
     (
         SELECT model, version, event_time, id, assumeNotNull(prediction_value) AS predicted,
                weight, max(weight != 1) OVER (PARTITION BY model, version, start_ms) AS is_weighted,
                ${windowStartOf('toUnixTimestamp64Milli(event_time)')} AS start_ms,
                count() OVER (PARTITION BY model, version, start_ms) AS records
         FROM predictions FINAL WHERE ${sql} AND ifNull(isFinite(prediction_value), 0)
         ORDER BY sipHash64(id), id, event_time
         LIMIT ${maxSampledRecords} BY model, version, start_ms
     ) AS c ON c.model = p.model AND c.version = p.version
           AND c.event_time = p.event_time AND c.id = p.id
     ORDER BY model, version, start_ms, c.event_time, c.id
     SETTINGS ${finalSetting}`,
    { ...parameters, windowSizeMs },
  );
  return rowsByWindow(rows).map(({ window, rows: ofWindow }) => ({
    ...window,
    records: ofWindow[0]!.records,
    sample: ofWindow.map(row => ({ predicted: row.predicted, features: featuresOf(row) })),
    weights: ofWindow[0]!.is_weighted ? ofWindow.map(({ weight }) => weight) : undefined,
  }));
}
