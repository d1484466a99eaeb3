/** A window with labels. `progress` is that of performance_windows. */
export interface LabelledWindow {
  endMs: number;
  labelled: number;
  progress: bigint;
}

/**
 * The first windows of a version, up to where they hold enough labelled records for a calibration
 * of a size.
 */
export interface CalibrationPeriod {
  /** 1 to 4; 0 before the first. */
  step: number;
  untilMs: number;
  /** Sum over its windows. */
  progress: bigint;
}

export const noCalibration: CalibrationPeriod = { step: 0, untilMs: 0, progress: 0n };

/**
 * Sizes of a calibration, in those of the first: few, so that a version is calibrated anew only a
 * few times.
 */
const sizes = [1, 2, 4, 8];
export const numberOfSizes = sizes.length;
export const largestSize = sizes.at(-1)!;

/**
 * The periods that are complete. Labels that come to windows only ever make them more or let them
 * end earlier.
 * @param windows of a version in the order of time
 * @param firstRecords labelled records that the first calibration needs
 * @example calibrationPeriods([{ endMs: 10, labelled: 5, progress: 7n }], 5) // [{ step: 1, untilMs: 10, progress: 7n }]
 */
export function calibrationPeriods(
  windows: readonly LabelledWindow[],
  firstRecords: number,
): CalibrationPeriod[] {
  const periods: CalibrationPeriod[] = [];
  let labelled = 0;
  let progress = 0n;
  for (const window of windows) {
    labelled += window.labelled;
    progress += window.progress;
    while (periods.length < sizes.length && labelled >= firstRecords * sizes[periods.length]!)
      periods.push({ step: periods.length + 1, untilMs: window.endMs, progress });
  }
  return periods;
}

/**
 * The largest that ended before a window, so that no label of the window or of later ones has a
 * part in its estimate.
 */
export function periodBefore(
  periods: readonly CalibrationPeriod[],
  startMs: number,
): CalibrationPeriod {
  return periods.findLast(({ untilMs }) => untilMs <= startMs) ?? noCalibration;
}

/** Changes with every label of the period. */
export const sourceOfPeriod = ({ step, untilMs, progress }: CalibrationPeriod) =>
  `${step}/${untilMs}/${progress}`;
