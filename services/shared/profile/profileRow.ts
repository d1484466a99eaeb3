import type { CategoricalCounts } from './categoricalCounts.ts';
import { emptyCategoricalCounts, hashBuckets } from './categoricalCounts.ts';
import type { FeatureProfile } from './featureProfile.ts';
import type { NumericHistogram } from './numericHistogram.ts';
import { addToBucket, emptyNumericHistogram } from './numericHistogram.ts';
import { bucketsInOrderOfKey } from './sortedBuckets.ts';

/**
 * A feature profile as columns of a ClickHouse row. Every number is finite, and counts are
 * integers.
 */
export type ProfileRow = {
  count: number;
  missing: number;
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
  categorical_count: number;
  hashed: 0 | 1;
  /**
   * In the order of code units; if hashed, the numbers '0' to '255' of the buckets in use,
   * ascending.
   */
  category_values: string[];
  category_counts: number[];
};

/**
 * Returns a profile as columns of a row, in an order that depends on its content alone. O(buckets
 * log buckets + categories log categories).
 *
 * @example toProfileRow(profileOf([2, 1])).bucket_keys // [1072693248, 1073741824]
 */
export function toProfileRow(profile: FeatureProfile): ProfileRow {
  const { numeric, categorical } = profile;
  const { keys, counts } = bucketsInOrderOfKey(numeric);
  const categories = sortedCategories(categorical);
  return {
    count: profile.count,
    missing: profile.missing,
    non_finite: numeric.nonFinite,
    numeric_count: numeric.count,
    minimum: numeric.count === 0 ? null : numeric.minimum,
    maximum: numeric.count === 0 ? null : numeric.maximum,
    sum: numeric.sum,
    mantissa_bits: numeric.mantissaBits,
    bucket_keys: arrayOf(keys),
    bucket_counts: arrayOf(counts),
    categorical_count: categorical.count,
    hashed: categorical.hashed ? 1 : 0,
    category_values: categories.values,
    category_counts: categories.counts,
  };
}

/**
 * Returns the profile that `toProfileRow` was given; it goes on counting as if it had never been
 * stored. The columns are not checked, and 64-bit integers have to be numbers already, not strings.
 * O(buckets + categories).
 */
export function fromProfileRow(row: ProfileRow): FeatureProfile {
  return {
    count: row.count,
    missing: row.missing,
    numeric: numericOf(row),
    categorical: categoricalOf(row),
  };
}

/** Copies numbers in a loop, because `Array.from` takes ten times as long for typed arrays. */
function arrayOf(numbers: Int32Array | Float64Array): number[] {
  const array: number[] = [];
  for (let index = 0; index < numbers.length; index++) array.push(numbers[index]!);
  return array;
}

function sortedCategories({ exact, hashed }: CategoricalCounts): {
  values: string[];
  counts: number[];
} {
  if (!hashed) {
    const values = [...exact.keys()].sort();
    return { values, counts: values.map(value => exact.get(value)!) };
  }
  const used = [...hashed.keys()].filter(bucket => hashed[bucket]! > 0);
  return { values: used.map(String), counts: used.map(bucket => hashed[bucket]!) };
}

function numericOf(row: ProfileRow): NumericHistogram {
  const histogram = emptyNumericHistogram();
  histogram.mantissaBits = row.mantissa_bits;
  for (const [index, key] of row.bucket_keys.entries())
    addToBucket(histogram, key, row.bucket_counts[index]!);
  histogram.count = row.numeric_count;
  histogram.nonFinite = row.non_finite;
  histogram.minimum = row.minimum ?? Number.POSITIVE_INFINITY;
  histogram.maximum = row.maximum ?? Number.NEGATIVE_INFINITY;
  histogram.sum = row.sum;
  return histogram;
}

function categoricalOf(row: ProfileRow): CategoricalCounts {
  const { categorical_count: count, category_values: values, category_counts: counts } = row;
  if (row.hashed === 0) {
    return {
      count,
      exact: new Map(values.map((value, index) => [value, counts[index]!])),
      hashed: null,
    };
  }
  const hashed = new Float64Array(hashBuckets);
  for (const [index, bucket] of values.entries()) hashed[Number(bucket)] = counts[index]!;
  return { ...emptyCategoricalCounts(), count, hashed };
}
