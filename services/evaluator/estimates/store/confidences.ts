import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import { classNames } from '../../../shared/output/comparedOutput.ts';
import { finestMantissaBits } from '../../../shared/profile/bucketKey.ts';
import {
  addToBucket,
  emptyNumericHistogram,
  type NumericHistogram,
} from '../../../shared/profile/numericHistogram.ts';
import { type VersionName, versionKey } from '../../../shared/versionKey.ts';
import { finalSetting, isInWindows, windowStartOf } from '../../windows/conditions.ts';
import type { VersionWindows } from '../../windows/versionWindows.ts';
import type { WeightedScores } from '../quality/weightedScores.ts';
import type { EstimatedVersion } from '../quality/windowEstimates.ts';
import { windowKey } from './rowsByWindow.ts';

/** Confidences of a window's predictions, by predicted class. */
export interface Confidences {
  counted: ReadonlyMap<string, NumericHistogram>;
  /** The same predictions with their weights; absent if all weights are 1. */
  weighted?: ReadonlyMap<string, WeightedScores> | undefined;
}

/** Holds for predictions that have a usable probability of the predicted class. */
export const isConfident = `mapContains(probabilities, prediction)
  AND isFinite(probabilities[prediction]) AND probabilities[prediction] >= 0`;

/**
 * Mantissa bits of the buckets in which ClickHouse counts confidences. Their width does not matter.
 */
const mantissaBits = 10;
/** Bits of a float64 that its bucket leaves out. */
const omittedBits = 32 + finestMantissaBits - mantissaBits;

interface StoredConfidences extends VersionName {
  start_ms: number;
  prediction: string;
  keys: number[];
  counts: number[];
  weights: number[];
  squares: number[];
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
            groupArray(key) AS keys, groupArray(counted) AS counts,
            groupArray(weighed) AS weights, groupArray(squared) AS squares
     FROM
     (
         SELECT model, version, ${windowStartOf('toUnixTimestamp64Milli(event_time)')} AS start_ms,
                prediction, count() AS counted,
                sum(weight) AS weighed, sum(weight * weight) AS squared,
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
  const named = rows.map(row => ({ ...row, name: classOf.get(versionKey(row))!(row.prediction) }));
  const ofWindows = Map.groupBy(
    named.filter(({ name }) => name !== null),
    row => windowKey(row, row.start_ms),
  );
  return new Map(
    Array.from(ofWindows, ([key, ofWindow]) => [
      key,
      confidencesOfWindow(Map.groupBy(ofWindow, ({ name }) => name!)),
    ]),
  );
}

/** @param classes rows by predicted class; several predictions may be spellings of one */
function confidencesOfWindow(classes: ReadonlyMap<string, StoredConfidences[]>): Confidences {
  const counted = Array.from(classes, ([name, rows]) => {
    const histogram = { ...emptyNumericHistogram(), mantissaBits };
    for (const row of rows) addConfidences(histogram, row);
    return [name, histogram] as const;
  });
  const isWeighted = [...classes.values()]
    .flat()
    .some(({ counts, weights }) => weights.some((weight, index) => weight !== counts[index]));
  const weighted = Array.from(classes, ([name, rows]) => [name, weightedScores(rows)] as const);
  return { counted: new Map(counted), weighted: isWeighted ? new Map(weighted) : undefined };
}

function weightedScores(rows: readonly StoredConfidences[]): WeightedScores {
  return {
    keys: rows.flatMap(({ keys }) => keys.map(key => key << (finestMantissaBits - mantissaBits))),
    weights: rows.flatMap(({ weights }) => weights),
    squares: rows.flatMap(({ squares }) => squares),
  };
}

function addConfidences(histogram: NumericHistogram, { keys, counts }: StoredConfidences): void {
  for (const [index, key] of keys.entries()) {
    // The histogram may have become coarser by the keys before.
    addToBucket(histogram, key >> (mantissaBits - histogram.mantissaBits), counts[index]!);
    histogram.count += counts[index]!;
  }
}
