import { bucketKey } from '../../shared/profile/bucketKey.ts';
import type { FeatureValue } from '../../shared/profile/featureProfile.ts';
import {
  addNumber,
  emptyNumericHistogram,
  type NumericHistogram,
} from '../../shared/profile/numericHistogram.ts';
import { type FeatureMatching, featureMatching } from '../learning/featureMatching.ts';

/** A prediction of a multiclass model whose truth is known. */
export interface ClassifiedRecord {
  predicted: string;
  /** Probability of the predicted class; finite. */
  confidence: number;
  label: string;
  features: ReadonlyMap<string, FeatureValue>;
}

/** Records of a calibration for which one class was predicted. */
export interface PredictedClass {
  confidences: NumericHistogram;
  /** Of each: its place among all records, its confidence as a key of the finest buckets, and its label. */
  places: number[];
  keys: number[];
  labels: number[];
}

/** What labelled records say of how often a predicted class is right, and what it is otherwise. */
export interface ClassCalibration {
  records: number;
  /** Classes that occur as label or prediction. */
  classes: readonly string[];
  predicted: ReadonlyMap<string, PredictedClass>;
  matching: FeatureMatching;
  bytes: number;
}

const bytesPerRecord = 24;

/** @param records in the order of time, at least one */
export function calibrateClasses(records: readonly ClassifiedRecord[]): ClassCalibration {
  const classes = [
    ...new Set(records.flatMap(({ predicted, label }) => [predicted, label])),
  ].sort();
  const indexOf = new Map(classes.map((name, index) => [name, index]));
  const predicted = new Map<string, PredictedClass>();
  for (const [place, record] of records.entries()) {
    const of = predicted.get(record.predicted) ?? {
      confidences: emptyNumericHistogram(),
      places: [],
      keys: [],
      labels: [],
    };
    predicted.set(record.predicted, of);
    addNumber(of.confidences, record.confidence);
    of.places.push(place);
    of.keys.push(bucketKey(record.confidence));
    of.labels.push(indexOf.get(record.label)!);
  }
  const matching = featureMatching(records.map(({ features }) => features));
  return {
    records: records.length,
    classes,
    predicted,
    matching,
    bytes: matching.bytes + bytesPerRecord * records.length,
  };
}
