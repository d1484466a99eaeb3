import type { FeatureProfile } from '../profile/featureProfile.ts';
import { featureType } from '../profile/featureProfile.ts';
import type { NumericBins } from './equalMassBins.ts';
import { equalMassBins } from './equalMassBins.ts';
import type { CategoryBins } from './frequentCategoryBins.ts';
import { frequentCategoryBins } from './frequentCategoryBins.ts';

/** What `binnedCounts` puts a profile into. */
export type FeatureBins = NumericBins | CategoryBins;

/**
 * The bins in which a reference and the profiles compared with it can all be counted exactly: of the type of the
 * reference, at the coarsest of all their resolutions. To compare windows with each other, hand over all of them.
 *
 * @example const bins = featureBins(reference, [recent]); // then binnedCounts(reference, bins), binnedCounts(recent, bins)
 */
export function featureBins(reference: FeatureProfile, compared: FeatureProfile[]): FeatureBins {
  const profiles = [reference, ...compared];
  return featureType(reference) === 'numeric'
    ? equalMassBins(
        reference.numeric,
        Math.min(...profiles.map(profile => profile.numeric.mantissaBits)),
      )
    : frequentCategoryBins(
        reference.categorical,
        profiles.some(profile => profile.categorical.hashed !== null),
      );
}
