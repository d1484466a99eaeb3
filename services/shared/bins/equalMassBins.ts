import type { NumericHistogram } from '../profile/numericHistogram.ts';
import type { SortedBuckets } from '../profile/sortedBuckets.ts';
import { sortedBuckets } from '../profile/sortedBuckets.ts';

const defaultBinCount = 10;

/**
 * Bins of numbers. Their edges are keys of histogram buckets at one resolution, so that counting a
 * histogram in them is exact.
 *
 * - `ranges`: bin i holds the keys above `keys[i - 1]` up to `keys[i]`, and one more bin all keys
 *   above the last one.
 * - `values`: bin i holds the key `keys[i]` alone. The reference has no other key.
 */
export type NumericBins = { kind: 'ranges' | 'values'; mantissaBits: number; keys: number[] };

/**
 * Returns bins that each hold about the same share of a reference.
 *
 * A reference with at most `binCount` distinct values (buckets) gets one bin for each value.
 * Otherwise the bins are ranges that end at the `binCount`-quantiles. A value that holds at least 1
 * / `binCount` of the mass has a bin to itself, so that it does not swallow its neighbours. Such
 * values raise the number of bins to at most 2 · `binCount`; the bins beside them may be empty in
 * the reference and catch what was never seen there (such as negative numbers beside many zeros).
 *
 * O(buckets log buckets). Quantiles are the inverse of the distribution function (Hyndman, Fan, The
 * American Statistician 50(4), 1996, definition 1).
 *
 * @param mantissaBits the coarsest resolution of all histograms that will be counted in the bins
 * @throws RangeError if `mantissaBits` is finer than the reference
 * @example
 * equalMassBins(histogramOf([0, 0, 1]), 20)
 * // { kind: 'values', mantissaBits: 20, keys: [0, 1072693248] }
 */
export function equalMassBins(
  reference: NumericHistogram,
  mantissaBits: number,
  binCount = defaultBinCount,
): NumericBins {
  const buckets = sortedBuckets(reference, mantissaBits);
  if (buckets.keys.length <= binCount)
    return { kind: 'values', mantissaBits, keys: Array.from(buckets.keys) };
  return { kind: 'ranges', mantissaBits, keys: upperKeys(buckets, reference.count, binCount) };
}

function upperKeys({ keys, counts }: SortedBuckets, total: number, binCount: number): number[] {
  const uppers: number[] = [];
  let below = 0;
  for (const [index, key] of keys.entries()) {
    const upTo = below + counts[index]!;
    const isHeavy = counts[index]! * binCount >= total;
    const isQuantile =
      Math.floor((upTo * binCount) / total) > Math.floor((below * binCount) / total);
    if (isHeavy && uppers.at(-1) !== key - 1) uppers.push(key - 1);
    if (isHeavy || (isQuantile && index < keys.length - 1)) uppers.push(key);
    below = upTo;
  }
  return uppers;
}
