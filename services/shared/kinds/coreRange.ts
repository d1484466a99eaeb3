import { bucketValue } from '../bins/bucketValue.ts';
import type { ValueRange } from '../bins/isGrowing.ts';
import type { NumericHistogram } from '../profile/numericHistogram.ts';
import { sortedBuckets } from '../profile/sortedBuckets.ts';

/** Share of the numbers on each side that may lie outside. */
const outsideShare = 0.1;

/**
 * Returns the range of a histogram without its lowest and highest tenth: records of a counter come
 * a little out of order, and single ones are wrong. O(buckets log buckets).
 *
 * @param histogram with at least one number
 * @example coreRange(histogramOf([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99])) // { minimum: 2, maximum: 10 }
 */
export function coreRange(histogram: NumericHistogram): ValueRange {
  const { keys, counts, mantissaBits } = sortedBuckets(histogram);
  const outside = Math.floor(histogram.count * outsideShare);
  return {
    minimum: bucketValue(histogram, keys[bucketAt(counts, outside)]!, mantissaBits),
    maximum: bucketValue(
      histogram,
      keys[bucketAt(counts, histogram.count - 1 - outside)]!,
      mantissaBits,
    ),
  };
}

/** Returns the bucket of the number with a rank, which counts from 0. */
function bucketAt(counts: Float64Array, rank: number): number {
  let below = 0;
  for (let bucket = 0; bucket < counts.length; bucket++) {
    below += counts[bucket]!;
    if (below > rank) return bucket;
  }
  return counts.length - 1;
}
