import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { VersionWindows } from '../windows/versionWindows.ts';
import type { Estimates } from './quality/estimate.ts';
import type { EstimatedVersion } from './quality/windowEstimates.ts';
import type { WindowName } from './store/rowsByWindow.ts';

/** A window whose quality can be estimated. */
export interface EstimableWindow extends WindowName {
  /** Number of predictions that an estimate can be made from. */
  records: number;
}

/** What labelled records say about later ones without labels. */
export interface Calibration {
  records: number;
  bytes: number;
}

/** How quality is estimated for one task. */
export interface EstimationMethod<
  Window extends EstimableWindow,
  CalibrationOfTask extends Calibration,
> {
  /** Windows that one query reads. */
  maxWindowsPerQuery: number;
  /** Reads windows of one size. A window without usable predictions is absent. */
  readWindows(
    clickhouse: Clickhouse,
    windows: readonly (VersionWindows & EstimatedVersion)[],
    windowSizeMs: number,
  ): Promise<Window[]>;
  /** Makes a calibration from the labels before a time. Null if they are too few. */
  calibrate(
    clickhouse: Clickhouse,
    version: EstimatedVersion,
    untilMs: number,
  ): Promise<CalibrationOfTask | null>;
  /** Estimates a window. Null if it does not tell enough. */
  estimate(
    calibration: CalibrationOfTask,
    window: Window,
    version: EstimatedVersion,
  ): Estimates | null;
}
