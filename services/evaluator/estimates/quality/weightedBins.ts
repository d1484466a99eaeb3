import type { NumericHistogram } from '../../../shared/profile/numericHistogram.ts';
import { binOfScore, type ScoreBins, scoreBins } from './scoreBins.ts';

/** Labelled records of a calibration, by their scores. */
export interface ScoredRecords {
  scores: NumericHistogram;
  /** Score of each record, as a key of the finest buckets. */
  keys: ArrayLike<number>;
  /** Label of each record, as the index of its class. */
  labels: ArrayLike<number>;
  /** How much each record counts; absent if all weights are 1. */
  weights?: ArrayLike<number> | undefined;
  classCount: number;
}

/** Weighted records of a calibration that share a bin of scores. */
export interface WeightedBin {
  weight: number;
  /** Sum of the squared weights. */
  squaredWeight: number;
  /** Weight of the records of each label. */
  labels: number[];
}

/** The records of a calibration, each in a bin of scores. */
export interface BinnedRecords {
  bins: ScoreBins;
  /** Bin of each record. */
  binOf: Uint8Array;
  /** The bins with the records' own weights alone. */
  plain: WeightedBin[];
}

/** Puts the records of a calibration into bins in which the scores of a window can be counted. */
export function binRecords(records: ScoredRecords, window: NumericHistogram): BinnedRecords {
  const bins = scoreBins(records.scores, window);
  const binOf = new Uint8Array(records.keys.length);
  for (let index = 0; index < binOf.length; index++)
    binOf[index] = binOfScore(bins, records.keys[index]!);
  const ones = new Float64Array(binOf.length).fill(1);
  return { bins, binOf, plain: weightedBins(records, { bins, binOf }, ones) };
}

/**
 * Sums the weights of records in their bins.
 * @param weights one per record, by which its own weight is multiplied. O(records).
 */
export function weightedBins(
  { labels, weights: ownWeights, classCount }: ScoredRecords,
  { bins, binOf }: Pick<BinnedRecords, 'bins' | 'binOf'>,
  weights: ArrayLike<number>,
): WeightedBin[] {
  const sums = Array.from(
    { length: bins.uppers.length + 1 },
    (): WeightedBin => ({
      weight: 0,
      squaredWeight: 0,
      labels: new Array<number>(classCount).fill(0),
    }),
  );
  for (let index = 0; index < binOf.length; index++) {
    const bin = sums[binOf[index]!]!;
    const weight = weights[index]! * (ownWeights?.[index] ?? 1);
    bin.weight += weight;
    bin.squaredWeight += weight * weight;
    bin.labels[labels[index]!]! += weight;
  }
  return sums;
}

/**
 * Returns the share of each label in a bin. One record with the unweighted shares is added, so that
 * a bin whose records have no weight keeps those.
 */
export function labelShares({ weight, labels }: WeightedBin, plain: WeightedBin): number[] {
  return labels.map((ofLabel, label) => {
    const plainShare = plain.weight === 0 ? 1 / labels.length : plain.labels[label]! / plain.weight;
    return (ofLabel + plainShare) / (weight + 1);
  });
}
