import type { NumericHistogram } from '../../../shared/profile/numericHistogram.ts';
import { binOfScore, countsPerBin, type ScoreBins } from './scoreBins.ts';

/** The scores of a window whose records have weights, in buckets. */
export interface WeightedScores {
  /** Keys of the finest buckets that begin as the buckets do. */
  keys: readonly number[];
  /** Sum of the weights in each bucket. */
  weights: readonly number[];
  /** Sum of the squared weights in each bucket. */
  squares: readonly number[];
}

/** What the records of a window amount to in each bin. */
export interface BinSums {
  /** Records, or the sums of their weights. */
  records: number[];
  /** Sums of the squared weights: by how much labels that vary make a sum vary. */
  squares: number[];
}

/**
 * Sums the records of a window in each bin of scores.
 * @param weighted absent if all weights are 1
 */
export function sumsPerBin(
  bins: ScoreBins,
  scores: NumericHistogram,
  weighted: WeightedScores | undefined,
): BinSums {
  if (!weighted) {
    const counts = countsPerBin(bins, scores);
    return { records: counts, squares: counts };
  }
  const records = new Array<number>(bins.uppers.length + 1).fill(0);
  const squares = [...records];
  for (const [index, key] of weighted.keys.entries()) {
    const bin = binOfScore(bins, key);
    records[bin]! += weighted.weights[index]!;
    squares[bin]! += weighted.squares[index]!;
  }
  return { records, squares };
}
