import { addToBucket, emptyNumericHistogram, type NumericHistogram } from './numericHistogram.ts';
import { bucketsInOrderOfKey } from './sortedBuckets.ts';

/** A histogram of numbers as it is stored. Every number is finite. */
export interface HistogramColumns {
  non_finite: number;
  numeric_count: number;
  /** Null if `numeric_count` is 0, like `maximum`. */
  minimum: number | null;
  maximum: number | null;
  sum: number;
  /** From 20 down to -3. */
  mantissa_bits: number;
  /** Signed 32-bit integers, ascending, in the order of the values in the buckets. */
  bucket_keys: number[];
  bucket_counts: number[];
}

/** Returns a histogram as columns, in an order that depends on its content alone. */
export function histogramColumns(histogram: NumericHistogram): HistogramColumns {
  const { keys, counts } = bucketsInOrderOfKey(histogram);
  const isEmpty = histogram.count === 0;
  return {
    non_finite: histogram.nonFinite,
    numeric_count: histogram.count,
    minimum: isEmpty ? null : histogram.minimum,
    maximum: isEmpty ? null : histogram.maximum,
    sum: histogram.sum,
    mantissa_bits: histogram.mantissaBits,
    bucket_keys: arrayOf(keys),
    bucket_counts: arrayOf(counts),
  };
}

/** Returns the histogram that `histogramColumns` was given; it goes on counting. O(buckets). */
export function fromHistogramColumns(columns: HistogramColumns): NumericHistogram {
  const histogram = emptyNumericHistogram();
  histogram.mantissaBits = columns.mantissa_bits;
  for (const [index, key] of columns.bucket_keys.entries())
    addToBucket(histogram, key, columns.bucket_counts[index]!);
  histogram.count = columns.numeric_count;
  histogram.nonFinite = columns.non_finite;
  histogram.minimum = columns.minimum ?? Number.POSITIVE_INFINITY;
  histogram.maximum = columns.maximum ?? Number.NEGATIVE_INFINITY;
  histogram.sum = columns.sum;
  return histogram;
}

/** Copies numbers in a loop, because `Array.from` takes ten times as long for typed arrays. */
function arrayOf(numbers: Int32Array | Float64Array): number[] {
  const array: number[] = [];
  for (let index = 0; index < numbers.length; index++) array.push(numbers[index]!);
  return array;
}
