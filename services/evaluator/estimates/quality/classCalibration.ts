import { bucketKey } from '../../../shared/profile/bucketKey.ts';
import type { FeatureValue } from '../../../shared/profile/featureProfile.ts';
import { addNumber, emptyNumericHistogram } from '../../../shared/profile/numericHistogram.ts';
import { type FeatureMatching, featureMatching } from '../../learning/featureMatching.ts';
import type { ScoredRecords } from './weightedBins.ts';

/** A prediction of a multiclass model whose label is known. */
export interface ClassifiedRecord {
  predicted: string;
  /** Probability of the predicted class; finite. */
  confidence: number;
  label: string;
  features: ReadonlyMap<string, FeatureValue>;
  /** How much the record counts in figures of quality; 1 if absent. */
  weight?: number;
}

/** Records of a calibration for which one class was predicted. Their scores are the confidences. */
export interface PredictedClass extends ScoredRecords {
  keys: number[];
  labels: number[];
  weights: number[];
  /** Index of each record among all records of the calibration. */
  places: number[];
}

/**
 * What labelled records say about how often a predicted class is right, and what it is otherwise.
 */
export interface ClassCalibration {
  records: number;
  /** Classes that occur as label or prediction. */
  classes: readonly string[];
  predicted: ReadonlyMap<string, PredictedClass>;
  matching: FeatureMatching;
  bytes: number;
}

const bytesPerRecord = 32;

/** Calibrates a multiclass model. @param records in the order of time, at least one */
export function calibrateClasses(records: readonly ClassifiedRecord[]): ClassCalibration {
  const classes = [
    ...new Set(records.flatMap(({ predicted, label }) => [predicted, label])),
  ].sort();
  const indexOf = new Map(classes.map((name, index) => [name, index]));
  const predicted = new Map<string, PredictedClass>();
  for (const [place, record] of records.entries()) {
    const ofClass = predicted.get(record.predicted) ?? {
      scores: emptyNumericHistogram(),
      keys: [],
      labels: [],
      weights: [],
      classCount: classes.length,
      places: [],
    };
    predicted.set(record.predicted, ofClass);
    addNumber(ofClass.scores, record.confidence);
    ofClass.places.push(place);
    ofClass.keys.push(bucketKey(record.confidence));
    ofClass.weights.push(record.weight ?? 1);
    ofClass.labels.push(indexOf.get(record.label)!);
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
