import type { Clickhouse } from '../shared/clickhouse.ts';
import type { ServiceMetrics } from '../shared/metrics.ts';
import { emptyFeatureProfile } from '../shared/profile/featureProfile.ts';
import type { NumericHistogram } from '../shared/profile/numericHistogram.ts';
import type { Settings } from '../shared/settings.ts';
import { windowStartMs } from '../shared/timeWindow.ts';
import { type VersionName, versionKey } from '../shared/versionKey.ts';
import { calibrationCache } from './calibrationCache.ts';
import {
  type CalibrationPeriod,
  calibrationPeriods,
  largestSize,
  noCalibration,
  numberOfSizes,
  periodBefore,
  sourceOfPeriod,
} from './calibrationPeriod.ts';
import { type ClassCalibration, calibrateClasses } from './classCalibration.ts';
import { estimateClassQuality } from './estimatedClassQuality.ts';
import { estimateQuality } from './estimatedQuality.ts';
import {
  type EstimatedVersion,
  estimateStore,
  type ProfiledWindow,
  type WindowEstimates,
  windowKey,
} from './estimateStore.ts';
import type { TaskDecision } from './evaluator.ts';
import { predictedPositives } from './predictedPositives.ts';
import { calibrateQuality, type QualityCalibration } from './qualityCalibration.ts';
import { portionsOfWindows, type VersionWindows } from './versionWindows.ts';

const mostWindowsPerQuery = 50;
const mostVersionsRemembered = 100_000;
const mostCalibrationBytes = 64 * 1024 * 1024;

/** What the last look at a version found: windows are looked for again only from there on, or when the periods have changed. */
interface LastLook {
  periods: string;
  endedMs: number;
  /** End of the largest period; null while it is not complete. */
  completeMs: number | null;
}

/** A version whose predictions or labels have changed. */
export interface ChangedVersion extends VersionName {
  /** Windows whose predictions have. */
  predictedMs: Set<number>;
  /** The first window that has changed at all. */
  earliestMs: number;
}

type Outcome = Pick<WindowEstimates, 'records' | 'estimates' | 'calibrationRecords'>;

export interface WindowEstimator {
  /** @param decisionOf what the labels of a version are, if that is known */
  estimate(
    changed: readonly ChangedVersion[],
    decisionOf: (version: VersionName) => TaskDecision | undefined,
  ): Promise<void>;
  reset(): void;
  held(): { calibrations: number };
}

/**
 * Estimates the quality of the windows that have ended, and again when their predictions change, or the labels of the calibration; never for
 * their own labels, as a calibration ends before the window. What is in memory only saves queries: all that is missing or from another
 * calibration is found in ClickHouse. Performance rows are written before this looks at them, so the last evaluator to look has seen all.
 */
export function windowEstimator(clickhouse: Clickhouse, settings: Settings, metrics: ServiceMetrics): WindowEstimator {
  const store = estimateStore(clickhouse);
  const lastLooks = new Map<string, LastLook>();
  const onEvicted = () => metrics.cacheEvictions.inc({ cache: 'calibrations' });
  const binaryCalibrations = calibrationCache<QualityCalibration>(mostCalibrationBytes, onEvicted);
  const classCalibrations = calibrationCache<ClassCalibration>(mostCalibrationBytes, onEvicted);

  async function estimate(
    changed: readonly ChangedVersion[],
    decisionOf: (version: VersionName) => TaskDecision | undefined,
  ): Promise<void> {
    const versions = changed.flatMap(version => {
      const decision = decisionOf(version);
      if (decision === undefined || decision.task === 'regression') return [];
      return [{ ...version, positiveLabel: decision.positiveLabel, windowSizeMs: settings.of(version.model).window }];
    });
    if (versions.length === 0) return;
    const maxEventTimesMs = await store.maxEventTimesMs(versions);
    for (const version of versions) {
      const maxEventTimeMs = maxEventTimesMs.get(versionKey(version));
      if (maxEventTimeMs !== undefined) await estimateVersion(version, maxEventTimeMs);
    }
  }

  async function estimateVersion(version: ChangedVersion & EstimatedVersion, maxEventTimeMs: number): Promise<void> {
    const { windowSizeMs, predictedMs, earliestMs } = version;
    const { allowedLateness, detection } = settings.of(version.model);
    const endedMs = windowStartMs(maxEventTimeMs - allowedLateness, windowSizeMs);
    const key = versionKey(version);
    const last = lastLooks.get(key);
    const startsMs = new Set([...predictedMs].filter(startMs => startMs + windowSizeMs <= endedMs));
    const completeMs = last?.completeMs ?? null;
    // Neither has a window ended, nor has one that was estimated, nor can the calibration have changed.
    if (last?.endedMs === endedMs && startsMs.size === 0 && completeMs !== null && earliestMs >= completeMs) return;

    const labelled = await store.labelledWindows(version, detection.bootstrapRecords * largestSize, completeMs);
    const periods = [noCalibration, ...calibrationPeriods(labelled, detection.bootstrapRecords)];
    const periodsKey = `${version.positiveLabel} ${periods.map(sourceOfPeriod).join(' ')}`;
    const samePeriods = last?.periods === periodsKey;
    if (!samePeriods || last.endedMs < endedMs) {
      const fromMs = samePeriods ? last.endedMs - windowSizeMs : 0;
      for (const startMs of await store.windowsToEstimate(version, periods, fromMs, endedMs)) startsMs.add(startMs);
    }
    for (const portion of portionsOfWindows([{ ...version, startsMs }], mostWindowsPerQuery))
      await estimatePortion(version, portion, periods);
    if (lastLooks.size > mostVersionsRemembered) lastLooks.clear();
    const largest = periods[numberOfSizes];
    lastLooks.set(key, { periods: periodsKey, endedMs, completeMs: largest?.untilMs ?? null });
  }

  async function estimatePortion(
    version: EstimatedVersion,
    portion: readonly VersionWindows[],
    periods: readonly CalibrationPeriod[],
  ): Promise<void> {
    const { model, version: name, windowSizeMs, positiveLabel } = version;
    const windows = await store.profiledWindows(portion, windowSizeMs);
    const confidences = positiveLabel === null ? await store.confidences(portion, windowSizeMs) : null;
    const estimated: WindowEstimates[] = [];
    for (const window of windows) {
      const period = periodBefore(periods, window.startMs);
      const outcome =
        confidences === null
          ? await binaryEstimates(version, positiveLabel!, window, period)
          : await classEstimates(version, window, confidences.get(windowKey(version, window.startMs)), period);
      if (outcome === null) continue;
      estimated.push({
        model,
        version: name,
        windowSizeMs,
        positiveLabel,
        startMs: window.startMs,
        period,
        ...outcome,
      });
    }
    metrics.rows.inc({ table: 'estimated_quality' }, await store.insertEstimates(estimated));
  }

  /** null for a window without scores. */
  async function binaryEstimates(
    version: EstimatedVersion,
    positiveLabel: string,
    { outputs, features }: ProfiledWindow,
    period: CalibrationPeriod,
  ): Promise<Outcome | null> {
    const scores = outputs.get('score')?.numeric;
    if (scores === undefined) return null;
    const calibration = await binaryCalibrations.of(version, period, async () => {
      const records = await store.labelledRecords(version, positiveLabel, period.untilMs);
      return records.length === 0 ? null : calibrateQuality(records);
    });
    const predictions = outputs.get('prediction') ?? emptyFeatureProfile();
    const positives = predictedPositives(predictions, positiveLabel);
    const sufficient = calibration !== null && positives !== null && hasEnough(version, scores.count);
    const window = { records: predictions.count, scores, predictedPositives: positives ?? 0, features };
    return {
      records: scores.count,
      estimates: sufficient ? estimateQuality(calibration, window) : null,
      calibrationRecords: calibration?.records ?? 0,
    };
  }

  async function classEstimates(
    version: EstimatedVersion,
    { outputs, features }: ProfiledWindow,
    confidences: ReadonlyMap<string, NumericHistogram> = new Map(),
    period: CalibrationPeriod,
  ): Promise<Outcome> {
    const calibration = await classCalibrations.of(version, period, async () => {
      const records = await store.classifiedRecords(version, period.untilMs);
      return records.length === 0 ? null : calibrateClasses(records);
    });
    const records = outputs.get('prediction')?.count ?? 0;
    const scored = [...confidences.values()].reduce((sum, { count }) => sum + count, 0);
    const sufficient = calibration !== null && hasEnough(version, scored);
    return {
      records: scored,
      estimates: sufficient ? estimateClassQuality(calibration, { records, confidences, features }) : null,
      calibrationRecords: calibration?.records ?? 0,
    };
  }

  function hasEnough({ model }: VersionName, records: number): boolean {
    return records >= settings.of(model).detection.minimumRecords;
  }

  function reset(): void {
    lastLooks.clear();
    binaryCalibrations.clear();
    classCalibrations.clear();
  }

  return {
    estimate,
    reset,
    held: () => ({ calibrations: binaryCalibrations.size() + classCalibrations.size() }),
  };
}
