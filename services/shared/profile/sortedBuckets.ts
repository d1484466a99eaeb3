import type { NumericHistogram } from './numericHistogram.ts';
import { MAXIMUM_BUCKETS } from './numericHistogram.ts';

/** The buckets of a histogram in ascending order of key, which is the order of the values in them. */
export type SortedBuckets = {
  mantissaBits: number;
  keys: Int32Array;
  /** Per key, above 0. */
  counts: Float64Array;
};

/**
 * Reads the buckets of a histogram in order, at its own resolution or a coarser one: two histograms are compared at
 * the coarser of theirs, where equal keys mean the same interval. A RangeError if the resolution asked for is finer.
 *
 * O(buckets log buckets): about 10 µs for 512.
 */
export function sortedBuckets(histogram: NumericHistogram, mantissaBits = histogram.mantissaBits): SortedBuckets {
  const shift = histogram.mantissaBits - mantissaBits;
  if (shift < 0) throw new RangeError(`no buckets of ${mantissaBits} mantissa bits, only ${histogram.mantissaBits}`);
  const order = bucketsInOrderOfKey(histogram);
  const keys = new Int32Array(order.length);
  const counts = new Float64Array(order.length);
  let last = -1;
  for (const bucket of order) {
    const key = histogram.bucketKeys[bucket]! >> shift;
    if (last < 0 || key !== keys[last]) keys[++last] = key;
    counts[last]! += histogram.bucketCounts[bucket]!;
  }
  return { mantissaBits, keys: keys.subarray(0, last + 1), counts: counts.subarray(0, last + 1) };
}

/** Key and index as the digits of one number, since numbers have a native sort: five times as fast as a comparator. */
function bucketsInOrderOfKey({ bucketKeys, bucketsInUse }: NumericHistogram): Float64Array {
  const base = MAXIMUM_BUCKETS;
  const digits = new Float64Array(bucketsInUse);
  for (let bucket = 0; bucket < bucketsInUse; bucket++) digits[bucket] = bucketKeys[bucket]! * base + bucket;
  digits.sort();
  for (let place = 0; place < bucketsInUse; place++) digits[place]! -= Math.floor(digits[place]! / base) * base;
  return digits;
}
