import { bucketKey } from '../../../shared/profile/bucketKey.ts';
import type { FeatureValue } from '../../../shared/profile/featureProfile.ts';
import {
  addNumber,
  emptyNumericHistogram,
  type NumericHistogram,
} from '../../../shared/profile/numericHistogram.ts';
import { type FeatureMatching, featureMatching } from '../../learning/featureMatching.ts';
import { type BinnedRecords, binRecords, type ScoredRecords } from './weightedBins.ts';

/** A prediction of a binary model whose label is known. */
export interface LabelledRecord {
  /** Finite. A higher score means a higher probability of the class that is positive here. */
  score: number;
  predictedPositive: boolean;
  positive: boolean;
  features: ReadonlyMap<string, FeatureValue>;
  /** How much the record counts in figures of quality; 1 if absent. */
  weight?: number;
}

/** What the labelled records of a binary model say about how often a score is right. */
export interface QualityCalibration {
  records: number;
  /** Class 1 is the positive one. */
  scored: ScoredRecords;
  matching: FeatureMatching;
  /** Area under the ROC curve of the records; null if they are of one class. */
  auc: number | null;
  /** True if the records that are predicted positive are those with the highest scores. */
  thresholded: boolean;
  /** The records in bins, by resolution. An entry is made when a window needs it. */
  binned: Map<number, BinnedRecords>;
  bytes: number;
}

/** Number of resolutions that a histogram can have, 20 to -3. */
const resolutions = 24;
const bytesPerRecord = 13 + resolutions;
/** A calibration with a larger share of misplaced predictions has no threshold. */
const maxMisplacedShare = 0.02;

/**
 * Calibrates a binary model. @param records in the order of time, at least one. O(records ·
 * features²).
 */
export function calibrateQuality(records: readonly LabelledRecord[]): QualityCalibration {
  const scores = emptyNumericHistogram();
  for (const { score } of records) addNumber(scores, score);
  const descending = [...records].sort(
    (one, other) =>
      other.score - one.score || Number(other.predictedPositive) - Number(one.predictedPositive),
  );
  const matching = featureMatching(records.map(({ features }) => features));
  return {
    records: records.length,
    scored: {
      scores,
      keys: Int32Array.from(records, ({ score }) => bucketKey(score)),
      labels: Uint8Array.from(records, ({ positive }) => Number(positive)),
      weights: weightsOf(records),
      classCount: 2,
    },
    matching,
    auc: areaUnderCurve(descending),
    thresholded: misplacedShare(descending) <= maxMisplacedShare,
    binned: new Map(),
    bytes: matching.bytes + bytesPerRecord * records.length,
  };
}

/**
 * Returns the records in bins of their scores, in which the scores of a window can be counted. The
 * bins are the same for all windows of one resolution.
 */
export function binnedCalibration(
  { scored, binned }: QualityCalibration,
  window: NumericHistogram,
): BinnedRecords {
  const mantissaBits = Math.min(scored.scores.mantissaBits, window.mantissaBits);
  const known = binned.get(mantissaBits);
  if (known) return known;
  const made = binRecords(scored, window);
  binned.set(mantissaBits, made);
  return made;
}

/** Returns the weights of records; nothing if all are 1. */
export function weightsOf(records: readonly { weight?: number }[]): Float64Array | undefined {
  return records.every(({ weight = 1 }) => weight === 1)
    ? undefined
    : Float64Array.from(records, ({ weight = 1 }) => weight);
}

/**
 * Returns the share of the records whose prediction would change if the same number of records,
 * those with the highest scores, were predicted positive.
 */
function misplacedShare(descending: readonly LabelledRecord[]): number {
  const predicted = descending.filter(({ predictedPositive }) => predictedPositive).length;
  const placed = descending
    .slice(0, predicted)
    .filter(({ predictedPositive }) => predictedPositive).length;
  return (2 * (predicted - placed)) / descending.length;
}

/**
 * Returns the probability that a positive record has a higher score than a negative one, with ties
 * counting half (Mann, Whitney 1947).
 */
function areaUnderCurve(descending: readonly LabelledRecord[]): number | null {
  let positives = 0;
  let wins = 0;
  let negatives = 0;
  for (let from = 0; from < descending.length; ) {
    let to = from;
    let tiedPositives = 0;
    let tiedNegatives = 0;
    for (; to < descending.length && descending[to]!.score === descending[from]!.score; to++) {
      const { positive, weight = 1 } = descending[to]!;
      if (positive) tiedPositives += weight;
      else tiedNegatives += weight;
    }
    wins += tiedNegatives * (positives + tiedPositives / 2);
    positives += tiedPositives;
    negatives += tiedNegatives;
    from = to;
  }
  return positives * negatives === 0 ? null : wins / (positives * negatives);
}
