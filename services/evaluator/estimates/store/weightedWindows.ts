import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import { outputExpressions } from '../../../shared/output/outputExpressions.ts';
import { bucketKey } from '../../../shared/profile/bucketKey.ts';
import type { VersionName } from '../../../shared/versionKey.ts';
import { finalSetting, isInWindows, windowStartOf } from '../../windows/conditions.ts';
import type { VersionWindows } from '../../windows/versionWindows.ts';
import type { WeightedScores } from '../quality/weightedScores.ts';
import type { EstimatedVersion } from '../quality/windowEstimates.ts';
import { windowKey } from './rowsByWindow.ts';

/** Scored predictions of a window of a binary model, with their weights. */
export interface WeightedWindow extends WeightedScores {
  /** Weight of the predictions of the class that the scores are about. */
  predictedPositives: number;
}

/** Bits of a float64 that its bucket leaves out: all but 10 of its mantissa. */
const omittedBits = 42;

/**
 * Reads the scores of windows in which not all weights are 1, by `windowKey`. Profiles of windows
 * count records and know no weights.
 */
export async function weightedWindows(
  clickhouse: Clickhouse,
  windows: readonly (VersionWindows & EstimatedVersion)[],
  windowSizeMs: number,
): Promise<Map<string, WeightedWindow>> {
  const { sql, parameters } = isInWindows(windows, 'event_time', windowSizeMs);
  const found = await clickhouse.select<VersionName & { start_ms: number }>(
    `SELECT DISTINCT model, version,
            ${windowStartOf('toUnixTimestamp64Milli(event_time)')} AS start_ms
     FROM predictions PREWHERE weight != 1 WHERE ${sql}`,
    { ...parameters, windowSizeMs },
  );
  const read = new Map<string, WeightedWindow>();
  for (const version of windows) {
    const startsMs = new Set(
      found
        .filter(row => row.model === version.model && row.version === version.version)
        .map(row => row.start_ms),
    );
    const weighted = { ...version, startsMs };
    for (const [key, window] of await scoresOf(clickhouse, weighted, windowSizeMs))
      read.set(key, window);
  }
  return read;
}

async function scoresOf(
  clickhouse: Clickhouse,
  windows: VersionWindows & EstimatedVersion,
  windowSizeMs: number,
): Promise<Map<string, WeightedWindow>> {
  if (windows.startsMs.size === 0) return new Map();
  const { meaning } = windows;
  const expressions = outputExpressions(meaning);
  const score = meaning.predictionIs === 'class' ? 'score' : expressions.predictionNumber;
  const { sql, parameters } = isInWindows([windows], 'event_time', windowSizeMs);
  const rows = await clickhouse.select<{
    start_ms: number;
    scores: number[];
    weights: number[];
    squares: number[];
    positives: number;
  }>(
    `SELECT start_ms, groupArray(bucket) AS scores, groupArray(weighed) AS weights,
            groupArray(squared) AS squares, sum(positive) AS positives
     FROM
     (
         SELECT ${windowStartOf('toUnixTimestamp64Milli(event_time)')} AS start_ms,
                reinterpretAsFloat64(bitShiftLeft(bitShiftRight(
                    reinterpretAsUInt64(assumeNotNull(${score})), ${omittedBits}), ${omittedBits}))
                    AS bucket,
                sum(weight) AS weighed, sum(weight * weight) AS squared,
                sumIf(weight, ${expressions.predictionClass} = {scoreOf:String}) AS positive
         FROM predictions FINAL WHERE ${sql} AND ifNull(isFinite(${score}), 0)
         GROUP BY start_ms, bucket ORDER BY start_ms, bucket
     )
     GROUP BY start_ms SETTINGS ${finalSetting}`,
    { ...parameters, ...expressions.parameters, windowSizeMs },
  );
  return new Map(
    rows.map(({ start_ms: startMs, scores, positives, ...sums }) => [
      windowKey(windows, startMs),
      { ...sums, keys: scores.map(bucketKey), predictedPositives: positives },
    ]),
  );
}
