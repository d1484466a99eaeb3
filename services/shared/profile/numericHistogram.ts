import { bucketKey, FINEST_MANTISSA_BITS } from './bucketKey.ts';

/** More buckets than this in use halve the resolution. */
export const MAXIMUM_BUCKETS = 512;

const INITIAL_SLOTS = 32;
const SLOTS_PER_BUCKET = 4;
const FREE = -1;
const FIBONACCI_MULTIPLIER = 0x9e3779b1; // 2^32 / golden ratio: Knuth, The Art of Computer Programming 3, section 6.4

/**
 * A mergeable summary of numbers: counts per bucket of the top bits of the float64 (`bucketKey`), like HDR Histogram
 * (hdrhistogram.org) and DDSketch (Masson, Rim, Lee, VLDB 2019, arXiv 1908.10693), but exact for as long as the values
 * are few, and needing no settings.
 *
 * `mantissaBits` is the highest resolution, 20 downwards, at which the values seen fill at most 512 buckets. It goes
 * down only when the values so far already fill more, which no later value can undo; so it is a function of the *set*
 * of values, and any order of adding and merging gives the same buckets, counts, minimum and maximum. (Below 0, buckets
 * span several powers of two; -3 always suffices.) Only `sum` may differ in its last bits.
 *
 * At most 12 KB. A value costs 10 to 20 ns once the resolution has settled, 70 ns on average over the first 1000 of a
 * continuous feature.
 */
export type NumericHistogram = {
  mantissaBits: number;
  bucketsInUse: number;
  /** The first `bucketsInUse` hold the keys, in no particular order: `sortedBuckets` reads them in theirs. */
  bucketKeys: Int32Array;
  bucketCounts: Float64Array;
  /** Hash table with linear probing, at most a quarter full: indices into the buckets, -1 where free. */
  slots: Int16Array;
  /** Finite numbers, the total of all buckets. */
  count: number;
  /** NaN and ±Infinity, which are in no bucket. */
  nonFinite: number;
  /** Infinity while `count` is 0. */
  minimum: number;
  /** -Infinity while `count` is 0. */
  maximum: number;
  /** Of the finite numbers; stays at ±Number.MAX_VALUE where it would overflow. */
  sum: number;
};

export function emptyNumericHistogram(): NumericHistogram {
  return {
    mantissaBits: FINEST_MANTISSA_BITS,
    bucketsInUse: 0,
    ...emptyTable(INITIAL_SLOTS),
    count: 0,
    nonFinite: 0,
    minimum: Number.POSITIVE_INFINITY,
    maximum: Number.NEGATIVE_INFINITY,
    sum: 0,
  };
}

/** Counts one number, in place. Amortised O(1). */
export function addNumber(histogram: NumericHistogram, value: number): void {
  if (!Number.isFinite(value)) {
    histogram.nonFinite += 1;
    return;
  }
  const number = value + 0; // no -0, which JSON would not bring back
  addToBucket(histogram, bucketKey(number) >> (FINEST_MANTISSA_BITS - histogram.mantissaBits), 1);
  histogram.count += 1;
  if (number < histogram.minimum) histogram.minimum = number;
  if (number > histogram.maximum) histogram.maximum = number;
  histogram.sum = saturatingSum(histogram.sum, number);
}

/** One histogram of all the numbers of any number of histograms, which stay as they are. O(buckets). */
export function mergeNumericHistograms(...histograms: NumericHistogram[]): NumericHistogram {
  const merged = emptyNumericHistogram();
  for (const histogram of histograms) {
    merged.count += histogram.count;
    merged.nonFinite += histogram.nonFinite;
    merged.minimum = Math.min(merged.minimum, histogram.minimum);
    merged.maximum = Math.max(merged.maximum, histogram.maximum);
    merged.sum = saturatingSum(merged.sum, histogram.sum);
    if (histogram.mantissaBits < merged.mantissaBits) coarsen(merged, histogram.mantissaBits);
    for (let bucket = 0; bucket < histogram.bucketsInUse; bucket++) {
      const key = histogram.bucketKeys[bucket]! >> (histogram.mantissaBits - merged.mantissaBits);
      addToBucket(merged, key, histogram.bucketCounts[bucket]!);
    }
  }
  return merged;
}

/** Adds `count` to the bucket `key`, a key at the histogram's present resolution, which may have to go down for it. */
export function addToBucket(histogram: NumericHistogram, key: number, count: number): void {
  const { slots, bucketKeys, bucketCounts } = histogram;
  const slot = slotOf(key, slots, bucketKeys);
  const bucket = slots[slot]!;
  if (bucket !== FREE) {
    bucketCounts[bucket]! += count;
    return;
  }
  bucketKeys[histogram.bucketsInUse] = key;
  bucketCounts[histogram.bucketsInUse] = count;
  slots[slot] = histogram.bucketsInUse++;
  if (histogram.bucketsInUse * SLOTS_PER_BUCKET > slots.length) makeRoom(histogram);
}

/** The slot that points at the bucket of a key, or the free one that shall. */
function slotOf(key: number, slots: Int16Array, bucketKeys: Int32Array): number {
  const mask = slots.length - 1;
  let slot = Math.imul(key, FIBONACCI_MULTIPLIER) >>> Math.clz32(mask);
  while (slots[slot] !== FREE && bucketKeys[slots[slot]!] !== key) slot = (slot + 1) & mask;
  return slot;
}

function makeRoom(histogram: NumericHistogram): void {
  if (histogram.bucketsInUse <= MAXIMUM_BUCKETS) {
    const { bucketKeys, bucketCounts } = histogram;
    Object.assign(histogram, emptyTable(histogram.slots.length * 2));
    histogram.bucketKeys.set(bucketKeys);
    histogram.bucketCounts.set(bucketCounts);
    fillSlots(histogram, 0);
  }
  while (histogram.bucketsInUse > MAXIMUM_BUCKETS) coarsen(histogram, histogram.mantissaBits - 1);
}

function coarsen(histogram: NumericHistogram, mantissaBits: number): void {
  fillSlots(histogram, histogram.mantissaBits - mantissaBits);
  histogram.mantissaBits = mantissaBits;
}

/** Shifts all keys and builds the slots anew; in place, as buckets only become fewer. */
function fillSlots(histogram: NumericHistogram, keyShift: number): void {
  const { slots, bucketKeys, bucketCounts } = histogram;
  slots.fill(FREE);
  let used = 0;
  for (let bucket = 0; bucket < histogram.bucketsInUse; bucket++) {
    const key = bucketKeys[bucket]! >> keyShift;
    const count = bucketCounts[bucket]!;
    const slot = slotOf(key, slots, bucketKeys);
    if (slots[slot] === FREE) {
      bucketKeys[used] = key;
      bucketCounts[used] = count;
      slots[slot] = used++;
    } else {
      bucketCounts[slots[slot]!]! += count;
    }
  }
  histogram.bucketsInUse = used;
}

/** Room for a bucket to every four slots, and for the one that is too many; in one piece of memory, since every piece costs as much again as few buckets. */
function emptyTable(slots: number): Pick<NumericHistogram, 'slots' | 'bucketKeys' | 'bucketCounts'> {
  const buckets = slots / SLOTS_PER_BUCKET + 1;
  const keysStart = buckets * Float64Array.BYTES_PER_ELEMENT;
  const slotsStart = keysStart + buckets * Int32Array.BYTES_PER_ELEMENT;
  const memory = new ArrayBuffer(slotsStart + slots * Int16Array.BYTES_PER_ELEMENT);
  return {
    bucketCounts: new Float64Array(memory, 0, buckets),
    bucketKeys: new Int32Array(memory, keysStart, buckets),
    slots: new Int16Array(memory, slotsStart, slots).fill(FREE),
  };
}

function saturatingSum(left: number, right: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, left + right));
}
