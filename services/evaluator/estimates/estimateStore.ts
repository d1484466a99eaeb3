import { type Clickhouse, clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import { FINEST_MANTISSA_BITS } from '../../shared/profile/bucketKey.ts';
import {
  type FeatureProfile,
  type FeatureValue,
  mergeFeatureProfiles,
} from '../../shared/profile/featureProfile.ts';
import {
  addToBucket,
  emptyNumericHistogram,
  type NumericHistogram,
} from '../../shared/profile/numericHistogram.ts';
import { fromProfileRow, type ProfileRow } from '../../shared/profile/profileRow.ts';
import type { Task } from '../../shared/task.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import { inVersions, sqlTime, versionParameters, windowsCondition } from '../performance/store.ts';
import type { VersionWindows } from '../performance/versionWindows.ts';
import type { CalibrationPeriod, LabelledWindow } from './calibrationPeriod.ts';
import type { ClassifiedRecord } from './classCalibration.ts';
import { type Estimates, estimatedMetrics } from './estimate.ts';
import type { LabelledNumber, PredictedNumber } from './lossCalibration.ts';
import type { LabelledRecord } from './qualityCalibration.ts';

/** A version of which windows are to be estimated. */
export interface EstimatedVersion extends VersionName {
  windowSizeMs: number;
  task: Task;
  /** null: not a binary model. */
  positiveLabel: string | null;
}

/** A version whose first labelled windows are asked for. */
export interface LabelledVersion extends VersionName {
  windowSizeMs: number;
  /** Where they held enough labels at an earlier look, which do not become fewer; else null. */
  beforeMs: number | null;
}

/** What the estimates of a window are made from. */
export interface ProfiledWindow extends VersionName {
  startMs: number;
  outputs: ReadonlyMap<string, FeatureProfile>;
  features: ReadonlyMap<string, FeatureProfile>;
}

/** What the estimates of a window of a regression are made from. */
export interface SampledWindow extends VersionName {
  startMs: number;
  /** Those with a finite prediction. */
  records: number;
  sample: PredictedNumber[];
}

export interface WindowEstimates extends EstimatedVersion {
  startMs: number;
  /** Those with a score; of a regression with a finite prediction. */
  records: number;
  /** null: there is too little to estimate from. */
  estimates: Estimates | null;
  period: CalibrationPeriod;
  calibrationRecords: number;
}

interface StoredProfile extends ProfileRow, VersionName {
  start_ms: number;
  kind: 'feature' | 'output';
  feature: string;
}

interface StoredNumber extends StoredFeatures, VersionName {
  start_ms: number;
  records: number;
  predicted: number;
}

interface StoredConfidences extends VersionName {
  start_ms: number;
  prediction: string;
  keys: number[];
  counts: number[];
}

/**
 * Mantissa bits of the buckets in which ClickHouse counts confidences: so fine that their width
 * does not matter.
 */
const confidenceMantissaBits = 10;
/** Of a calibration; of more, those with the lowest hash of their id. */
export const mostCalibrationRecords = 20_000;
/** The same of a regression, whose calibration takes more work. */
export const mostLossRecords = 8_000;
/**
 * Of a window of a regression that are looked at; of more, those with the lowest hash of their id.
 */
export const mostSampledRecords = 2_000;
const finalSettings = 'SETTINGS do_not_merge_across_partitions_select_final = 1';
const ofVersion = 'model = {model:String} AND version = {version:String}';
const sizeIs = (size: number | string) =>
  `toUnixTimestamp64Milli(window_end) - toUnixTimestamp64Milli(window_start) = ${size}`;
const ofSize = sizeIs('{windowSizeMs:Int64}');

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
     * The first windows of each version that have labels, until they hold at least so many, in the
     * order of time; by `versionKey`.
     */
    async labelledWindows(
      versions: readonly LabelledVersion[],
      mostLabelled: number,
    ): Promise<Map<string, LabelledWindow[]>> {
      const scopes = versions.map(({ windowSizeMs, beforeMs }, index) => {
        const earlier = beforeMs === null ? '' : `AND window_start < ${sqlTime(beforeMs)}`;
        return `(model = {models:Array(String)}[${index + 1}] AND version = {versions:Array(String)}[${index + 1}] AND segment = ''
                 AND ${sizeIs(windowSizeMs)} ${earlier})`;
      });
      const rows = await clickhouse.select<
        VersionName & { end_ms: number; labelled: number; progress: string }
      >(
        `SELECT model, version, end_ms, labelled, toString(progress) AS progress
         FROM
         (
             SELECT model, version, toUnixTimestamp64Milli(window_end) AS end_ms, labelled, progress,
                    sum(labelled) OVER (PARTITION BY model, version ORDER BY window_start ROWS UNBOUNDED PRECEDING) - labelled AS before
             FROM performance_windows FINAL WHERE ${scopes.join(' OR ')}
         )
         WHERE before < {mostLabelled:UInt64} ORDER BY model, version, end_ms ${finalSettings}`,
        { ...versionParameters(versions), mostLabelled },
      );
      const windows = new Map<string, LabelledWindow[]>(
        versions.map(version => [versionKey(version), []]),
      );
      for (const row of rows)
        windows
          .get(versionKey(row))!
          .push({ endMs: row.end_ms, labelled: row.labelled, progress: BigInt(row.progress) });
      return windows;
    },

    /**
     * Starts of the windows that have scores (not binary: predictions), start from `fromMs` on and
     * end up to `endedMs`, whose estimates are missing or are from another calibration.
     */
    async windowsToEstimate(
      { model, version, windowSizeMs, task, positiveLabel }: EstimatedVersion,
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
         WHERE ${ofVersion} AND segment = '' AND ${inRange} AND ${ofSize} AND kind = 'output' AND feature = {output:String}
           AND window_start NOT IN
           (
               SELECT window_start FROM estimated_quality FINAL
               WHERE ${ofVersion} AND ${inRange} AND ${ofSize} AND metric = {metric:String} AND positive_label = {positiveLabel:String}
                 AND (${ranges.join(' OR ')})
           )
         ${finalSettings}`,
        {
          model,
          version,
          windowSizeMs,
          output: task === 'binary' ? 'score' : 'prediction',
          metric: estimatedMetrics(task)[0],
          positiveLabel: positiveLabel ?? '',
        },
      );
      return rows.map(row => row.start_ms);
    },

    /**
     * The labelled predictions of a binary model that have a score, up to an event time, in its
     * order.
     */
    async labelledRecords(
      version: VersionName,
      positiveLabel: string,
      untilMs: number,
    ): Promise<LabelledRecord[]> {
      const rows = await clickhouse.select<
        StoredFeatures & { score: number; prediction: string; label: string }
      >(
        ...labelledQuery(
          'assumeNotNull(score)',
          'label',
          'ifNull(isFinite(score), 0)',
          version,
          untilMs,
        ),
      );
      return rows.map(row => ({
        score: row.score,
        predictedPositive: row.prediction === positiveLabel,
        positive: row.label === positiveLabel,
        features: featuresOf(row),
      }));
    },

    /**
     * The labelled predictions of a multiclass model that have a probability, up to an event time,
     * in its order.
     */
    async classifiedRecords(version: VersionName, untilMs: number): Promise<ClassifiedRecord[]> {
      const rows = await clickhouse.select<
        StoredFeatures & { score: number; prediction: string; label: string }
      >(...labelledQuery('probabilities[prediction]', 'label', isConfident, version, untilMs));
      return rows.map(row => ({
        predicted: row.prediction,
        confidence: row.score,
        label: row.label,
        features: featuresOf(row),
      }));
    },

    /**
     * The labelled predictions of a regression whose squared error is finite, up to an event time,
     * in its order.
     */
    async labelledNumbers(version: VersionName, untilMs: number): Promise<LabelledNumber[]> {
      const [value, label] = ['assumeNotNull(prediction_value)', 'assumeNotNull(label_value)'];
      const rows = await clickhouse.select<StoredFeatures & { score: number; label: number }>(
        ...labelledQuery(value, label, hasSquaredError, version, untilMs, mostLossRecords),
      );
      return rows.map(row => ({
        predicted: row.score,
        label: row.label,
        features: featuresOf(row),
      }));
    },

    /**
     * Predictions of windows of regressions with their features; a window without any is absent.
     */
    async sampledWindows(
      windows: readonly VersionWindows[],
      windowSizeMs: number,
    ): Promise<SampledWindow[]> {
      const { sql, parameters } = windowsCondition(windows, 'event_time', windowSizeMs);
      const rows = await clickhouse.select<StoredNumber>(
        `SELECT p.model AS model, p.version AS version, c.start_ms AS start_ms, c.records AS records, c.predicted AS predicted,
                p.numeric_features AS numbers, p.categorical_features AS texts
         FROM
         (
             SELECT model, version, event_time, id, numeric_features, categorical_features FROM predictions FINAL WHERE ${sql}
         ) AS p
         INNER JOIN
         (
             SELECT model, version, event_time, id, assumeNotNull(prediction_value) AS predicted,
                    intDiv(toUnixTimestamp64Milli(event_time), {windowSizeMs:Int64}) * {windowSizeMs:Int64} AS start_ms,
                    count() OVER (PARTITION BY model, version, start_ms) AS records
             FROM predictions FINAL WHERE ${sql} AND ifNull(isFinite(prediction_value), 0)
             ORDER BY sipHash64(id), id, event_time LIMIT ${mostSampledRecords} BY model, version, start_ms
         ) AS c ON c.model = p.model AND c.version = p.version AND c.event_time = p.event_time AND c.id = p.id
         ORDER BY model, version, start_ms, c.event_time, c.id
         ${finalSettings}`,
        { ...parameters, windowSizeMs },
      );
      return rowsByWindow(rows).map(({ name, ofWindow }) => ({
        ...name,
        records: ofWindow[0]!.records,
        sample: ofWindow.map(row => ({ predicted: row.predicted, features: featuresOf(row) })),
      }));
    },

    /**
     * Probabilities of the predicted classes, by `versionKey` and start of the window, then by
     * class.
     */
    async confidences(
      windows: readonly VersionWindows[],
      windowSizeMs: number,
    ): Promise<Map<string, Map<string, NumericHistogram>>> {
      const { sql, parameters } = windowsCondition(windows, 'event_time', windowSizeMs);
      const shift = 32 + FINEST_MANTISSA_BITS - confidenceMantissaBits;
      const rows = await clickhouse.select<StoredConfidences>(
        `SELECT model, version, start_ms, prediction, groupArray(key) AS keys, groupArray(counted) AS counts
         FROM
         (
             SELECT model, version, intDiv(toUnixTimestamp64Milli(event_time), {windowSizeMs:Int64}) * {windowSizeMs:Int64} AS start_ms,
                    prediction, bitShiftRight(reinterpretAsUInt64(probabilities[prediction]), ${shift}) AS key, count() AS counted
             FROM predictions FINAL WHERE ${sql} AND ${isConfident}
             GROUP BY model, version, start_ms, prediction, key ORDER BY key
         )
         GROUP BY model, version, start_ms, prediction ORDER BY model, version, start_ms, prediction
         ${finalSettings}`,
        { ...parameters, windowSizeMs },
      );
      const ofWindows = new Map<string, Map<string, NumericHistogram>>();
      for (const row of rows) {
        const key = windowKey(row, row.start_ms);
        const classes = ofWindows.get(key) ?? new Map<string, NumericHistogram>();
        ofWindows.set(key, classes.set(row.prediction, histogramOf(row)));
      }
      return ofWindows;
    },

    /** Profiles of windows, their partitions merged; a window without predictions is absent. */
    async profiledWindows(
      windows: readonly VersionWindows[],
      windowSizeMs: number,
    ): Promise<ProfiledWindow[]> {
      const { sql, parameters } = windowsCondition(
        windows,
        'window_start',
        windowSizeMs,
        () => "segment = ''",
      );
      const rows = await clickhouse.select<StoredProfile>(
        `SELECT model, version, toUnixTimestamp64Milli(window_start) AS start_ms, toString(kind) AS kind, feature, count, missing, non_finite,
                numeric_count, minimum, maximum, sum, mantissa_bits, bucket_keys, bucket_counts, categorical_count, hashed, category_values, category_counts
         FROM window_profiles FINAL
         WHERE ${sql} AND ${ofSize} AND kind IN ('feature', 'output')
         ORDER BY model, version, window_start, kind, feature, source_partition
         ${finalSettings}`,
        { ...parameters, windowSizeMs },
      );
      return rowsByWindow(rows).map(({ name, ofWindow }) => ({
        ...name,
        outputs: mergedProfiles(ofWindow.filter(({ kind }) => kind === 'output')),
        features: mergedProfiles(ofWindow.filter(({ kind }) => kind === 'feature')),
      }));
    },

    /** @returns the number of rows */
    async insertEstimates(windows: readonly WindowEstimates[]): Promise<number> {
      const rows = windows.flatMap(estimateRows);
      await clickhouse.insert('estimated_quality', rows);
      return rows.length;
    },
  };
}

/** A key of a window of a version. */
export function windowKey(version: VersionName, startMs: number): string {
  return `${versionKey(version)} ${startMs}`;
}

const isConfident =
  'mapContains(probabilities, prediction) AND isFinite(probabilities[prediction]) AND probabilities[prediction] >= 0';

const hasSquaredError =
  'ifNull(isFinite((prediction_value - label_value) * (prediction_value - label_value)), 0)';

interface StoredFeatures {
  numbers: Record<string, number | string>;
  texts: Record<string, string>;
}

/** Query and parameters of the labelled predictions of a version with their features. */
function labelledQuery(
  score: string,
  label: string,
  condition: string,
  { model, version }: VersionName,
  untilMs: number,
  mostRecords = mostCalibrationRecords,
): [string, Record<string, unknown>] {
  const before = `${ofVersion} AND event_time < ${sqlTime(untilMs)}`;
  const outcomes = `
    SELECT event_time, id, ${score} AS given, prediction, ${label} AS truth FROM outcomes FINAL WHERE ${before} AND ${condition}
    ORDER BY sipHash64(id), id, event_time LIMIT ${mostRecords}`;
  return [
    `SELECT o.given AS score, o.prediction AS prediction, o.truth AS label, p.numeric_features AS numbers, p.categorical_features AS texts
     FROM (${outcomes}) AS o
     INNER JOIN
     (
         SELECT event_time, id, numeric_features, categorical_features FROM predictions FINAL
         WHERE ${before} AND (event_time, id) IN (SELECT event_time, id FROM (${outcomes}))
     ) AS p ON p.event_time = o.event_time AND p.id = o.id
     ORDER BY o.event_time, o.id
     ${finalSettings}`,
    { model, version },
  ];
}

function featuresOf({ numbers, texts }: StoredFeatures): Map<string, FeatureValue> {
  return new Map<string, FeatureValue>([
    // What JSON cannot say comes as text: nan, inf.
    ...Object.entries(numbers).map(
      ([name, value]) => [name, typeof value === 'number' ? value : Number.NaN] as const,
    ),
    ...Object.entries(texts),
  ]);
}

function histogramOf({ keys, counts }: StoredConfidences): NumericHistogram {
  const histogram = emptyNumericHistogram();
  histogram.mantissaBits = confidenceMantissaBits;
  for (const [index, key] of keys.entries()) {
    // The resolution may have gone down for the keys before.
    addToBucket(
      histogram,
      key >> (confidenceMantissaBits - histogram.mantissaBits),
      counts[index]!,
    );
    histogram.count += counts[index]!;
  }
  return histogram;
}

function mergedProfiles(rows: readonly StoredProfile[]): Map<string, FeatureProfile> {
  const byName = Map.groupBy(rows, ({ feature }) => feature);
  return new Map(
    [...byName].map(([name, parts]) => [name, mergeFeatureProfiles(...parts.map(fromProfileRow))]),
  );
}

function estimateRows(window: WindowEstimates): object[] {
  const { model, version, startMs, windowSizeMs, task, positiveLabel, records, estimates, period } =
    window;
  return estimatedMetrics(task).map(metric => {
    const estimate = estimates?.[metric] ?? null;
    return {
      model,
      version,
      window_start: clickhouseTime(startMs),
      window_end: clickhouseTime(startMs + windowSizeMs),
      metric,
      status:
        estimates === null ? 'insufficient_data' : estimate === null ? 'undefined' : 'estimated',
      estimate: estimate?.value ?? null,
      lower: estimate?.lower ?? null,
      upper: estimate?.upper ?? null,
      records,
      positive_label: positiveLabel ?? '',
      calibration_to: clickhouseTime(period.untilMs),
      calibration_step: period.step,
      calibration_records: window.calibrationRecords,
      calibration_progress: String(period.progress),
      progress: String(period.progress + BigInt(records)),
    };
  });
}

function rowsByWindow<Row extends VersionName & { start_ms: number }>(rows: readonly Row[]) {
  const byWindow = Map.groupBy(rows, row => windowKey(row, row.start_ms));
  return [...byWindow.values()].map(ofWindow => {
    const { model, version, start_ms: startMs } = ofWindow[0]!;
    return { name: { model, version, startMs }, ofWindow };
  });
}
