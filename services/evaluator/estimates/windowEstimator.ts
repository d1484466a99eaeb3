import { chunk } from '../../shared/chunk.ts';
import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { Settings } from '../../shared/config/settings.ts';
import { meaningKey, type OutputMeaning } from '../../shared/output/outputMeaning.ts';
import type { ServiceMetrics } from '../../shared/service/metrics.ts';
import type { Task } from '../../shared/task.ts';
import { windowStartMs } from '../../shared/timeWindow.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import { forgetIfFull } from '../windows/savedQueries.ts';
import { binaryMethod } from './binaryMethod.ts';
import { multiclassMethod } from './multiclassMethod.ts';
import {
  type CalibrationPeriod,
  calibrationPeriods,
  maxSize,
  noCalibration,
  numberOfSizes,
  sourceOfPeriod,
} from './quality/calibrationPeriod.ts';
import type { EstimatedVersion } from './quality/windowEstimates.ts';
import { regressionMethod } from './regressionMethod.ts';
import { insertEstimates } from './store/insertEstimates.ts';
import { labelledWindows } from './store/labelledWindows.ts';
import { maxEventTimesMs } from './store/maxEventTimes.ts';
import { windowsToEstimate } from './store/windowsToEstimate.ts';
import { TaskEstimator, type WindowsToEstimate } from './taskEstimator.ts';

const maxVersionsPerQuery = 200;

/** A version whose predictions or labels have changed. */
export interface ChangedVersion extends VersionName {
  meaning: OutputMeaning;
  /** Windows whose predictions have changed. */
  predictedMs: ReadonlySet<number>;
  /** The first window that has changed at all. */
  earliestMs: number;
}

/**
 * What the last look at a version found. Windows are looked for again only from there on, or when
 * the meaning of the outputs or the periods have changed.
 */
interface LastLook {
  meaning: string;
  periods: string;
  endedMs: number;
  /** End of the largest period; null while it is not complete. */
  completeMs: number | null;
}

/** A version that may have windows to estimate. */
interface Look extends EstimatedVersion {
  /** Windows that end at or before this time have ended. */
  endedMs: number;
  /** Ended windows whose predictions have changed. */
  predictedMs: ReadonlySet<number>;
  last: LastLook | undefined;
}

/**
 * Estimates the quality of the windows that have ended. It estimates a window again when its
 * predictions change, or the labels of its calibration, but never for the window's own labels,
 * because a calibration ends before the window.
 *
 * Invariant: what is in memory only saves queries. Estimates that are missing, or come from another
 * calibration, are found in ClickHouse. Performance rows are written before this looks at them, so
 * the last of several evaluators to look has seen all of them.
 */
export class WindowEstimator {
  readonly #clickhouse: Clickhouse;
  readonly #settings: Settings;
  readonly #metrics: ServiceMetrics;
  readonly #estimators: Readonly<
    Record<Task, Pick<TaskEstimator<never, never>, 'calibrations' | 'reset' | 'estimate'>>
  >;
  /** By `versionKey`. */
  readonly #lastLooks = new Map<string, LastLook>();

  constructor(clickhouse: Clickhouse, settings: Settings, metrics: ServiceMetrics) {
    const onEvicted = () => metrics.cacheEvictions.inc({ cache: 'calibrations' });
    this.#clickhouse = clickhouse;
    this.#settings = settings;
    this.#metrics = metrics;
    this.#estimators = {
      binary: new TaskEstimator(binaryMethod, clickhouse, settings, onEvicted),
      multiclass: new TaskEstimator(multiclassMethod, clickhouse, settings, onEvicted),
      regression: new TaskEstimator(regressionMethod, clickhouse, settings, onEvicted),
    };
  }

  /** Number of calibrations in memory. */
  get calibrations(): number {
    return Object.values(this.#estimators).reduce((sum, { calibrations }) => sum + calibrations, 0);
  }

  reset(): void {
    this.#lastLooks.clear();
    for (const estimator of Object.values(this.#estimators)) estimator.reset();
  }

  /** Estimates what the changes of versions make necessary, and writes it. */
  async estimate(changed: readonly ChangedVersion[]): Promise<void> {
    if (changed.length === 0) return;
    const maxEventTimes = await maxEventTimesMs(this.#clickhouse, changed);
    const looks = changed.flatMap(version => {
      const maxEventTimeMs = maxEventTimes.get(versionKey(version));
      return maxEventTimeMs === undefined ? [] : this.#lookAt(version, maxEventTimeMs);
    });
    for (const portion of chunk(looks, maxVersionsPerQuery)) {
      const found = await this.#findWindows(portion);
      await this.#estimateWindows(found);
      this.#remember(found);
    }
  }

  /**
   * Returns no look if no window has ended, no estimated window has changed, and the calibration
   * cannot have changed.
   */
  #lookAt(
    { model, version, meaning, predictedMs, earliestMs }: ChangedVersion,
    maxEventTimeMs: number,
  ): Look[] {
    const { windowSizeMs, outOfOrdernessMs } = this.#settings.of(model);
    const { task, positiveLabel } = meaning;
    const name = { model, version, task, positiveLabel, meaning, windowSizeMs };
    const last = this.#lastLooks.get(versionKey(name));
    const endedMs = windowStartMs(maxEventTimeMs - outOfOrdernessMs, windowSizeMs);
    const ended = new Set([...predictedMs].filter(startMs => startMs + windowSizeMs <= endedMs));
    const isCalibrationSame =
      last?.meaning === meaningKey(meaning) &&
      last.completeMs !== null &&
      earliestMs >= last.completeMs;
    if (last?.endedMs === endedMs && ended.size === 0 && isCalibrationSame) return [];
    return [{ ...name, endedMs, predictedMs: ended, last }];
  }

  /** Finds the periods of calibration and the windows that are to be estimated from them. */
  async #findWindows(looks: readonly Look[]): Promise<(Look & WindowsToEstimate)[]> {
    const firstRecords = ({ model }: VersionName) =>
      this.#settings.of(model).detection.bootstrapRecords;
    const minLabelled = looks.reduce(
      (most, look) => Math.max(most, firstRecords(look) * maxSize),
      0,
    );
    const labelled = await labelledWindows(
      this.#clickhouse,
      looks.map(look => ({ ...look, beforeMs: look.last?.completeMs ?? null })),
      minLabelled,
    );
    const found: (Look & WindowsToEstimate)[] = [];
    for (const look of looks) {
      const windows = labelled.get(versionKey(look))!;
      const periods = [noCalibration, ...calibrationPeriods(windows, firstRecords(look))];
      const startsMs = new Set(look.predictedMs);
      for (const startMs of await this.#windowsWithoutEstimate(look, periods))
        startsMs.add(startMs);
      found.push({ ...look, periods, startsMs });
    }
    return found;
  }

  async #windowsWithoutEstimate(
    look: Look,
    periods: readonly CalibrationPeriod[],
  ): Promise<number[]> {
    const { endedMs, windowSizeMs, last } = look;
    const isSame = last?.meaning === meaningKey(look.meaning) && last.periods === sourceOf(periods);
    if (isSame && last.endedMs === endedMs) return [];
    const fromMs = isSame ? last.endedMs - windowSizeMs : 0;
    return windowsToEstimate(this.#clickhouse, look, periods, { fromMs, endedMs });
  }

  async #estimateWindows(versions: readonly WindowsToEstimate[]): Promise<void> {
    const alike = Map.groupBy(versions, ({ windowSizeMs, task }) => `${windowSizeMs} ${task}`);
    for (const ofTask of alike.values()) {
      for await (const estimates of this.#estimators[ofTask[0]!.task].estimate(ofTask)) {
        const rows = await insertEstimates(this.#clickhouse, estimates);
        this.#metrics.rows.inc({ table: 'estimated_quality' }, rows);
      }
    }
  }

  #remember(looks: readonly (Look & WindowsToEstimate)[]): void {
    forgetIfFull(this.#lastLooks);
    for (const look of looks) {
      const { endedMs, periods } = look;
      this.#lastLooks.set(versionKey(look), {
        meaning: meaningKey(look.meaning),
        periods: sourceOf(periods),
        endedMs,
        completeMs: periods[numberOfSizes]?.untilMs ?? null,
      });
    }
  }
}

const sourceOf = (periods: readonly CalibrationPeriod[]) => periods.map(sourceOfPeriod).join(' ');
