import type { FeatureValue } from '../../shared/profile/featureProfile.ts';
import { type BoostedTrees, crossFit } from '../learning/boostedTrees.ts';
import {
  codedFeature,
  type FeatureCoding,
  featureCoding,
  featureCodings,
} from '../learning/featureCoding.ts';
import type { CodedFeature } from '../learning/regressionTree.ts';

/** A prediction of a regression. */
export interface PredictedNumber {
  /** Finite. */
  predicted: number;
  features: ReadonlyMap<string, FeatureValue>;
}

/** A prediction of a regression whose truth is known; the square of its error is finite. */
export interface LabelledNumber extends PredictedNumber {
  label: number;
}

/** What labelled records say of how large a loss is. */
export interface LossModel {
  models: BoostedTrees[];
  /** Variance of a loss, in squares of what the models expect of it. */
  spread: number;
}

export interface LossCalibration {
  records: number;
  prediction: FeatureCoding;
  features: FeatureCoding[];
  absolute: LossModel;
  squared: LossModel;
  bytes: number;
}

/** The first by name: learning takes time in proportion. */
export const mostLossFeatures = 40;
const bytesPerCoding = 4_000;

/**
 * Models of the absolute and the squared error by prediction and features (direct loss estimation, as NannyML's DLE).
 * @param records in the order of time, at least two. O(records · features)
 */
export async function calibrateLoss(records: readonly LabelledNumber[]): Promise<LossCalibration> {
  const prediction = featureCoding(
    '',
    records.map(({ predicted }) => predicted),
  );
  const features = featureCodings(
    records.map(record => record.features),
    mostLossFeatures,
  );
  const coded = codedRecords({ prediction, features }, records);
  const errors = Float64Array.from(records, ({ predicted, label }) => predicted - label);
  const absolute = await lossModel(coded, errors.map(Math.abs));
  const squared = await lossModel(
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

/** As the models take them. */
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

/** Held out losses tell the spread: those that were learned from lie nearer to what is expected of them. */
async function lossModel(
  features: readonly CodedFeature[],
  losses: Float64Array,
): Promise<{ model: LossModel; bytes: number }> {
  const { models, heldOut, bytes } = await crossFit(features, losses);
  let squaredRests = 0;
  let squares = 0;
  for (const [record, expected] of heldOut.entries()) {
    squaredRests += (losses[record]! - expected) ** 2;
    squares += expected ** 2;
  }
  return { model: { models, spread: squares === 0 ? 0 : squaredRests / squares }, bytes };
}
