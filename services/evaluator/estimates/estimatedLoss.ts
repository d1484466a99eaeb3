import { boostedValues } from '../learning/boostedTrees.ts';
import type { CodedFeature } from '../learning/regressionTree.ts';
import { type Estimate, estimateAbove, type LossMetric } from './estimate.ts';
import {
  codedRecords,
  type LossCalibration,
  type LossModel,
  type PredictedNumber,
} from './lossCalibration.ts';

/** Predictions of a window of a regression. */
export interface UnlabelledNumbers {
  records: number;
  /** All of them, or some at random; at least one. */
  sample: readonly PredictedNumber[];
}

/**
 * Errors of a window before its labels are known: the mean of what is expected of its records, as
 * far as records with the same features and prediction are as far off as they were in the
 * calibration. Direct loss estimation (NannyML's DLE), here by the mean of models each of which has
 * not seen a part of the calibration. It cannot see that the same inputs now have other labels.
 *
 * @returns null for a figure that is too large for a number
 */
export function estimateLoss(
  calibration: LossCalibration,
  { records, sample }: UnlabelledNumbers,
): Record<LossMetric, Estimate | null> {
  const features = codedRecords(calibration, sample);
  const squared = estimateOf(calibration.squared, features, sample.length, records);
  return {
    mae: estimateOf(calibration.absolute, features, sample.length, records),
    rmse: squared && {
      value: Math.sqrt(squared.value),
      lower: Math.sqrt(squared.lower),
      upper: Math.sqrt(squared.upper),
    },
  };
}

/**
 * Mean loss, with the variance of the losses around what is expected of them, of which records were
 * drawn, and of what was learned: by the jackknife over the blocks that the models have not seen,
 * (k - 1) / k Σ (mean of one - mean of all)² (Künsch, Annals of Statistics 17, 1989).
 */
function estimateOf(
  { models, spread }: LossModel,
  features: readonly CodedFeature[],
  drawn: number,
  records: number,
): Estimate | null {
  const ofModels = models.map(model => boostedValues(model, features, 0, drawn));
  const meansOfModels = ofModels.map(
    values => values.reduce((total, value) => total + value, 0) / drawn,
  );
  let sum = 0;
  let squares = 0;
  for (let record = 0; record < drawn; record++) {
    const expected = ofModels.reduce((total, values) => total + values[record]!, 0) / models.length;
    sum += expected;
    squares += expected * expected;
  }
  const mean = sum / drawn;
  const meanSquare = squares / drawn;
  const ofLosses = (spread * meanSquare) / records;
  const ofDrawing = (Math.max(0, meanSquare - mean * mean) / drawn) * (1 - drawn / records);
  const jackknife = meansOfModels.reduce((total, of) => total + (of - mean) ** 2, 0);
  const ofLearning = ((models.length - 1) / models.length) * jackknife;
  const variance = ofLosses + ofDrawing + ofLearning;
  if (variance === 0) return { value: mean, lower: mean, upper: mean };
  const estimate = estimateAbove(mean, variance);
  return mean > 0 && Number.isFinite(estimate.upper) ? estimate : null;
}
