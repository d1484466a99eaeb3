import type { EstimationMethod } from './estimationMethod.ts';
import { estimateLoss } from './quality/estimatedLoss.ts';
import { calibrateLoss, type LossCalibration } from './quality/lossCalibration.ts';
import { runInTurns } from './runInTurns.ts';
import { labelledNumbers } from './store/calibrationRecords.ts';
import { type SampledWindow, sampledWindows } from './store/sampledWindows.ts';

/** Calibrations from fewer labelled records are not made. */
const minLabelled = 2;

/** Estimates regressions from whole records: each prediction with its features. */
export const regressionMethod: EstimationMethod<SampledWindow, LossCalibration> = {
  // Of each window up to `maxSampledRecords` records are read.
  maxWindowsPerQuery: 8,

  readWindows: sampledWindows,

  async calibrate(clickhouse, version, untilMs) {
    const labelled = await labelledNumbers(clickhouse, version, untilMs);
    return labelled.length < minLabelled ? null : runInTurns(calibrateLoss(labelled));
  },

  estimate: estimateLoss,
};
