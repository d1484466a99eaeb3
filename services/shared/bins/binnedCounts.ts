import type { CategoricalCounts } from '../profile/categoricalCounts.ts';
import type { FeatureProfile } from '../profile/featureProfile.ts';
import type { NumericHistogram } from '../profile/numericHistogram.ts';
import { sortedBuckets } from '../profile/sortedBuckets.ts';
import type { NumericBins } from './equalMassBins.ts';
import type { FeatureBins } from './featureBins.ts';
import type { CategoryBins } from './frequentCategoryBins.ts';
import { categoryEntries } from './frequentCategoryBins.ts';

/**
 * The records of a profile, each in one bin: the bins of the reference's values (numbers ascending, or categories by
 * falling frequency with the rare ones last), then four more: never seen in the reference, non-finite, of the wrong
 * type, missing. All profiles counted in the same bins give vectors of the same length, whose sum is `profile.count`.
 *
 * O(buckets log buckets). A RangeError if the profile is coarser than the bins, or hashed and they are not.
 *
 * @example binnedCounts(profileOf(1, 1, 7, 'x', null), featureBins(profileOf(1, 2), [])); // [2, 0, 1, 0, 1, 1]
 */
export function binnedCounts(profile: FeatureProfile, bins: FeatureBins): number[] {
  const { numeric, categorical } = profile;
  const isNumeric = 'keys' in bins;
  const seenAndUnseen = isNumeric
    ? numericCounts(numeric, bins)
    : categoryCounts(categorical, bins);
  const wrongType = isNumeric ? categorical.count : numeric.count;
  return [...seenAndUnseen, numeric.nonFinite, wrongType, profile.missing];
}

function numericCounts(histogram: NumericHistogram, bins: NumericBins): number[] {
  const binCount = bins.kind === 'ranges' ? bins.keys.length + 1 : bins.keys.length;
  const counts = new Array<number>(binCount + 1).fill(0);
  const buckets = sortedBuckets(histogram, bins.mantissaBits);
  let bin = 0;
  for (let index = 0; index < buckets.keys.length; index++) {
    const key = buckets.keys[index]!;
    while (bin < bins.keys.length && key > bins.keys[bin]!) bin += 1;
    const isSeen = bins.kind === 'ranges' || key === bins.keys[bin];
    counts[isSeen ? bin : binCount]! += buckets.counts[index]!;
  }
  return counts;
}

function categoryCounts(categorical: CategoricalCounts, bins: CategoryBins): number[] {
  const counts = new Array<number>(bins.binCount + 1).fill(0);
  for (const [category, count] of categoryEntries(categorical, bins.kind === 'hashes')) {
    counts[bins.binOf.get(category) ?? bins.binCount]! += count;
  }
  return counts;
}
