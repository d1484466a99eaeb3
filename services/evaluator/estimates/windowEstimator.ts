import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { Settings } from '../../shared/config/settings.ts';
import { emptyFeatureProfile } from '../../shared/profile/featureProfile.ts';
import type { NumericHistogram } from '../../shared/profile/numericHistogram.ts';
import type { ServiceMetrics } from '../../shared/service/metrics.ts';
import type { TaskDecision } from '../../shared/task.ts';
import { windowStartMs } from '../../shared/timeWindow.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import { portionsOfWindows } from '../performance/versionWindows.ts';
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
import { estimateLoss } from './estimatedLoss.ts';
import { estimateQuality } from './estimatedQuality.ts';
import {
  type EstimatedVersion,
  estimateStore,
  type ProfiledWindow,
  type SampledWindow,
  type WindowEstimates,
  windowKey,
} from './estimateStore.ts';
import { calibrateLoss, type LossCalibration } from './lossCalibration.ts';
import { predictedPositives } from './predictedPositives.ts';
import { calibrateQuality, type QualityCalibration } from './qualityCalibration.ts';
import { runInTurns } from './runInTurns.ts';

const mostWindowsPerQuery = 50;
/** Of regressions, of which records are read: at most `mostSampledRecords` each. */
const mostSampledWindowsPerQuery = 8;
const mostVersionsPerQuery = 200;
const mostVersionsRemembered = 100_000;
export const mostCalibrationBytes = 64 * 1024 * 1024;

/**
 * What the last look at a version found: windows are looked for again only from there on, or when
 * the periods have changed.
 */
interface LastLook {
  decision: string;
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

/** A version that may have windows to estimate. */
interface Look extends EstimatedVersion {
  /** Windows that start before have ended. */
  endedMs: number;
  /** Windows to estimate. */
  startsMs: Set<number>;
  beforeMs: number | null;
  periods: readonly CalibrationPeriod[];
  last: LastLook | undefined;
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
 * Estimates the quality of the windows that have ended, and again when their predictions change, or
 * the labels of the calibration; never for their own labels, as a calibration ends before the
 * window. What is in memory only saves queries: all that is missing or from another calibration is
 * found in ClickHouse. Performance rows are written before this looks at them, so the last
 * evaluator to look has seen all.
 */
export function windowEstimator(
  clickhouse: Clickhouse,
  settings: Settings,
  metrics: ServiceMetrics,
): WindowEstimator {
  const store = estimateStore(clickhouse);
  const lastLooks = new Map<string, LastLook>();
  const onEvicted = () => metrics.cacheEvictions.inc({ cache: 'calibrations' });
  const binaryCalibrations = calibrationCache<QualityCalibration>(mostCalibrationBytes, onEvicted);
  const classCalibrations = calibrationCache<ClassCalibration>(mostCalibrationBytes, onEvicted);
  const lossCalibrations = calibrationCache<LossCalibration>(mostCalibrationBytes, onEvicted);

  async function estimate(
    changed: readonly ChangedVersion[],
    decisionOf: (version: VersionName) => TaskDecision | undefined,
  ): Promise<void> {
    const versions = changed.flatMap(version => {
      const decision = decisionOf(version);
      return decision === undefined
        ? []
        : [{ ...version, ...decision, windowSizeMs: settings.of(version.model).window }];
    });
    if (versions.length === 0) return;
    const maxEventTimesMs = await store.maxEventTimesMs(versions);
    const looks = versions.flatMap(version => {
      const maxEventTimeMs = maxEventTimesMs.get(versionKey(version));
      return maxEventTimeMs === undefined ? [] : lookAt(version, maxEventTimeMs);
    });
    for (let from = 0; from < looks.length; from += mostVersionsPerQuery)
      await estimateVersions(looks.slice(from, from + mostVersionsPerQuery));
  }

  /**
   * None where neither a window has ended, nor one that was estimated has changed, nor can the
   * calibration have.
   */
  function lookAt(version: ChangedVersion & EstimatedVersion, maxEventTimeMs: number): Look[] {
    const { windowSizeMs, predictedMs, earliestMs } = version;
    const last = lastLooks.get(versionKey(version));
    const endedMs = windowStartMs(
      maxEventTimeMs - settings.of(version.model).allowedLateness,
      windowSizeMs,
    );
    const startsMs = new Set([...predictedMs].filter(startMs => startMs + windowSizeMs <= endedMs));
    const beforeMs = last?.completeMs ?? null;
    const sameLabels =
      last?.decision === decisionText(version) && beforeMs !== null && earliestMs >= beforeMs;
    if (last?.endedMs === endedMs && startsMs.size === 0 && sameLabels) return [];
    return [{ ...version, endedMs, startsMs, beforeMs, periods: [], last }];
  }

  async function estimateVersions(looks: readonly Look[]): Promise<void> {
    const firstRecords = ({ model }: VersionName) => settings.of(model).detection.bootstrapRecords;
    const mostLabelled = looks.reduce(
      (most, look) => Math.max(most, firstRecords(look) * largestSize),
      0,
    );
    const labelled = await store.labelledWindows(looks, mostLabelled);
    for (const look of looks) {
      const { endedMs, windowSizeMs, last, startsMs } = look;
      look.periods = [
        noCalibration,
        ...calibrationPeriods(labelled.get(versionKey(look))!, firstRecords(look)),
      ];
      const samePeriods = last?.decision === decisionText(look) && last.periods === sourceOf(look);
      if (samePeriods && last.endedMs === endedMs) continue;
      const fromMs = samePeriods ? last.endedMs - windowSizeMs : 0;
      for (const startMs of await store.windowsToEstimate(look, look.periods, fromMs, endedMs))
        startsMs.add(startMs);
    }
    const alike = Map.groupBy(looks, look => `${look.windowSizeMs} ${look.task}`);
    for (const ofTask of alike.values()) {
      const mostWindows =
        ofTask[0]!.task === 'regression' ? mostSampledWindowsPerQuery : mostWindowsPerQuery;
      for (const portion of portionsOfWindows(ofTask, mostWindows)) await estimatePortion(portion);
    }
    if (lastLooks.size > mostVersionsRemembered) lastLooks.clear();
    for (const look of looks) {
      const { endedMs, periods } = look;
      const completeMs = periods[numberOfSizes]?.untilMs ?? null;
      lastLooks.set(versionKey(look), {
        decision: decisionText(look),
        periods: sourceOf(look),
        endedMs,
        completeMs,
      });
    }
  }

  /** @param portion windows of one size and task */
  async function estimatePortion(portion: readonly Look[]): Promise<void> {
    const { windowSizeMs, task } = portion[0]!;
    const looks = new Map(portion.map(look => [versionKey(look), look]));
    const estimated: WindowEstimates[] = [];
    const add = async (
      { startMs, ...window }: VersionName & { startMs: number },
      outcomeOf: (version: EstimatedVersion, period: CalibrationPeriod) => Promise<Outcome | null>,
    ) => {
      const { model, version, positiveLabel, periods } = looks.get(versionKey(window))!;
      const period = periodBefore(periods, startMs);
      const name = { model, version, windowSizeMs, task, positiveLabel };
      const outcome = await outcomeOf(name, period);
      if (outcome !== null) estimated.push({ ...name, startMs, period, ...outcome });
    };
    if (task === 'regression') {
      for (const window of await store.sampledWindows(portion, windowSizeMs))
        await add(window, (version, period) => lossEstimates(version, window, period));
    } else {
      const confidences =
        task === 'multiclass' ? await store.confidences(portion, windowSizeMs) : null;
      for (const window of await store.profiledWindows(portion, windowSizeMs))
        await add(window, (version, period) =>
          confidences === null
            ? binaryEstimates(version, window, period)
            : classEstimates(
                version,
                window,
                confidences.get(windowKey(window, window.startMs)),
                period,
              ),
        );
    }
    metrics.rows.inc({ table: 'estimated_quality' }, await store.insertEstimates(estimated));
  }

  /** null for a window without scores. */
  async function binaryEstimates(
    version: EstimatedVersion,
    { outputs, features }: ProfiledWindow,
    period: CalibrationPeriod,
  ): Promise<Outcome | null> {
    const positiveLabel = version.positiveLabel!;
    const scores = outputs.get('score')?.numeric;
    if (scores === undefined) return null;
    const calibration = await binaryCalibrations.of(version, period, async () => {
      const records = await store.labelledRecords(version, positiveLabel, period.untilMs);
      return records.length === 0 ? null : calibrateQuality(records);
    });
    const predictions = outputs.get('prediction') ?? emptyFeatureProfile();
    const positives = predictedPositives(predictions, positiveLabel);
    const sufficient =
      calibration !== null && positives !== null && hasEnough(version, scores.count);
    const window = {
      records: predictions.count,
      scores,
      predictedPositives: positives ?? 0,
      features,
    };
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
      estimates: sufficient
        ? estimateClassQuality(calibration, { records, confidences, features })
        : null,
      calibrationRecords: calibration?.records ?? 0,
    };
  }

  async function lossEstimates(
    version: EstimatedVersion,
    { records, sample }: SampledWindow,
    period: CalibrationPeriod,
  ): Promise<Outcome> {
    const calibration = await lossCalibrations.of(version, period, async () => {
      const labelled = await store.labelledNumbers(version, period.untilMs);
      return labelled.length < 2 ? null : runInTurns(calibrateLoss(labelled));
    });
    const sufficient = calibration !== null && hasEnough(version, records);
    return {
      records,
      estimates: sufficient ? estimateLoss(calibration, { records, sample }) : null,
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
    lossCalibrations.clear();
  }

  return {
    estimate,
    reset,
    held: () => ({
      calibrations: binaryCalibrations.size() + classCalibrations.size() + lossCalibrations.size(),
    }),
  };
}

const sourceOf = ({ periods }: Look) => periods.map(sourceOfPeriod).join(' ');

const decisionText = ({ task, positiveLabel }: EstimatedVersion) => `${task} ${positiveLabel}`;
