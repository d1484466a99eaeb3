import type { NumericHistogram } from '../profile/numericHistogram.ts';
import type { SortedBuckets } from '../profile/sortedBuckets.ts';
import { sortedBuckets } from '../profile/sortedBuckets.ts';

const BIN_COUNT = 10;

/**
 * Bins of numbers, as keys of buckets at one resolution, so that putting a histogram into them is exact.
 * - `ranges`: bin i holds the keys above `keys[i - 1]` up to `keys[i]`, one more bin all keys above the last.
 * - `values`: bin i holds the key `keys[i]` and no other; every other key was never seen in the reference.
 */
export type NumericBins = { kind: 'ranges' | 'values'; mantissaBits: number; keys: number[] };

/**
 * Bins of equal mass on a reference.
 *
 * At most `binCount` distinct values (buckets): a bin for each. More: ranges that end at the `binCount`-quantiles, where
 * each value that holds at least 1/`binCount` of the mass has a bin to itself, so that heavy ties do not swallow their
 * neighbours. That makes at most `binCount` bins without such values, and 2 · `binCount` with them; the bins beside them
 * may be empty on the reference, and catch what was never seen there (as negatives beside many zeros).
 *
 * O(buckets log buckets). Quantiles are inverses of the distribution function (Hyndman, Fan, 1996, definition 1).
 *
 * @param mantissaBits the coarsest resolution of all the histograms that will be put into the bins
 * @example equalMassBins(histogramOf(0, 0, 1), 20).keys; // the keys of 0 and 1, kind 'values'
 */
export function equalMassBins(
  reference: NumericHistogram,
  mantissaBits: number,
  binCount = BIN_COUNT,
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
