import { equalMassBins } from '../../../../services/shared/bins/equalMassBins.ts';
import type { FeatureBins } from '../../../../services/shared/bins/featureBins.ts';
import { frequentCategoryBins } from '../../../../services/shared/bins/frequentCategoryBins.ts';
import {
  type FeatureProfile,
  featureType,
} from '../../../../services/shared/profile/featureProfile.ts';

/**
 * Returns the finest bins of a reference in which it and the profiles that are compared with it can
 * all be counted.
 */
export function commonBins(reference: FeatureProfile, compared: FeatureProfile[]): FeatureBins {
  const profiles = [reference, ...compared];
  if (featureType(reference) === 'categorical')
    return frequentCategoryBins(
      reference.categorical,
      profiles.some(({ categorical }) => categorical.hashed !== null),
    );
  const coarsest = Math.min(...profiles.map(({ numeric }) => numeric.mantissaBits));
  return equalMassBins(reference.numeric, coarsest);
}
