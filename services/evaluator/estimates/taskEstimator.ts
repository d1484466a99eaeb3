import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { Settings } from '../../shared/config/settings.ts';
import { versionKey } from '../../shared/versionKey.ts';
import { portionsOfWindows, type VersionWindows } from '../windows/versionWindows.ts';
import { CalibrationCache } from './calibrationCache.ts';
import type { Calibration, EstimableWindow, EstimationMethod } from './estimationMethod.ts';
import { type CalibrationPeriod, periodBefore } from './quality/calibrationPeriod.ts';
import type { EstimatedVersion, WindowEstimates } from './quality/windowEstimates.ts';

/** Windows of a version that are to be estimated. */
export interface WindowsToEstimate extends VersionWindows, EstimatedVersion {
  /** Periods from which the version can be calibrated, the smallest first. */
  periods: readonly CalibrationPeriod[];
}

/** Estimates the windows of one task, each from the largest calibration that ended before it. */
export class TaskEstimator<Window extends EstimableWindow, CalibrationOfTask extends Calibration> {
  readonly #calibrations: CalibrationCache<CalibrationOfTask>;
  readonly #method: EstimationMethod<Window, CalibrationOfTask>;
  readonly #clickhouse: Clickhouse;
  readonly #settings: Settings;

  constructor(
    method: EstimationMethod<Window, CalibrationOfTask>,
    clickhouse: Clickhouse,
    settings: Settings,
    onEvicted: () => void,
  ) {
    this.#calibrations = new CalibrationCache(onEvicted);
    this.#method = method;
    this.#clickhouse = clickhouse;
    this.#settings = settings;
  }

  /** Number of calibrations in memory. */
  get calibrations(): number {
    return this.#calibrations.size;
  }

  /** Forgets all calibrations. */
  reset(): void {
    this.#calibrations.clear();
  }

  /**
   * Estimates windows of one size, in portions of bounded size.
   *
   * @param versions of the task; all have the same window size
   */
  async *estimate(versions: readonly WindowsToEstimate[]): AsyncGenerator<WindowEstimates[]> {
    for (const portion of portionsOfWindows(versions, this.#method.maxWindowsPerQuery))
      yield await this.#estimatePortion(portion);
  }

  async #estimatePortion(portion: readonly WindowsToEstimate[]): Promise<WindowEstimates[]> {
    const { windowSizeMs } = portion[0]!;
    const byVersion = new Map(portion.map(version => [versionKey(version), version]));
    const estimated: WindowEstimates[] = [];
    for (const window of await this.#method.readWindows(this.#clickhouse, portion, windowSizeMs))
      estimated.push(await this.#estimateWindow(window, byVersion.get(versionKey(window))!));
    return estimated;
  }

  async #estimateWindow(window: Window, version: WindowsToEstimate): Promise<WindowEstimates> {
    const { model, task, positiveLabel, meaning, windowSizeMs, periods } = version;
    const { startMs, records } = window;
    const name = { model, version: version.version, windowSizeMs, task, positiveLabel, meaning };
    const period = periodBefore(periods, startMs);
    const calibration = await this.#calibrations.of(name, period, () =>
      this.#method.calibrate(this.#clickhouse, name, period.untilMs),
    );
    const { minimumRecords } = this.#settings.of(model).detection;
    const estimates =
      calibration !== null && records >= minimumRecords
        ? this.#method.estimate(calibration, window, name)
        : null;
    const calibrationRecords = calibration?.records ?? 0;
    return { ...name, startMs, records, estimates, period, calibrationRecords };
  }
}
