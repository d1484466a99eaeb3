import type { CategoricalCounts } from './categoricalCounts.ts';
import {
  addCategory,
  emptyCategoricalCounts,
  mergeCategoricalCounts,
} from './categoricalCounts.ts';
import type { NumericHistogram } from './numericHistogram.ts';
import { addNumber, emptyNumericHistogram, mergeNumericHistograms } from './numericHistogram.ts';

/** What a feature or an output may hold. */
export type FeatureValue = number | string | boolean | null | undefined;

export type FeatureType = 'numeric' | 'categorical';

/**
 * The mergeable summary of one feature (or output) in one window. It needs neither a reference nor a declared type:
 * every value is counted as what it is, and what was of the wrong type is said later, against a reference.
 *
 * `count` is the number of records: `missing` + `numeric.count` + `numeric.nonFinite` + `categorical.count`.
 */
export type FeatureProfile = {
  count: number;
  /** Records without the feature, or with null. */
  missing: number;
  numeric: NumericHistogram;
  categorical: CategoricalCounts;
};

export function emptyFeatureProfile(): FeatureProfile {
  return {
    count: 0,
    missing: 0,
    numeric: emptyNumericHistogram(),
    categorical: emptyCategoricalCounts(),
  };
}

/**
 * Counts the value that one record has for the feature, in place. Booleans are the categories 'true' and 'false';
 * NaN and ±Infinity are numeric, but non-finite; null and undefined are missing.
 */
export function addValue(profile: FeatureProfile, value: FeatureValue): void {
  profile.count += 1;
  if (typeof value === 'number') addNumber(profile.numeric, value);
  else if (typeof value === 'string') addCategory(profile.categorical, value);
  else if (typeof value === 'boolean') addCategory(profile.categorical, value ? 'true' : 'false');
  else profile.missing += 1;
}

/**
 * One profile of all the records of any number of profiles, which stay as they are. In any order and grouping the
 * result is the profile that one pass over all the records would give, but for the last bits of `numeric.sum`.
 */
export function mergeFeatureProfiles(...profiles: FeatureProfile[]): FeatureProfile {
  return {
    count: profiles.reduce((count, profile) => count + profile.count, 0),
    missing: profiles.reduce((missing, profile) => missing + profile.missing, 0),
    numeric: mergeNumericHistograms(...profiles.map(profile => profile.numeric)),
    categorical: mergeCategoricalCounts(...profiles.map(profile => profile.categorical)),
  };
}

/** The type of the majority of the values, non-finite ones being numeric; on a tie, and when there are none, numeric. */
export function featureType(profile: FeatureProfile): FeatureType {
  return profile.categorical.count > profile.numeric.count + profile.numeric.nonFinite
    ? 'categorical'
    : 'numeric';
}

const profileOverheadBytes = 800;
const categoryBytes = 80;

/** What a profile takes in memory, about. */
export function featureProfileBytes({ numeric, categorical }: FeatureProfile): number {
  const { bucketKeys, bucketCounts, slots } = numeric;
  const arrays = bucketKeys.byteLength + bucketCounts.byteLength + slots.byteLength;
  return (
    profileOverheadBytes +
    arrays +
    categorical.exact.size * categoryBytes +
    (categorical.hashed?.byteLength ?? 0)
  );
}
