import { bucketKey, bucketKeyOfWord, finestMantissaBits, highWord } from './bucketKey.ts';

/** More buckets than this in use halve the resolution. */
export const maxBuckets = 512;

const initialBuckets = 8;
const slotsPerBucket = 2;
const max32BitCount = 2 ** 32 - 1;
const free = -1;
/** 2^32 / golden ratio: Knuth, The Art of Computer Programming 3, 2nd ed., section 6.4. */
const fibonacciMultiplier = 0x9e3779b1;

/**
 * A mergeable summary of numbers: counts of buckets whose key is the top bits of the float64
 * (`bucketKey`). It works like HDR Histogram (hdrhistogram.org) and DDSketch (Masson, Rim, Lee,
 * VLDB 2019, arXiv 1908.10693), but is exact as long as there are few distinct values, and needs no
 * settings.
 *
 * `mantissaBits` is the highest resolution, from 20 down to -3, at which the values seen so far
 * fill at most 512 buckets. It decreases only when these values already fill more, which no later
 * value can undo. So it depends on the *set* of values alone, and any order of adding and merging
 * gives the same buckets, counts, minimum and maximum; only `sum` may differ in its last bits. (At
 * -3 bits, where a bucket spans 8 powers of two, all finite float64 together fill 512 buckets.)
 *
 * It takes at most 6 KB. Counting a value takes 10 to 20 ns once the resolution has settled, and 70
 * ns on average over the first 1000 values of a continuous feature.
 */
export type NumericHistogram = {
  mantissaBits: number;
  bucketsInUse: number;
  /**
   * The keys are the first `bucketsInUse` entries, in no particular order; `sortedBuckets` returns
   * them in order.
   */
  bucketKeys: Int32Array;
  /** The count of each key, in 32 bits until a count needs more. */
  bucketCounts: Uint32Array | Float64Array;
  /**
   * A hash table with linear probing, at most half full, of indices into the buckets; -1 where a
   * slot is free.
   */
  slots: Int16Array;
  /** Finite numbers, the sum of the counts of all buckets. */
  count: number;
  /** NaN and ±Infinity, which are in no bucket. */
  nonFinite: number;
  /** Infinity while `count` is 0. */
  minimum: number;
  /** -Infinity while `count` is 0. */
  maximum: number;
  /** The sum of the finite numbers; it stays at ±Number.MAX_VALUE where it would overflow. */
  sum: number;
};

/**
 * Returns a histogram without numbers. It shares its arrays with all other empty ones until it
 * counts a number.
 */
export function emptyNumericHistogram(): NumericHistogram {
  return {
    mantissaBits: finestMantissaBits,
    bucketsInUse: 0,
    bucketKeys: noTable.bucketKeys,
    bucketCounts: noTable.bucketCounts,
    slots: noTable.slots,
    count: 0,
    nonFinite: 0,
    minimum: Number.POSITIVE_INFINITY,
    maximum: Number.NEGATIVE_INFINITY,
    sum: 0,
  };
}

/** Counts one number, in place. NaN and ±Infinity count as non-finite. Amortised O(1). */
export function addNumber(histogram: NumericHistogram, value: number): void {
  if (!Number.isFinite(value)) {
    histogram.nonFinite += 1;
    return;
  }
  // No -0, which JSON would not bring back.
  const number = value + 0;
  addToBucket(histogram, bucketKey(number) >> (finestMantissaBits - histogram.mantissaBits), 1);
  histogram.count += 1;
  if (number < histogram.minimum) histogram.minimum = number;
  if (number > histogram.maximum) histogram.maximum = number;
  histogram.sum = saturatingSum(histogram.sum, number);
}

/**
 * Counts one finite number several times, in place, with the same result as `addNumber` for each,
 * except for the last bits of `sum`. Amortised O(1).
 */
export function addRepeatedNumber(histogram: NumericHistogram, value: number, times: number): void {
  const number = value + 0;
  addToBucket(histogram, bucketKey(number) >> (finestMantissaBits - histogram.mantissaBits), times);
  histogram.count += times;
  if (number < histogram.minimum) histogram.minimum = number;
  if (number > histogram.maximum) histogram.maximum = number;
  histogram.sum = saturatingSum(histogram.sum, number * times);
}

/**
 * Counts the numbers of one column of a table, in place, with the same result as `addNumber` for
 * one after the other. NaN is is skipped. O(rows).
 *
 * @param numbers the table, row by row, without -0 and ±Infinity
 * @param words the memory of `numbers` as 32-bit integers
 * @param column index of the column's number in the first row
 * @param width numbers in a row
 */
export function addNumbers(
  histogram: NumericHistogram,
  numbers: Float64Array,
  words: Int32Array,
  column: number,
  width: number,
  rows: number,
): void {
  let { slots, bucketKeys, bucketCounts, mantissaBits, count, minimum, maximum, sum } = histogram;
  for (let cell = column; cell < rows * width; cell += width) {
    const number = numbers[cell]!;
    if (Number.isNaN(number)) continue;
    const key = bucketKeyOfWord(words[2 * cell + highWord]!) >> (finestMantissaBits - mantissaBits);
    const bucket = slots[slotOf(key, slots, bucketKeys)]!;
    if (bucket !== free && bucketCounts[bucket]! < max32BitCount) {
      bucketCounts[bucket]! += 1;
    } else {
      addToBucket(histogram, key, 1);
      ({ slots, bucketKeys, bucketCounts, mantissaBits } = histogram);
    }
    count += 1;
    if (number < minimum) minimum = number;
    if (number > maximum) maximum = number;
    sum = saturatingSum(sum, number);
  }
  histogram.count = count;
  histogram.minimum = minimum;
  histogram.maximum = maximum;
  histogram.sum = sum;
}

/**
 * Returns one histogram of the numbers of any number of histograms, which stay as they are.
 * O(buckets).
 */
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

/**
 * Adds `count` to the bucket `key`, in place; the resolution goes down if this needs too many
 * buckets. The caller keeps `count`, `minimum`, `maximum` and `sum` of the histogram. Amortised
 * O(1).
 *
 * @param key at the histogram's present resolution
 */
export function addToBucket(histogram: NumericHistogram, key: number, count: number): void {
  if (histogram.bucketKeys.length === 0) Object.assign(histogram, emptyTable(initialBuckets));
  const { slots, bucketKeys } = histogram;
  const slot = slotOf(key, slots, bucketKeys);
  if (slots[slot] === free) {
    bucketKeys[histogram.bucketsInUse] = key;
    histogram.bucketCounts[histogram.bucketsInUse] = 0;
    slots[slot] = histogram.bucketsInUse++;
  }
  addToCount(histogram, slots[slot]!, count);
  if (histogram.bucketsInUse === bucketKeys.length) makeRoom(histogram);
}

function addToCount(histogram: NumericHistogram, bucket: number, count: number): void {
  const sum = histogram.bucketCounts[bucket]! + count;
  if (sum > max32BitCount) histogram.bucketCounts = Float64Array.from(histogram.bucketCounts);
  histogram.bucketCounts[bucket] = sum;
}

/** Returns the slot that points at the bucket of a key, or the free slot where the key belongs. */
function slotOf(key: number, slots: Int16Array, bucketKeys: Int32Array): number {
  const mask = slots.length - 1;
  let slot = Math.imul(key, fibonacciMultiplier) >>> Math.clz32(mask);
  while (slots[slot] !== free && bucketKeys[slots[slot]!] !== key) slot = (slot + 1) & mask;
  return slot;
}

function makeRoom(histogram: NumericHistogram): void {
  if (histogram.bucketsInUse <= maxBuckets) {
    const { bucketKeys, bucketCounts } = histogram;
    Object.assign(histogram, emptyTable(2 * (bucketKeys.length - 1)));
    histogram.bucketKeys.set(bucketKeys);
    for (let bucket = 0; bucket < bucketCounts.length; bucket++)
      addToCount(histogram, bucket, bucketCounts[bucket]!);
    fillSlots(histogram, 0);
  }
  while (histogram.bucketsInUse > maxBuckets) coarsen(histogram, histogram.mantissaBits - 1);
}

function coarsen(histogram: NumericHistogram, mantissaBits: number): void {
  fillSlots(histogram, histogram.mantissaBits - mantissaBits);
  histogram.mantissaBits = mantissaBits;
}

/**
 * Shifts all keys and builds the slots anew. This can be done in place, because buckets only become
 * fewer.
 */
function fillSlots(histogram: NumericHistogram, keyShift: number): void {
  const { slots, bucketKeys } = histogram;
  slots.fill(free);
  let used = 0;
  for (let bucket = 0; bucket < histogram.bucketsInUse; bucket++) {
    const key = bucketKeys[bucket]! >> keyShift;
    const count = histogram.bucketCounts[bucket]!;
    const slot = slotOf(key, slots, bucketKeys);
    if (slots[slot] === free) {
      bucketKeys[used] = key;
      histogram.bucketCounts[used] = count;
      slots[slot] = used++;
    } else {
      addToCount(histogram, slots[slot]!, count);
    }
  }
  histogram.bucketsInUse = used;
}

type Table = Pick<NumericHistogram, 'bucketKeys' | 'bucketCounts' | 'slots'>;

/**
 * Returns a table with room for that many buckets and the one that is too many. It lies in one
 * piece of memory, because each further piece would cost as much as a few buckets.
 */
function emptyTable(buckets: number): Table {
  const room = buckets + 1;
  const slots = buckets * slotsPerBucket;
  const countsStart = room * Int32Array.BYTES_PER_ELEMENT;
  const slotsStart = countsStart + room * Uint32Array.BYTES_PER_ELEMENT;
  const memory = new ArrayBuffer(slotsStart + slots * Int16Array.BYTES_PER_ELEMENT);
  return {
    bucketKeys: new Int32Array(memory, 0, room),
    bucketCounts: new Uint32Array(memory, countsStart, room),
    slots: new Int16Array(memory, slotsStart, slots).fill(free),
  };
}

/**
 * Shared by all histograms without numbers, because a table of their own would take memory. It
 * stays empty.
 */
const noTable: Table = {
  bucketKeys: new Int32Array(0),
  bucketCounts: new Uint32Array(0),
  slots: new Int16Array(slotsPerBucket).fill(free),
};

function saturatingSum(left: number, right: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, left + right));
}
