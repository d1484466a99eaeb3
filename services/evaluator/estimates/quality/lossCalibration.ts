import type { FeatureValue } from '../../../shared/profile/featureProfile.ts';
import { type BoostedTrees, crossFit } from '../../learning/boostedTrees.ts';
import {
  codedFeature,
  type FeatureCoding,
  featureCoding,
  featureCodings,
} from '../../learning/featureCoding.ts';
import type { CodedFeature } from '../../learning/regressionTree.ts';

/** A prediction of a regression. */
export interface PredictedNumber {
  /** Finite. */
  predicted: number;
  features: ReadonlyMap<string, FeatureValue>;
}

/** A prediction of a regression whose label is known. The square of its error is finite. */
export interface LabelledNumber extends PredictedNumber {
  label: number;
}

/** Predicts the loss of a record from its prediction and features. */
export interface LossModel {
  models: BoostedTrees[];
  /** Variance of a loss, as a multiple of the square of its prediction. */
  spread: number;
}

/** What the labelled records of a regression say about its errors. */
export interface LossCalibration {
  records: number;
  prediction: FeatureCoding;
  features: FeatureCoding[];
  absolute: LossModel;
  squared: LossModel;
  bytes: number;
}

/** Features to learn from, the first by name. Learning takes time in proportion to their number. */
export const maxLossFeatures = 40;
const bytesPerCoding = 4_000;

/**
 * Learns models of the absolute and the squared error from predictions and features (direct loss
 * estimation, as in NannyML's DLE). The generator yields after each model.
 *
 * @param records in the order of time, at least two
 *
 * O(records · features).
 */
export function* calibrateLoss(
  records: readonly LabelledNumber[],
): Generator<void, LossCalibration> {
  const prediction = featureCoding(
    '',
    records.map(({ predicted }) => predicted),
  );
  const features = featureCodings(
    records.map(record => record.features),
    maxLossFeatures,
  );
  const coded = codedRecords({ prediction, features }, records);
  const errors = Float64Array.from(records, ({ predicted, label }) => predicted - label);
  const absolute = yield* lossModel(coded, errors.map(Math.abs));
  const squared = yield* lossModel(
    coded,
    errors.map(error => error * error),
  );
  const bytes = absolute.bytes + squared.bytes + bytesPerCoding * coded.length;
  return {
    records: records.length,
    prediction,
    features,
    absolute: absolute.model,
    squared: squared.model,
    bytes,
  };
}

/** Codes the predictions and features of records as the loss models expect them. */
export function codedRecords(
  { prediction, features }: Pick<LossCalibration, 'prediction' | 'features'>,
  records: readonly PredictedNumber[],
): CodedFeature[] {
  return [
    codedFeature(
      prediction,
      records.map(({ predicted }) => predicted),
    ),
    ...features.map(coding =>
      codedFeature(
        coding,
        records.map(record => record.features.get(coding.name)),
      ),
    ),
  ];
}

/** The spread is measured on held-out records, because residuals of the training are too small. */
function* lossModel(
  features: readonly CodedFeature[],
  losses: Float64Array,
): Generator<void, { model: LossModel; bytes: number }> {
  const { models, heldOut, bytes } = yield* crossFit(features, losses);
  let squaredResiduals = 0;
  let squaredPredictions = 0;
  for (const [record, predicted] of heldOut.entries()) {
    squaredResiduals += (losses[record]! - predicted) ** 2;
    squaredPredictions += predicted ** 2;
  }
  const spread = squaredPredictions === 0 ? 0 : squaredResiduals / squaredPredictions;
  return { model: { models, spread }, bytes };
}
