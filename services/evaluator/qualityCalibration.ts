import { bucketKey, FINEST_MANTISSA_BITS } from '../shared/profile/bucketKey.ts';
import type { FeatureValue } from '../shared/profile/featureProfile.ts';
import { addNumber, emptyNumericHistogram, type NumericHistogram } from '../shared/profile/numericHistogram.ts';
import { equalMassBins } from '../shared/statistics/equalMassBins.ts';
import { lowerBound } from '../shared/statistics/lowerBound.ts';
import { type FeatureMatching, featureMatching } from './featureMatching.ts';

/** A prediction of a binary model whose truth is known. */
export interface LabelledRecord {
  /** Finite; the higher, the more probably positive. */
  score: number;
  predictedPositive: boolean;
  positive: boolean;
  features: ReadonlyMap<string, FeatureValue>;
}

/** What labelled records say of how often a score is right. */
export interface QualityCalibration {
  records: number;
  scores: NumericHistogram;
  /** Of each record: its score as a key of the finest buckets, and whether it was positive. */
  scoreKeys: Int32Array;
  positive: Uint8Array;
  matching: FeatureMatching;
  /** Area under the ROC curve of the records; null where they are of one class. */
  auc: number | null;
  /** Whether those predicted positive are the ones with the highest scores. */
  thresholded: boolean;
  bytes: number;
}

/** Records of a calibration in a bin of scores, weighted. */
export interface ScoreBin {
  weight: number;
  /** Sum of the squared weights. */
  squaredWeight: number;
  positives: number;
}

/** Bins of scores, ascending, with the keys of buckets that end all but the last. */
export interface ScoreBins {
  mantissaBits: number;
  uppers: number[];
}

const mostScoreBins = 50;
const recordsPerScoreBin = 25;
const mostMisplaced = 0.02;

/** @param records in the order of time, at least one. O(records · features²) */
export function calibrateQuality(records: readonly LabelledRecord[]): QualityCalibration {
  const scores = emptyNumericHistogram();
  for (const { score } of records) addNumber(scores, score);
  const descending = [...records].sort(
    (one, other) => other.score - one.score || Number(other.predictedPositive) - Number(one.predictedPositive),
  );
  const matching = featureMatching(records.map(({ features }) => features));
  return {
    records: records.length,
    scores,
    scoreKeys: Int32Array.from(records, ({ score }) => bucketKey(score)),
    positive: Uint8Array.from(records, ({ positive }) => Number(positive)),
    matching,
    auc: areaUnderCurve(descending),
    thresholded: misplacedShare(descending) <= mostMisplaced,
    bytes: matching.bytes + 5 * records.length,
  };
}

/** Of equal mass on the calibration, at the coarser of both resolutions. */
export function scoreBins({ scores, records }: QualityCalibration, window: NumericHistogram): ScoreBins {
  const binCount = Math.max(2, Math.min(mostScoreBins, Math.floor(records / recordsPerScoreBin)));
  const mantissaBits = Math.min(scores.mantissaBits, window.mantissaBits);
  const { kind, keys } = equalMassBins(scores, mantissaBits, binCount);
  return { mantissaBits, uppers: kind === 'ranges' ? keys : keys.slice(0, -1) };
}

export function binOfScore({ uppers }: ScoreBins, key: number): number {
  return lowerBound(uppers, key);
}

/** @param weights of the records */
export function binnedScores(
  { scoreKeys, positive }: QualityCalibration,
  bins: ScoreBins,
  weights: Float64Array,
): ScoreBin[] {
  const counted = Array.from({ length: bins.uppers.length + 1 }, () => ({
    weight: 0,
    squaredWeight: 0,
    positives: 0,
  }));
  for (const [index, key] of scoreKeys.entries()) {
    const bin = counted[binOfScore(bins, key >> (FINEST_MANTISSA_BITS - bins.mantissaBits))]!;
    const weight = weights[index]!;
    bin.weight += weight;
    bin.squaredWeight += weight * weight;
    bin.positives += weight * positive[index]!;
  }
  return counted;
}

/** Share of the records that would be predicted otherwise if as many, those with the highest scores, were predicted positive. */
function misplacedShare(descending: readonly LabelledRecord[]): number {
  const predicted = descending.filter(({ predictedPositive }) => predictedPositive).length;
  const placed = descending.slice(0, predicted).filter(({ predictedPositive }) => predictedPositive).length;
  return (2 * (predicted - placed)) / descending.length;
}

/** Probability that a positive record scores higher than a negative one, ties counting half (Mann, Whitney 1947). */
function areaUnderCurve(descending: readonly LabelledRecord[]): number | null {
  let positives = 0;
  let wins = 0;
  let negatives = 0;
  for (let from = 0; from < descending.length; ) {
    let to = from;
    let tiedPositives = 0;
    for (; to < descending.length && descending[to]!.score === descending[from]!.score; to++)
      tiedPositives += Number(descending[to]!.positive);
    const tiedNegatives = to - from - tiedPositives;
    wins += tiedNegatives * (positives + tiedPositives / 2);
    positives += tiedPositives;
    negatives += tiedNegatives;
    from = to;
  }
  return positives * negatives === 0 ? null : wins / (positives * negatives);
}
