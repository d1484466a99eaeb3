import type { Condition } from '../../shared/clickhouse/anyOf.ts';
import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import {
  type ObservedLabels,
  type ObservedWindows,
  observedLabels,
  observedWindows,
  type StoredPerformance,
  type StoredProfile,
  type StoredSample,
} from './observedWindows.ts';
import type { PerVersion } from './perVersion.ts';
import { msOf } from './sqlTime.ts';
import { inRanges, type WindowRange } from './windowRange.ts';

/** A window that has predictions. */
export interface WindowStart {
  startMs: number;
  /** Number of its profiles, which is what reading the window costs. */
  profiles: number;
}

/** Columns of a `ProfileRow`, in window_profiles and reference_profiles alike. */
export const profileColumns = `count, missing, non_finite, numeric_count, minimum, maximum, sum,
  mantissa_bits, bucket_keys, bucket_counts,
  categorical_count, hashed, category_values, category_counts, text_summary,
  vector_summary`;

/** The tables that describe windows: window_profiles, performance_windows and window_samples. */
export function windowTables(clickhouse: Clickhouse) {
  const performanceIn = ({ sql, parameters }: Condition) =>
    clickhouse.select<VersionName & StoredPerformance>(
      `SELECT model, version, segment, ${msOf('window_start')} AS start_ms,
              toString(task) AS task, labelled, loss_sum, loss_square_sum, label_counts, confusion
       FROM performance_windows FINAL WHERE ${sql}`,
      parameters,
    );
  return {
    /** Reads the labels of the windows of the ranges. */
    async labels(ranges: readonly WindowRange[]): Promise<PerVersion<ObservedLabels>> {
      const rows = Map.groupBy(await performanceIn(inRanges(ranges)), versionKey);
      return new Map([...rows].map(([key, ofVersion]) => [key, observedLabels(ofVersion)]));
    },

    /** Reads the first windows of each range that have predictions, in the order of time. */
    async windowStarts(
      ranges: readonly WindowRange[],
      maxWindows: number,
    ): Promise<PerVersion<WindowStart[]>> {
      const { sql, parameters } = inRanges(ranges);
      const rows = await clickhouse.select<VersionName & WindowStart>(
        `SELECT model, version, ${msOf('window_start')} AS startMs, count() AS profiles
         FROM window_profiles WHERE ${sql} GROUP BY model, version, window_start
         ORDER BY model, version, window_start LIMIT {maxWindows:UInt32} BY model, version`,
        { ...parameters, maxWindows },
      );
      return Map.groupBy(rows, versionKey);
    },

    /**
     * Reads the windows of the ranges in the order of time, with their source partitions merged.
     * Each range has an entry, even if it holds no window.
     * @param ranges one per version
     */
    async windows(ranges: readonly WindowRange[]): Promise<PerVersion<ObservedWindows>> {
      const { sql, parameters } = inRanges(ranges);
      const [profiles, performance, samples] = await Promise.all([
        clickhouse.select<VersionName & StoredProfile>(
          `SELECT model, version, segment, ${msOf('window_start')} AS start_ms,
                  toString(kind) AS kind, feature, ${profileColumns}
           FROM window_profiles FINAL WHERE ${sql}
           ORDER BY model, version, window_start, segment, kind, feature, source_partition`,
          parameters,
        ),
        performanceIn({ sql, parameters }),
        clickhouse.select<VersionName & StoredSample>(
          `SELECT model, version, ${msOf('window_start')} AS start_ms,
                  id_hashes, features, codes, outputs
           FROM window_samples FINAL WHERE ${sql}
           ORDER BY model, version, window_start, source_partition`,
          parameters,
        ),
      ]);
      const profilesOf = Map.groupBy(profiles, versionKey);
      const performanceOf = Map.groupBy(performance, versionKey);
      const samplesOf = Map.groupBy(samples, versionKey);
      return new Map(
        ranges.map(range => {
          const key = versionKey(range);
          const windows = observedWindows(
            profilesOf.get(key) ?? [],
            performanceOf.get(key) ?? [],
            samplesOf.get(key) ?? [],
            range.windowSizeMs,
          );
          return [key, windows];
        }),
      );
    },
  };
}
