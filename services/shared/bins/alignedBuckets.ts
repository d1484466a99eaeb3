import type { NumericHistogram } from '../profile/numericHistogram.ts';
import { sortedBuckets } from '../profile/sortedBuckets.ts';

/**
 * The buckets of two histograms side by side, in ascending order of key. A bucket that only one of
 * them uses counts 0 in the other.
 */
export type AlignedBuckets = {
  mantissaBits: number;
  keys: number[];
  reference: number[];
  recent: number[];
};

/**
 * Returns the buckets of two histograms side by side, at the coarser of the two resolutions, where
 * equal keys mean the same interval. O(buckets log buckets).
 *
 * @example alignedBuckets(histogramOf([1, 2]), histogramOf([2, 2])).recent // [0, 2]
 */
export function alignedBuckets(
  reference: NumericHistogram,
  recent: NumericHistogram,
): AlignedBuckets {
  const mantissaBits = Math.min(reference.mantissaBits, recent.mantissaBits);
  const left = sortedBuckets(reference, mantissaBits);
  const right = sortedBuckets(recent, mantissaBits);
  const aligned: AlignedBuckets = { mantissaBits, keys: [], reference: [], recent: [] };
  for (let i = 0, j = 0; i < left.keys.length || j < right.keys.length; ) {
    const key = Math.min(
      left.keys[i] ?? Number.POSITIVE_INFINITY,
      right.keys[j] ?? Number.POSITIVE_INFINITY,
    );
    aligned.keys.push(key);
    aligned.reference.push(left.keys[i] === key ? left.counts[i++]! : 0);
    aligned.recent.push(right.keys[j] === key ? right.counts[j++]! : 0);
  }
  return aligned;
}
