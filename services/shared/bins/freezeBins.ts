import { coarsestMantissaBits } from '../profile/bucketKey.ts';
import { type FeatureProfile, featureType } from '../profile/featureProfile.ts';
import { comparedCategoryBins } from './comparedCategoryBins.ts';
import { equalMassBins } from './equalMassBins.ts';
import type { FeatureBins } from './featureBins.ts';

/** A reference with more buckets or categories than this gets bins that are coarser than itself. */
const maxExactValues = 128;
/** Bits by which the bins of many numbers are coarser than the reference. */
const spareMantissaBits = 2;

/**
 * Returns bins for the values of a reference that later windows can be counted in as well: ten bins
 * of equal mass for numbers (`equalMassBins`), bins of categories that do not depend on chance
 * (`comparedCategoryBins`).
 *
 * A later window may hold more distinct values than the reference, and its profile is then coarser
 * (see `NumericHistogram` and `CategoricalCounts`). So when the reference has more than 128
 * buckets, the edges of its bins lie on a grid with a quarter of its resolution; when it has more
 * than 128 categories, its bins are made of hash buckets. A window that is even coarser has to be
 * brought to the resolution of the bins before it is counted.
 *
 * O(buckets log buckets), or O(categories log categories).
 *
 * @example freezeBins(profileOf(['a', 'b', 'b'])).kind // 'categories'
 */
export function freezeBins(reference: FeatureProfile): FeatureBins {
  const { numeric, categorical } = reference;
  if (featureType(reference) === 'categorical') {
    const hashed = categorical.hashed !== null || categorical.exact.size > maxExactValues;
    return comparedCategoryBins(categorical, hashed);
  }
  const spare = numeric.bucketsInUse > maxExactValues ? spareMantissaBits : 0;
  return equalMassBins(numeric, Math.max(coarsestMantissaBits, numeric.mantissaBits - spare));
}
