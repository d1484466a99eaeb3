import type { Clickhouse } from '../shared/clickhouse.ts';
import type { ServiceMetrics } from '../shared/metrics.ts';
import { emptyFeatureProfile } from '../shared/profile/featureProfile.ts';
import type { Settings } from '../shared/settings.ts';
import { windowStartMs } from '../shared/timeWindow.ts';
import { type VersionName, versionKey } from '../shared/versionKey.ts';
import {
  type CalibrationPeriod,
  calibrationPeriods,
  largestSize,
  noCalibration,
  numberOfSizes,
  periodBefore,
} from './calibrationPeriod.ts';
import { estimateQuality } from './estimatedQuality.ts';
import { type EstimatedVersion, estimateStore, type ProfiledWindow, type WindowEstimates } from './estimateStore.ts';
import { predictedPositives } from './predictedPositives.ts';
import { calibrateQuality, type QualityCalibration } from './qualityCalibration.ts';
import { portionsOfWindows } from './versionWindows.ts';

const mostWindowsPerQuery = 50;
const mostVersionsRemembered = 100_000;
export const mostCalibrationBytes = 64 * 1024 * 1024;

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

interface KnownCalibration {
  /** What it was made from: period, its labels, positive label. */
  source: string;
  calibration: QualityCalibration;
}

export interface WindowEstimator {
  /** @param positiveLabelOf that of a binary model, else null */
  estimate(changed: readonly ChangedVersion[], positiveLabelOf: (version: VersionName) => string | null): Promise<void>;
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
  /** By version and step, in the order of their last use. */
  const calibrations = new Map<string, KnownCalibration>();

  async function estimate(
    changed: readonly ChangedVersion[],
    positiveLabelOf: (version: VersionName) => string | null,
  ): Promise<void> {
    const binary = changed.flatMap(version => {
      const positiveLabel = positiveLabelOf(version);
      return positiveLabel === null
        ? []
        : [{ ...version, positiveLabel, windowSizeMs: settings.of(version.model).window }];
    });
    if (binary.length === 0) return;
    const maxEventTimesMs = await store.maxEventTimesMs(binary);
    for (const version of binary) {
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
    const periodsKey = `${version.positiveLabel} ${periods.map(sourceOf).join(' ')}`;
    const samePeriods = last?.periods === periodsKey;
    if (!samePeriods || last.endedMs < endedMs) {
      const fromMs = samePeriods ? last.endedMs - windowSizeMs : 0;
      for (const startMs of await store.windowsToEstimate(version, periods, fromMs, endedMs)) startsMs.add(startMs);
    }
    for (const portion of portionsOfWindows([{ ...version, startsMs }], mostWindowsPerQuery)) {
      const windows = await store.profiledWindows(portion, windowSizeMs);
      const estimated: WindowEstimates[] = [];
      for (const window of windows) {
        if (!window.outputs.has('score')) continue;
        const period = periodBefore(periods, window.startMs);
        estimated.push(await estimatesOf(version, window, period, detection.minimumRecords));
      }
      await store.insertEstimates(estimated);
      metrics.rows.inc({ table: 'estimated_quality' }, estimated.length);
    }
    if (lastLooks.size > mostVersionsRemembered) lastLooks.clear();
    const largest = periods[numberOfSizes];
    lastLooks.set(key, { periods: periodsKey, endedMs, completeMs: largest?.untilMs ?? null });
  }

  async function estimatesOf(
    { model, version, windowSizeMs, positiveLabel }: EstimatedVersion,
    { startMs, outputs, features }: ProfiledWindow,
    period: CalibrationPeriod,
    minimumRecords: number,
  ): Promise<WindowEstimates> {
    const ofVersion = { model, version, windowSizeMs, positiveLabel };
    const predictions = outputs.get('prediction') ?? emptyFeatureProfile();
    const scores = outputs.get('score')!.numeric;
    const calibration = period.step === 0 ? null : await calibrationOf(ofVersion, period);
    const positives = predictedPositives(predictions, positiveLabel);
    const sufficient = calibration !== null && positives !== null && scores.count >= minimumRecords;
    const window = { records: predictions.count, scores, predictedPositives: positives ?? 0, features };
    return {
      ...ofVersion,
      startMs,
      records: scores.count,
      estimates: sufficient ? estimateQuality(calibration, window) : null,
      period,
      calibrationRecords: calibration?.records ?? 0,
    };
  }

  /** null where none of the labelled records has a score. */
  async function calibrationOf(
    version: EstimatedVersion,
    period: CalibrationPeriod,
  ): Promise<QualityCalibration | null> {
    const key = `${versionKey(version)} ${period.step}`;
    const source = `${version.positiveLabel} ${sourceOf(period)}`;
    const known = calibrations.get(key);
    calibrations.delete(key);
    if (known?.source === source) {
      calibrations.set(key, known);
      return known.calibration;
    }
    const records = await store.labelledRecords(version, period.untilMs);
    if (records.length === 0) return null;
    const calibration = calibrateQuality(records);
    calibrations.set(key, { source, calibration });
    forgetLeastUsed();
    return calibration;
  }

  function forgetLeastUsed(): void {
    let bytes = [...calibrations.values()].reduce((sum, { calibration }) => sum + calibration.bytes, 0);
    for (const [key, { calibration }] of calibrations) {
      if (bytes <= mostCalibrationBytes) return;
      calibrations.delete(key);
      bytes -= calibration.bytes;
      metrics.cacheEvictions.inc({ cache: 'calibrations' });
    }
  }

  function reset(): void {
    lastLooks.clear();
    calibrations.clear();
  }

  return { estimate, reset, held: () => ({ calibrations: calibrations.size }) };
}

const sourceOf = ({ step, untilMs, progress }: CalibrationPeriod) => `${step}/${untilMs}/${progress}`;
