import type { CategoricalCounts } from './categoricalCounts.ts';
import { emptyCategoricalCounts, hashBuckets } from './categoricalCounts.ts';
import type { FeatureProfile } from './featureProfile.ts';
import {
  fromHistogramColumns,
  type HistogramColumns,
  histogramColumns,
} from './histogramColumns.ts';
import { readTextSummary, storedTextSummary } from './textSummary.ts';
import { readVectorSummary, storedVectorSummary } from './vectorSummary.ts';

/**
 * A feature profile as columns of a ClickHouse row. Every number is finite, and counts are
 * integers.
 */
export type ProfileRow = HistogramColumns & {
  count: number;
  missing: number;
  categorical_count: number;
  hashed: 0 | 1;
  /**
   * In the order of code units; if hashed, the numbers '0' to '255' of the buckets in use,
   * ascending.
   */
  category_values: string[];
  category_counts: number[];
  /**
   * `storedTextSummary` of hashed categories. Absent, or empty, while they are exact, and in rows
   * from before version 0.2.
   */
  text_summary?: string;
  /** `storedVectorSummary`. Absent, or empty, where there are no vectors. */
  vector_summary?: string;
};

/**
 * Returns a profile as columns of a row, in an order that depends on its content alone. O(buckets
 * log buckets + categories log categories).
 *
 * @example toProfileRow(profileOf([2, 1])).bucket_keys // [1072693248, 1073741824]
 */
export function toProfileRow(profile: FeatureProfile): ProfileRow {
  const { numeric, categorical } = profile;
  const categories = sortedCategories(categorical);
  return {
    count: profile.count,
    missing: profile.missing,
    ...histogramColumns(numeric),
    categorical_count: categorical.count,
    hashed: categorical.hashed ? 1 : 0,
    category_values: categories.values,
    category_counts: categories.counts,
    ...(categorical.text && { text_summary: storedTextSummary(categorical.text) }),
    ...(profile.vectors && { vector_summary: storedVectorSummary(profile.vectors) }),
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
    numeric: fromHistogramColumns(row),
    categorical: categoricalOf(row),
    vectors: readVectorSummary(row.vector_summary),
  };
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

function categoricalOf(row: ProfileRow): CategoricalCounts {
  const { categorical_count: count, category_values: values, category_counts: counts } = row;
  if (row.hashed === 0) {
    return {
      count,
      exact: new Map(values.map((value, index) => [value, counts[index]!])),
      hashed: null,
      text: null,
    };
  }
  const hashed = new Float64Array(hashBuckets);
  for (const [index, bucket] of values.entries()) hashed[Number(bucket)] = counts[index]!;
  const text = readTextSummary(row.text_summary);
  return { ...emptyCategoricalCounts(), count, hashed, text };
}
