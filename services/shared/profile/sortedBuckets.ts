import type { NumericHistogram } from './numericHistogram.ts';
import { MAXIMUM_BUCKETS } from './numericHistogram.ts';

/** The buckets of a histogram in ascending order of key, which is the order of the values in them. */
export type SortedBuckets = {
  mantissaBits: number;
  keys: Int32Array;
  /** Per key, above 0. */
  counts: Float64Array;
};

/** The same reference is compared with window after window, and each window in several ways: sorting again would be most of the cost. */
const mostRemembered = 64;
const remembered = new Map<NumericHistogram, { count: number; sorted: SortedBuckets }>();

/**
 * Reads the buckets of a histogram in order, at its own resolution or a coarser one: two histograms are compared at
 * the coarser of theirs, where equal keys mean the same interval. A RangeError if the resolution asked for is finer.
 * What is returned may be shared, and is not to be changed.
 *
 * O(buckets log buckets), about 10 µs for 512; O(1) at its own resolution when the histogram was sorted lately.
 */
export function sortedBuckets(
  histogram: NumericHistogram,
  mantissaBits = histogram.mantissaBits,
): SortedBuckets {
  const shift = histogram.mantissaBits - mantissaBits;
  if (shift < 0)
    throw new RangeError(
      `no buckets of ${mantissaBits} mantissa bits, only ${histogram.mantissaBits}`,
    );
  const { keys, counts } = atOwnResolution(histogram);
  if (shift === 0) return { mantissaBits, keys, counts };
  const coarseKeys = new Int32Array(keys.length);
  const coarseCounts = new Float64Array(keys.length);
  let last = -1;
  for (let bucket = 0; bucket < keys.length; bucket++) {
    const key = keys[bucket]! >> shift;
    if (last < 0 || key !== coarseKeys[last]) coarseKeys[++last] = key;
    coarseCounts[last]! += counts[bucket]!;
  }
  return {
    mantissaBits,
    keys: coarseKeys.subarray(0, last + 1),
    counts: coarseCounts.subarray(0, last + 1),
  };
}

function atOwnResolution(histogram: NumericHistogram): SortedBuckets {
  const known = remembered.get(histogram);
  remembered.delete(histogram);
  // A histogram only ever grows: with the same count it is the same.
  const entry =
    known?.count === histogram.count
      ? known
      : { count: histogram.count, sorted: bucketsInOrderOfKey(histogram) };
  remembered.set(histogram, entry);
  if (remembered.size > mostRemembered) remembered.delete(remembered.keys().next().value!);
  return entry.sorted;
}

/** Up to here insertion beats the native sort. */
const fewBuckets = 40;

/** Sorted anew, and not remembered. */
export function bucketsInOrderOfKey(histogram: NumericHistogram): SortedBuckets {
  return histogram.bucketsInUse <= fewBuckets ? byInsertion(histogram) : byNativeSort(histogram);
}

function byInsertion({
  mantissaBits,
  bucketKeys,
  bucketCounts,
  bucketsInUse,
}: NumericHistogram): SortedBuckets {
  const keys = new Int32Array(bucketsInUse);
  const counts = new Float64Array(bucketsInUse);
  for (let bucket = 0; bucket < bucketsInUse; bucket++) {
    const key = bucketKeys[bucket]!;
    let place = bucket;
    for (; place > 0 && keys[place - 1]! > key; place--) {
      keys[place] = keys[place - 1]!;
      counts[place] = counts[place - 1]!;
    }
    keys[place] = key;
    counts[place] = bucketCounts[bucket]!;
  }
  return { mantissaBits, keys, counts };
}

/** Key and index as the digits of one number, since numbers have a native sort: five times as fast as a comparator. */
function byNativeSort({
  mantissaBits,
  bucketKeys,
  bucketCounts,
  bucketsInUse,
}: NumericHistogram): SortedBuckets {
  const base = MAXIMUM_BUCKETS;
  const digits = new Float64Array(bucketsInUse);
  for (let bucket = 0; bucket < bucketsInUse; bucket++)
    digits[bucket] = bucketKeys[bucket]! * base + bucket;
  digits.sort();
  const keys = new Int32Array(bucketsInUse);
  const counts = new Float64Array(bucketsInUse);
  for (let place = 0; place < bucketsInUse; place++) {
    const key = Math.floor(digits[place]! / base);
    keys[place] = key;
    counts[place] = bucketCounts[digits[place]! - key * base]!;
  }
  return { mantissaBits, keys, counts };
}
