/** A window with labels. */
export interface LabelledWindow {
  endMs: number;
  labelled: number;
  /** Progress of its row in performance_windows. */
  progress: bigint;
}

/** The first windows of a version that together hold enough labelled records for a calibration. */
export interface CalibrationPeriod {
  /** Number of the calibration's size, 1 to 4; 0 if there is none yet. */
  step: number;
  untilMs: number;
  /** Sum over the windows of the period. */
  progress: bigint;
}

export const noCalibration: CalibrationPeriod = { step: 0, untilMs: 0, progress: 0n };

/**
 * Sizes of a calibration, as multiples of the first. There are few of them, so that a version is
 * calibrated again only a few times.
 */
const sizes = [1, 2, 4, 8];
export const numberOfSizes = sizes.length;
export const maxSize = sizes.at(-1)!;

/**
 * Returns the periods that are complete. When labels are added to windows, there can only be more
 * periods, or periods that end earlier.
 *
 * @param windows of a version in the order of time
 * @param firstRecords labelled records that the first calibration needs
 * @example
 * calibrationPeriods([{ endMs: 10, labelled: 5, progress: 7n }], 5)
 * // [{ step: 1, untilMs: 10, progress: 7n }]
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
 * Returns the largest period that ended before a window started, so that no label of the window or
 * of a later one has a part in its estimate.
 */
export function periodBefore(
  periods: readonly CalibrationPeriod[],
  startMs: number,
): CalibrationPeriod {
  return periods.findLast(({ untilMs }) => untilMs <= startMs) ?? noCalibration;
}

/** Returns a text that changes with every label of the period. */
export const sourceOfPeriod = ({ step, untilMs, progress }: CalibrationPeriod) =>
  `${step}/${untilMs}/${progress}`;
