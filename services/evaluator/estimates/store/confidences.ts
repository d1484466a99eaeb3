import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import { classNames } from '../../../shared/output/comparedOutput.ts';
import { FINEST_MANTISSA_BITS } from '../../../shared/profile/bucketKey.ts';
import {
  addToBucket,
  emptyNumericHistogram,
  type NumericHistogram,
} from '../../../shared/profile/numericHistogram.ts';
import { type VersionName, versionKey } from '../../../shared/versionKey.ts';
import { finalSetting, isInWindows, windowStartOf } from '../../windows/conditions.ts';
import type { VersionWindows } from '../../windows/versionWindows.ts';
import type { EstimatedVersion } from '../quality/windowEstimates.ts';
import { windowKey } from './rowsByWindow.ts';

/** Confidences of a window's predictions, by predicted class. */
export type Confidences = ReadonlyMap<string, NumericHistogram>;

/** Holds for predictions that have a usable probability of the predicted class. */
export const isConfident = `mapContains(probabilities, prediction)
  AND isFinite(probabilities[prediction]) AND probabilities[prediction] >= 0`;

/**
 * Mantissa bits of the buckets in which ClickHouse counts confidences. Their width does not matter.
 */
const mantissaBits = 10;
/** Bits of a float64 that its bucket leaves out. */
const omittedBits = 32 + FINEST_MANTISSA_BITS - mantissaBits;

interface StoredConfidences extends VersionName {
  start_ms: number;
  prediction: string;
  keys: number[];
  counts: number[];
}

/** Counts the probabilities of the predicted classes in each window, by `windowKey`. */
export async function confidencesOf(
  clickhouse: Clickhouse,
  windows: readonly (VersionWindows & EstimatedVersion)[],
  windowSizeMs: number,
): Promise<Map<string, Confidences>> {
  const { sql, parameters } = isInWindows(windows, 'event_time', windowSizeMs);
  const rows = await clickhouse.select<StoredConfidences>(
    `SELECT model, version, start_ms, prediction,
            groupArray(key) AS keys, groupArray(counted) AS counts
     FROM
     (
         SELECT model, version, ${windowStartOf('toUnixTimestamp64Milli(event_time)')} AS start_ms,
                prediction, count() AS counted,
                bitShiftRight(reinterpretAsUInt64(probabilities[prediction]), ${omittedBits}) AS key
         FROM predictions FINAL WHERE ${sql} AND ${isConfident}
         GROUP BY model, version, start_ms, prediction, key ORDER BY key
     )
     GROUP BY model, version, start_ms, prediction ORDER BY model, version, start_ms, prediction
     SETTINGS ${finalSetting}`,
    { ...parameters, windowSizeMs },
  );
  const classOf = new Map(
    windows.map(({ meaning, ...version }) => [
      versionKey(version),
      classNames(meaning, meaning.openPredictions),
    ]),
  );
  const ofWindows = new Map<string, Map<string, NumericHistogram>>();
  for (const row of rows) {
    const name = classOf.get(versionKey(row))!(row.prediction);
    if (name === null) continue;
    const key = windowKey(row, row.start_ms);
    const classes = ofWindows.get(key) ?? new Map<string, NumericHistogram>();
    const histogram = classes.get(name) ?? emptyConfidences();
    addConfidences(histogram, row);
    ofWindows.set(key, classes.set(name, histogram));
  }
  return ofWindows;
}

function emptyConfidences(): NumericHistogram {
  return { ...emptyNumericHistogram(), mantissaBits };
}

function addConfidences(histogram: NumericHistogram, { keys, counts }: StoredConfidences): void {
  for (const [index, key] of keys.entries()) {
    // The histogram may have become coarser by the keys before.
    addToBucket(histogram, key >> (mantissaBits - histogram.mantissaBits), counts[index]!);
    histogram.count += counts[index]!;
  }
}
