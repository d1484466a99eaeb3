import { bucketValue } from '../../shared/bins/bucketValue.ts';
import type { NumericBins } from '../../shared/bins/equalMassBins.ts';
import type { FeatureBins } from '../../shared/bins/featureBins.ts';
import type { CategoryBins } from '../../shared/bins/frequentCategoryBins.ts';
import { bucketKey, FINEST_MANTISSA_BITS } from '../../shared/profile/bucketKey.ts';
import { categoryHash } from '../../shared/profile/categoryHash.ts';
import type { FeatureProfile } from '../../shared/profile/featureProfile.ts';
import {
  addToBucket,
  emptyNumericHistogram,
  type NumericHistogram,
} from '../../shared/profile/numericHistogram.ts';

/**
 * The profile at a resolution that the bins can count. Nearly always that is the profile itself; one that turned out
 * coarser than the bins is taken for its best guess: a bucket of numbers for its middle, a hash bucket for the most
 * frequent category of the reference that falls into it.
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
      bucketKey(value) >> (FINEST_MANTISSA_BITS - mantissaBits),
      coarse.bucketCounts[bucket]!,
    );
  }
  const { count, nonFinite, minimum, maximum, sum } = coarse;
  return Object.assign(fine, { count, nonFinite, minimum, maximum, sum });
}

function namedCategories(profile: FeatureProfile, bins: CategoryBins): FeatureProfile {
  const categoryOfHash = new Map<number, string>();
  // binOf lists the most frequent first.
  for (const category of bins.binOf.keys()) {
    const hash = categoryHash(String(category));
    if (!categoryOfHash.has(hash)) categoryOfHash.set(hash, String(category));
  }
  const exact = new Map<string, number>();
  for (const [hash, count] of profile.categorical.hashed!.entries()) {
    if (count > 0) exact.set(categoryOfHash.get(hash) ?? `hash bucket ${hash}`, count);
  }
  return { ...profile, categorical: { count: profile.categorical.count, exact, hashed: null } };
}
