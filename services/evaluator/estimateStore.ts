import { type Clickhouse, clickhouseTime } from '../shared/clickhouse.ts';
import { type FeatureProfile, type FeatureValue, mergeFeatureProfiles } from '../shared/profile/featureProfile.ts';
import { fromProfileRow, type ProfileRow } from '../shared/profile/profileRow.ts';
import { type VersionName, versionKey } from '../shared/versionKey.ts';
import type { CalibrationPeriod, LabelledWindow } from './calibrationPeriod.ts';
import { type Estimate, type EstimatedMetric, estimatedMetrics } from './estimatedQuality.ts';
import type { LabelledRecord } from './qualityCalibration.ts';
import { inVersions, sqlTime, versionParameters, windowsCondition } from './store.ts';
import type { VersionWindows } from './versionWindows.ts';

/** A version of which windows are to be estimated. */
export interface EstimatedVersion extends VersionName {
  windowSizeMs: number;
  positiveLabel: string;
}

/** What the estimates of a window are made from. */
export interface ProfiledWindow extends VersionName {
  startMs: number;
  outputs: ReadonlyMap<string, FeatureProfile>;
  features: ReadonlyMap<string, FeatureProfile>;
}

export interface WindowEstimates extends EstimatedVersion {
  startMs: number;
  records: number;
  /** null: there is too little to estimate from. */
  estimates: Record<EstimatedMetric, Estimate | null> | null;
  period: CalibrationPeriod;
  calibrationRecords: number;
}

interface StoredProfile extends ProfileRow, VersionName {
  start_ms: number;
  kind: 'feature' | 'output';
  feature: string;
}

/** Of a calibration; of more, those with the lowest hash of their id. */
const mostCalibrationRecords = 20_000;
const finalSettings = 'SETTINGS do_not_merge_across_partitions_select_final = 1';
const ofVersion = 'model = {model:String} AND version = {version:String}';
const ofSize = 'toUnixTimestamp64Milli(window_end) - toUnixTimestamp64Milli(window_start) = {windowSizeMs:Int64}';

export type EstimateStore = ReturnType<typeof estimateStore>;

/** The SQL of estimated quality. Only all predictions of a version are looked at, no segments. */
export function estimateStore(clickhouse: Clickhouse) {
  return {
    /** Highest event time of each version, by `versionKey`. */
    async maxEventTimesMs(versions: readonly VersionName[]): Promise<Map<string, number>> {
      const rows = await clickhouse.select<VersionName & { max_ms: number }>(
        `SELECT model, version, toUnixTimestamp64Milli(max(max_event_time)) AS max_ms
         FROM stream_progress FINAL WHERE ${inVersions} AND predictions > 0 GROUP BY model, version`,
        versionParameters(versions),
      );
      return new Map(rows.map(row => [versionKey(row), row.max_ms]));
    },

    /**
     * The first windows of a version that have labels, until they hold so many, in the order of time.
     * @param beforeMs where they held so many at an earlier look: labels do not become fewer
     */
    async labelledWindows(
      { model, version, windowSizeMs }: EstimatedVersion,
      mostLabelled: number,
      beforeMs: number | null,
    ): Promise<LabelledWindow[]> {
      const earlier = beforeMs === null ? '' : `AND window_start < ${sqlTime(beforeMs)}`;
      const rows = await clickhouse.select<{ end_ms: number; labelled: number; progress: string }>(
        `SELECT end_ms, labelled, toString(progress) AS progress
         FROM
         (
             SELECT toUnixTimestamp64Milli(window_end) AS end_ms, labelled, progress,
                    sum(labelled) OVER (ORDER BY window_start ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) - labelled AS before
             FROM performance_windows FINAL WHERE ${ofVersion} AND segment = '' AND ${ofSize} ${earlier}
         )
         WHERE before < {mostLabelled:UInt64} ORDER BY end_ms ${finalSettings}`,
        { model, version, windowSizeMs, mostLabelled },
      );
      return rows.map(({ end_ms, labelled, progress }) => ({ endMs: end_ms, labelled, progress: BigInt(progress) }));
    },

    /**
     * Starts of the windows that have scores, start from `fromMs` on and end up to `endedMs`, whose estimates are missing or are from another
     * calibration.
     */
    async windowsToEstimate(
      { model, version, windowSizeMs, positiveLabel }: EstimatedVersion,
      periods: readonly CalibrationPeriod[],
      fromMs: number,
      endedMs: number,
    ): Promise<number[]> {
      const ranges = periods.map(({ step, untilMs, progress }, index) => {
        const next = periods[index + 1];
        const before = next ? `AND window_start < ${sqlTime(next.untilMs)}` : '';
        const from = step === 0 ? '' : `AND window_start >= ${sqlTime(untilMs)}`;
        return `(calibration_step = ${step} AND calibration_progress = ${progress} ${from} ${before})`;
      });
      const inRange = `window_start >= ${sqlTime(fromMs)} AND window_end <= ${sqlTime(endedMs)}`;
      const rows = await clickhouse.select<{ start_ms: number }>(
        `SELECT DISTINCT toUnixTimestamp64Milli(window_start) AS start_ms FROM window_profiles
         WHERE ${ofVersion} AND segment = '' AND ${inRange} AND ${ofSize} AND kind = 'output' AND feature = 'score'
           AND window_start NOT IN
           (
               SELECT window_start FROM estimated_quality FINAL
               WHERE ${ofVersion} AND ${inRange} AND ${ofSize} AND metric = 'accuracy' AND positive_label = {positiveLabel:String}
                 AND (${ranges.join(' OR ')})
           )
         ${finalSettings}`,
        { model, version, windowSizeMs, positiveLabel },
      );
      return rows.map(row => row.start_ms);
    },

    /** The labelled predictions of a version that have a score, up to an event time, in its order. */
    async labelledRecords(
      { model, version, positiveLabel }: EstimatedVersion,
      untilMs: number,
    ): Promise<LabelledRecord[]> {
      const outcomes = `
        SELECT event_time, id, assumeNotNull(score) AS score, prediction = {positiveLabel:String} AS predicted, label = {positiveLabel:String} AS positive
        FROM outcomes FINAL
        WHERE ${ofVersion} AND event_time < ${sqlTime(untilMs)} AND ifNull(isFinite(score), 0)
        ORDER BY sipHash64(id), id, event_time LIMIT ${mostCalibrationRecords}`;
      const rows = await clickhouse.select<{
        score: number;
        predicted: number;
        positive: number;
        numbers: Record<string, number | string>;
        texts: Record<string, string>;
      }>(
        `SELECT o.score AS score, o.predicted AS predicted, o.positive AS positive, p.numeric_features AS numbers, p.categorical_features AS texts
         FROM (${outcomes}) AS o
         INNER JOIN
         (
             SELECT event_time, id, numeric_features, categorical_features FROM predictions FINAL
             WHERE ${ofVersion} AND event_time < ${sqlTime(untilMs)} AND (event_time, id) IN (SELECT event_time, id FROM (${outcomes}))
         ) AS p ON p.event_time = o.event_time AND p.id = o.id
         ORDER BY o.event_time, o.id
         ${finalSettings}`,
        { model, version, positiveLabel },
      );
      return rows.map(({ score, predicted, positive, numbers, texts }) => ({
        score,
        predictedPositive: predicted === 1,
        positive: positive === 1,
        features: new Map<string, FeatureValue>([
          // What JSON cannot say comes as text: nan, inf.
          ...Object.entries(numbers).map(
            ([name, value]) => [name, typeof value === 'number' ? value : Number.NaN] as const,
          ),
          ...Object.entries(texts),
        ]),
      }));
    },

    /** Profiles of windows, their partitions merged; a window without predictions is absent. */
    async profiledWindows(windows: readonly VersionWindows[], windowSizeMs: number): Promise<ProfiledWindow[]> {
      const { sql, parameters } = windowsCondition(windows, 'window_start', windowSizeMs, () => "segment = ''");
      const rows = await clickhouse.select<StoredProfile>(
        `SELECT model, version, toUnixTimestamp64Milli(window_start) AS start_ms, toString(kind) AS kind, feature, count, missing, non_finite,
                numeric_count, minimum, maximum, sum, mantissa_bits, bucket_keys, bucket_counts, categorical_count, hashed, category_values, category_counts
         FROM window_profiles FINAL
         WHERE ${sql} AND ${ofSize} AND kind IN ('feature', 'output')
         ORDER BY model, version, window_start, kind, feature, source_partition
         ${finalSettings}`,
        { ...parameters, windowSizeMs },
      );
      const byWindow = Map.groupBy(rows, row => `${versionKey(row)} ${row.start_ms}`);
      return [...byWindow.values()].map(ofWindow => ({
        model: ofWindow[0]!.model,
        version: ofWindow[0]!.version,
        startMs: ofWindow[0]!.start_ms,
        outputs: mergedProfiles(ofWindow.filter(({ kind }) => kind === 'output')),
        features: mergedProfiles(ofWindow.filter(({ kind }) => kind === 'feature')),
      }));
    },

    insertEstimates: (windows: readonly WindowEstimates[]) =>
      clickhouse.insert('estimated_quality', windows.flatMap(estimateRows)),
  };
}

function mergedProfiles(rows: readonly StoredProfile[]): Map<string, FeatureProfile> {
  const byName = Map.groupBy(rows, ({ feature }) => feature);
  return new Map([...byName].map(([name, parts]) => [name, mergeFeatureProfiles(...parts.map(fromProfileRow))]));
}

function estimateRows(window: WindowEstimates): object[] {
  const { model, version, startMs, windowSizeMs, positiveLabel, records, estimates, period } = window;
  return estimatedMetrics.map(metric => {
    const estimate = estimates?.[metric] ?? null;
    return {
      model,
      version,
      window_start: clickhouseTime(startMs),
      window_end: clickhouseTime(startMs + windowSizeMs),
      metric,
      status: estimates === null ? 'insufficient_data' : estimate === null ? 'undefined' : 'estimated',
      estimate: estimate?.value ?? null,
      lower: estimate?.lower ?? null,
      upper: estimate?.upper ?? null,
      records,
      positive_label: positiveLabel,
      calibration_to: clickhouseTime(period.untilMs),
      calibration_step: period.step,
      calibration_records: window.calibrationRecords,
      calibration_progress: String(period.progress),
      progress: String(period.progress + BigInt(records)),
    };
  });
}
