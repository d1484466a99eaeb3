import { bucketKey, bucketKeyOfWord, FINEST_MANTISSA_BITS, HIGH_WORD } from './bucketKey.ts';

/** More buckets than this in use halve the resolution. */
export const MAXIMUM_BUCKETS = 512;

const INITIAL_BUCKETS = 8;
const SLOTS_PER_BUCKET = 2;
const MOST_IN_32_BITS = 2 ** 32 - 1;
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
 * At most 6 KB. A value costs 10 to 20 ns once the resolution has settled, 70 ns on average over the first 1000 of a
 * continuous feature.
 */
export type NumericHistogram = {
  mantissaBits: number;
  bucketsInUse: number;
  /** The first `bucketsInUse` hold the keys, in no particular order: `sortedBuckets` reads them in theirs. */
  bucketKeys: Int32Array;
  /** In 32 bits until a count needs more. */
  bucketCounts: Uint32Array | Float64Array;
  /** Hash table with linear probing, at most half full: indices into the buckets, -1 where free. */
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

/**
 * Counts the finite numbers of one column of a table, in place and as `addNumber` would one after the other; NaN is skipped.
 * @param numbers the table, row by row, without -0
 * @param words the memory of `numbers`
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
    const key =
      bucketKeyOfWord(words[2 * cell + HIGH_WORD]!) >> (FINEST_MANTISSA_BITS - mantissaBits);
    const bucket = slots[slotOf(key, slots, bucketKeys)]!;
    if (bucket !== FREE && bucketCounts[bucket]! < MOST_IN_32_BITS) {
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
  if (histogram.bucketKeys.length === 0) Object.assign(histogram, emptyTable(INITIAL_BUCKETS));
  const { slots, bucketKeys } = histogram;
  const slot = slotOf(key, slots, bucketKeys);
  if (slots[slot] === FREE) {
    bucketKeys[histogram.bucketsInUse] = key;
    histogram.bucketCounts[histogram.bucketsInUse] = 0;
    slots[slot] = histogram.bucketsInUse++;
  }
  addToCount(histogram, slots[slot]!, count);
  if (histogram.bucketsInUse === bucketKeys.length) makeRoom(histogram);
}

function addToCount(histogram: NumericHistogram, bucket: number, count: number): void {
  const sum = histogram.bucketCounts[bucket]! + count;
  if (sum > MOST_IN_32_BITS) histogram.bucketCounts = Float64Array.from(histogram.bucketCounts);
  histogram.bucketCounts[bucket] = sum;
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
    Object.assign(histogram, emptyTable(2 * (bucketKeys.length - 1)));
    histogram.bucketKeys.set(bucketKeys);
    for (let bucket = 0; bucket < bucketCounts.length; bucket++)
      addToCount(histogram, bucket, bucketCounts[bucket]!);
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
  const { slots, bucketKeys } = histogram;
  slots.fill(FREE);
  let used = 0;
  for (let bucket = 0; bucket < histogram.bucketsInUse; bucket++) {
    const key = bucketKeys[bucket]! >> keyShift;
    const count = histogram.bucketCounts[bucket]!;
    const slot = slotOf(key, slots, bucketKeys);
    if (slots[slot] === FREE) {
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

/** Room for so many buckets and the one that is too many; in one piece of memory, since every piece costs as much again as few buckets. */
function emptyTable(buckets: number): Table {
  const room = buckets + 1;
  const slots = buckets * SLOTS_PER_BUCKET;
  const countsStart = room * Int32Array.BYTES_PER_ELEMENT;
  const slotsStart = countsStart + room * Uint32Array.BYTES_PER_ELEMENT;
  const memory = new ArrayBuffer(slotsStart + slots * Int16Array.BYTES_PER_ELEMENT);
  return {
    bucketKeys: new Int32Array(memory, 0, room),
    bucketCounts: new Uint32Array(memory, countsStart, room),
    slots: new Int16Array(memory, slotsStart, slots).fill(FREE),
  };
}

/** Of all histograms without numbers: a table of its own takes memory. */
const noTable: Table = {
  bucketKeys: new Int32Array(0),
  bucketCounts: new Uint32Array(0),
  slots: new Int16Array(SLOTS_PER_BUCKET).fill(FREE),
};

function saturatingSum(left: number, right: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, left + right));
}
