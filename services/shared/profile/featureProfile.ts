import type { CategoricalCounts } from './categoricalCounts.ts';
import {
  addCategory,
  emptyCategoricalCounts,
  mergeCategoricalCounts,
} from './categoricalCounts.ts';
import type { NumericHistogram } from './numericHistogram.ts';
import { addNumber, emptyNumericHistogram, mergeNumericHistograms } from './numericHistogram.ts';
import { textSummaryBytes } from './textSummary.ts';
import {
  addVector,
  emptyVectorSummary,
  mergeVectorSummaries,
  type VectorSummary,
  vectorSummaryBytes,
} from './vectorSummary.ts';

/** A value of a feature or an output. Null and undefined are missing values. */
export type FeatureValue = number | string | boolean | null | undefined;

/** An embedding, or another array of numbers. */
export type Vector = readonly number[];

/** The type of most values of a feature. */
export type FeatureType = 'numeric' | 'categorical';

/**
 * The mergeable summary of one feature (or output) in one window. It needs neither a reference nor
 * a declared type: every value is counted as what it is, and whether its type is wrong is decided
 * later, against a reference.
 *
 * Every record is counted once: `count` = `missing` + `numeric.count` + `numeric.nonFinite` +
 * `categorical.count` + `vectors.count`.
 */
export type FeatureProfile = {
  /** Records. */
  count: number;
  /** Records without the feature, or with null. */
  missing: number;
  numeric: NumericHistogram;
  categorical: CategoricalCounts;
  /** Null while there are none. */
  vectors: VectorSummary | null;
};

/** Returns a profile without records. */
export function emptyFeatureProfile(): FeatureProfile {
  return {
    count: 0,
    missing: 0,
    numeric: emptyNumericHistogram(),
    categorical: emptyCategoricalCounts(),
    vectors: null,
  };
}

/**
 * Counts the value of one record, in place. Booleans count as the categories 'true' and 'false',
 * NaN and ±Infinity as non-finite numbers, null and undefined as missing. Amortised O(1) for a
 * number, O(length) for a text or a vector.
 *
 * @param id of the record, which matters for vectors alone
 */
export function addValue(profile: FeatureProfile, value: FeatureValue | Vector, id = ''): void {
  profile.count += 1;
  if (typeof value === 'number') addNumber(profile.numeric, value);
  else if (typeof value === 'string') addCategory(profile.categorical, value);
  else if (typeof value === 'boolean') addCategory(profile.categorical, value ? 'true' : 'false');
  else if (value === null || value === undefined) profile.missing += 1;
  else {
    profile.vectors ??= emptyVectorSummary();
    addVector(profile.vectors, value, id);
  }
}

/**
 * Returns one profile of the records of any number of profiles, which stay as they are. In any
 * order and grouping, the result is the profile that one pass over all records would give, except
 * for the last bits of `numeric.sum`. O(buckets + categories).
 */
export function mergeFeatureProfiles(...profiles: FeatureProfile[]): FeatureProfile {
  const vectors = profiles.flatMap(profile => profile.vectors ?? []);
  return {
    count: profiles.reduce((count, profile) => count + profile.count, 0),
    missing: profiles.reduce((missing, profile) => missing + profile.missing, 0),
    numeric: mergeNumericHistograms(...profiles.map(profile => profile.numeric)),
    categorical: mergeCategoricalCounts(...profiles.map(profile => profile.categorical)),
    vectors: vectors.length > 0 ? mergeVectorSummaries(...vectors) : null,
  };
}

/**
 * Returns the type of most values. Non-finite numbers count as numeric; so does a tie, and a
 * profile without values.
 *
 * @example featureType(profileOf([1, 'a', 'b', null])) // 'categorical'
 */
export function featureType(profile: FeatureProfile): FeatureType {
  return profile.categorical.count > profile.numeric.count + profile.numeric.nonFinite
    ? 'categorical'
    : 'numeric';
}

const profileOverheadBytes = 800;
const categoryBytes = 80;

/** Returns about how many bytes of memory a profile takes. */
export function featureProfileBytes({ numeric, categorical, vectors }: FeatureProfile): number {
  const { bucketKeys, bucketCounts, slots } = numeric;
  const arrays = bucketKeys.byteLength + bucketCounts.byteLength + slots.byteLength;
  return (
    profileOverheadBytes +
    arrays +
    categorical.exact.size * categoryBytes +
    (categorical.hashed?.byteLength ?? 0) +
    (categorical.text ? textSummaryBytes(categorical.text) : 0) +
    (vectors ? vectorSummaryBytes(vectors) : 0)
  );
}
