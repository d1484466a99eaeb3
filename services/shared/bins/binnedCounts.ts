import type { CategoricalCounts } from '../profile/categoricalCounts.ts';
import type { FeatureProfile } from '../profile/featureProfile.ts';
import type { NumericHistogram } from '../profile/numericHistogram.ts';
import { sortedBuckets } from '../profile/sortedBuckets.ts';
import { type CountVector, countVector, unseenBin, validBinCount } from './countVector.ts';
import type { NumericBins } from './equalMassBins.ts';
import { type FeatureBins, seenBinCount } from './featureBins.ts';
import type { CategoryBins } from './frequentCategoryBins.ts';
import { categoryEntries } from './frequentCategoryBins.ts';

/**
 * Counts the records of a profile in bins. The seen bins of numbers are in ascending order; those
 * of categories are numbered by `CategoryBins.binOf`. The counts sum to `profile.count`.
 *
 * O(buckets log buckets), or O(categories).
 *
 * @throws RangeError if the profile is coarser than the bins: its numbers have fewer mantissa bits,
 * or its categories are hashed and the bins are not
 * @example
 * binnedCounts(profileOf([1, 1, 7, 'x', null]), freezeBins(profileOf([1, 2])))
 * // [2, 0, 1, 0, 1, 1]
 */
export function binnedCounts(profile: FeatureProfile, bins: FeatureBins): CountVector {
  const { numeric, categorical, vectors } = profile;
  const isNumeric = 'keys' in bins;
  const valid = isNumeric ? numericCounts(numeric, bins) : categoryCounts(categorical, bins);
  const wrongType = (isNumeric ? categorical.count : numeric.count) + (vectors?.count ?? 0);
  return countVector(valid, numeric.nonFinite, wrongType, profile.missing);
}

function numericCounts(histogram: NumericHistogram, bins: NumericBins): number[] {
  const seenBins = seenBinCount(bins);
  const unseen = unseenBin(seenBins);
  const counts = new Array<number>(validBinCount(seenBins)).fill(0);
  const buckets = sortedBuckets(histogram, bins.mantissaBits);
  let bin = 0;
  for (let index = 0; index < buckets.keys.length; index++) {
    const key = buckets.keys[index]!;
    while (bin < bins.keys.length && key > bins.keys[bin]!) bin += 1;
    const isSeen = bins.kind === 'ranges' || key === bins.keys[bin];
    counts[isSeen ? bin : unseen]! += buckets.counts[index]!;
  }
  return counts;
}

function categoryCounts(categorical: CategoricalCounts, bins: CategoryBins): number[] {
  const seenBins = seenBinCount(bins);
  const unseen = unseenBin(seenBins);
  const counts = new Array<number>(validBinCount(seenBins)).fill(0);
  for (const [category, count] of categoryEntries(categorical, bins.kind === 'hashes')) {
    counts[bins.binOf.get(category) ?? unseen]! += count;
  }
  return counts;
}
