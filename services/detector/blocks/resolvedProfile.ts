import { bucketValue } from '../../shared/bins/bucketValue.ts';
import type { NumericBins } from '../../shared/bins/equalMassBins.ts';
import type { FeatureBins } from '../../shared/bins/featureBins.ts';
import type { CategoryBins } from '../../shared/bins/frequentCategoryBins.ts';
import { bucketKey, finestMantissaBits } from '../../shared/profile/bucketKey.ts';
import { categoryHash } from '../../shared/profile/categoryHash.ts';
import type { FeatureProfile } from '../../shared/profile/featureProfile.ts';
import {
  addToBucket,
  emptyNumericHistogram,
  type NumericHistogram,
} from '../../shared/profile/numericHistogram.ts';

/**
 * Returns a profile at a resolution that the bins can count. Nearly always it is the profile
 * itself. A profile that is coarser than the bins is replaced by a guess: each bucket of numbers
 * stands at its middle, and each hash bucket stands for the most frequent category of the reference
 * that falls into it. The number of records stays the same.
 *
 * O(1), or O(buckets + categories) for a coarse profile.
 */
export function resolvedProfile(profile: FeatureProfile, bins: FeatureBins): FeatureProfile {
  if ('keys' in bins) {
    const counted = profile.numeric.mantissaBits >= bins.mantissaBits;
    return counted ? profile : { ...profile, numeric: refined(profile.numeric, bins) };
  }
  const counted = bins.kind === 'hashes' || profile.categorical.hashed === null;
  return counted ? profile : namedCategories(profile, bins);
}

function refined(coarse: NumericHistogram, { mantissaBits }: NumericBins): NumericHistogram {
  const fine = { ...emptyNumericHistogram(), mantissaBits };
  for (let bucket = 0; bucket < coarse.bucketsInUse; bucket++) {
    const value = bucketValue(coarse, coarse.bucketKeys[bucket]!, coarse.mantissaBits);
    addToBucket(
      fine,
      bucketKey(value) >> (finestMantissaBits - mantissaBits),
      coarse.bucketCounts[bucket]!,
    );
  }
  const { count, nonFinite, minimum, maximum, sum } = coarse;
  return Object.assign(fine, { count, nonFinite, minimum, maximum, sum });
}

/**
 * Returns a profile with names in place of hash buckets; a bucket without a category of the
 * reference gets a name of its own.
 */
function namedCategories(profile: FeatureProfile, bins: CategoryBins): FeatureProfile {
  const categoryOfHash = new Map<number, string>();
  // The most frequent category comes first in binOf.
  for (const category of bins.binOf.keys()) {
    const hash = categoryHash(String(category));
    if (!categoryOfHash.has(hash)) categoryOfHash.set(hash, String(category));
  }
  const exact = new Map<string, number>();
  for (const [hash, count] of profile.categorical.hashed!.entries()) {
    if (count > 0) exact.set(categoryOfHash.get(hash) ?? `hash bucket ${hash}`, count);
  }
  const { count } = profile.categorical;
  return { ...profile, categorical: { count, exact, hashed: null, text: null } };
}
