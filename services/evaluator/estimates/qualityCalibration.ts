import { bucketKey } from '../../shared/profile/bucketKey.ts';
import type { FeatureValue } from '../../shared/profile/featureProfile.ts';
import {
  addNumber,
  emptyNumericHistogram,
  type NumericHistogram,
} from '../../shared/profile/numericHistogram.ts';
import { type FeatureMatching, featureMatching } from '../learning/featureMatching.ts';
import { binOfScore, type ScoreBins, scoreBins } from './scoreBins.ts';

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
  /** By resolution, made when a window needs it. */
  binned: Map<number, BinnedCalibration>;
  bytes: number;
}

/** The records of a calibration in bins of scores. */
export interface BinnedCalibration {
  bins: ScoreBins;
  /** Of each record. */
  binOf: Uint8Array;
  plain: ScoreBin[];
}

/** Records of a calibration in a bin of scores, weighted. */
export interface ScoreBin {
  weight: number;
  /** Sum of the squared weights. */
  squaredWeight: number;
  positives: number;
}

const mostScoreBins = 50;
/** Resolutions of a histogram, 20 to -3. */
const resolutions = 24;
const mostMisplaced = 0.02;

/** @param records in the order of time, at least one. O(records · features²) */
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
    scores,
    scoreKeys: Int32Array.from(records, ({ score }) => bucketKey(score)),
    positive: Uint8Array.from(records, ({ positive }) => Number(positive)),
    matching,
    auc: areaUnderCurve(descending),
    thresholded: misplacedShare(descending) <= mostMisplaced,
    binned: new Map(),
    bytes: matching.bytes + (5 + resolutions) * records.length,
  };
}

/** The records in bins of their scores, as far as a window can be counted in them; the same for all windows of a resolution. */
export function binnedCalibration(
  calibration: QualityCalibration,
  window: NumericHistogram,
): BinnedCalibration {
  const { scores, scoreKeys, binned } = calibration;
  const mantissaBits = Math.min(scores.mantissaBits, window.mantissaBits);
  const known = binned.get(mantissaBits);
  if (known) return known;
  const bins = scoreBins(scores, window, mostScoreBins);
  const binOf = Uint8Array.from(scoreKeys, key => binOfScore(bins, key));
  const plain = weightedBins(
    calibration,
    { bins, binOf },
    new Float64Array(calibration.records).fill(1),
  );
  const made = { bins, binOf, plain };
  binned.set(mantissaBits, made);
  return made;
}

/** @param weights of the records */
export function weightedBins(
  { positive }: QualityCalibration,
  { bins, binOf }: Pick<BinnedCalibration, 'bins' | 'binOf'>,
  weights: Float64Array,
): ScoreBin[] {
  const counted = Array.from({ length: bins.uppers.length + 1 }, () => ({
    weight: 0,
    squaredWeight: 0,
    positives: 0,
  }));
  for (let index = 0; index < binOf.length; index++) {
    const bin = counted[binOf[index]!]!;
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
  const placed = descending
    .slice(0, predicted)
    .filter(({ predictedPositive }) => predictedPositive).length;
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
