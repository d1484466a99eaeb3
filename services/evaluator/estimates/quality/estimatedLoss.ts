import { boostedValues } from '../../learning/boostedTrees.ts';
import type { CodedFeature } from '../../learning/regressionTree.ts';
import { type Estimate, estimateAbove, type LossMetric } from './estimate.ts';
import {
  codedRecords,
  type LossCalibration,
  type LossModel,
  type PredictedNumber,
} from './lossCalibration.ts';

/** The predictions of a window of a regression. */
export interface UnlabelledNumbers {
  records: number;
  /** All of them, or a random sample; at least one. */
  sample: readonly PredictedNumber[];
  /** Weights of the records in the sample; absent if all records of the window have a weight of 1. */
  weights?: readonly number[] | undefined;
}

/**
 * Estimates the errors of a window of a regression before its labels are known, as the mean of the
 * losses that models predict for its records (direct loss estimation: NannyML's DLE). This holds
 * provided that records with the same features and prediction are as wrong as they were in the
 * calibration. Predictions are the mean of several models, each learned without a part of the
 * calibration.
 *
 * The estimate cannot see that the same inputs now have other labels.
 *
 * @returns null for a figure that is too large for a number
 */
export function estimateLoss(
  calibration: LossCalibration,
  { records, sample, weights }: UnlabelledNumbers,
): Record<LossMetric, Estimate | null> {
  const features = codedRecords(calibration, sample);
  const ones = new Array<number>(sample.length).fill(1);
  const squared = estimateOf(calibration.squared, features, weights ?? ones, records);
  return {
    mae: estimateOf(calibration.absolute, features, weights ?? ones, records),
    rmse: squared && {
      value: Math.sqrt(squared.value),
      lower: Math.sqrt(squared.lower),
      upper: Math.sqrt(squared.upper),
    },
  };
}

/**
 * Returns the mean loss with the sum of three variances: of the losses around their predictions, of
 * the choice of the sample, and of the learning. The last is the jackknife over the blocks that
 * each model has not seen, (k - 1) / k Σ (mean of one - mean of all)² (Künsch, Annals of Statistics
 * 17, 1989).
 */
function estimateOf(
  { models, spread }: LossModel,
  features: readonly CodedFeature[],
  weights: readonly number[],
  records: number,
): Estimate | null {
  const sampled = weights.length;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const meanOf = (values: ArrayLike<number>) =>
    weights.reduce((sum, weight, record) => sum + weight * values[record]!, 0) / total;
  const ofModels = models.map(model => boostedValues(model, features, 0, sampled));
  const meansOfModels = ofModels.map(meanOf);
  const losses = weights.map(
    (_, record) => ofModels.reduce((sum, values) => sum + values[record]!, 0) / models.length,
  );
  const mean = meanOf(losses);
  /** Variance of the mean, if each loss varies by the square of its part. */
  const varianceOf = (parts: readonly number[]) =>
    parts.reduce((sum, part, record) => sum + ((weights[record]! / total) * part) ** 2, 0);
  const ofLosses = spread * varianceOf(losses) * (sampled / records);
  const ofSampling = varianceOf(losses.map(loss => loss - mean)) * (1 - sampled / records);
  const jackknife = meansOfModels.reduce((total, of) => total + (of - mean) ** 2, 0);
  const ofLearning = ((models.length - 1) / models.length) * jackknife;
  const variance = ofLosses + ofSampling + ofLearning;
  if (variance === 0) return { value: mean, lower: mean, upper: mean };
  const estimate = estimateAbove(mean, variance);
  return mean > 0 && Number.isFinite(estimate.upper) ? estimate : null;
}
