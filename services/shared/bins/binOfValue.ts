import { bucketKey, finestMantissaBits } from '../profile/bucketKey.ts';
import { categoryHash } from '../profile/categoryHash.ts';
import type { FeatureValue } from '../profile/featureProfile.ts';
import { missingBin, nonFiniteBin, unseenBin, wrongTypeBin } from './countVector.ts';
import type { NumericBins } from './equalMassBins.ts';
import { type FeatureBins, seenBinCount } from './featureBins.ts';
import { lowerBound } from './lowerBound.ts';

/**
 * Returns the bin of a `CountVector` in which `binnedCounts` counts a single value. Counting a
 * window value by value gives the same vector as counting its profile, if the profile is not
 * coarser than the bins.
 *
 * O(log bins) for a number, O(length of the text) for a category.
 *
 * @example binOfValue(7, freezeBins(profileOf([1, 2]))) // 2
 */
export function binOfValue(value: FeatureValue, bins: FeatureBins): number {
  if (typeof value === 'number')
    return 'keys' in bins && Number.isFinite(value)
      ? numericBin(value, bins)
      : binOfOddNumber(value, bins);
  if (value === null || value === undefined) return missingBin(seenBinCount(bins));
  if ('keys' in bins) return wrongTypeBin(seenBinCount(bins));
  const text = String(value);
  return (
    bins.binOf.get(bins.kind === 'hashes' ? categoryHash(text) : text) ??
    unseenBin(seenBinCount(bins))
  );
}

function numericBin(value: number, bins: NumericBins): number {
  const { kind, keys, mantissaBits } = bins;
  const key = bucketKey(value) >> (finestMantissaBits - mantissaBits);
  const bin = lowerBound(keys, key);
  return kind === 'ranges' || keys[bin] === key ? bin : unseenBin(seenBinCount(bins));
}

/**
 * Returns the bin of a number that is not finite, or that stands where the reference has
 * categories.
 */
function binOfOddNumber(value: number, bins: FeatureBins): number {
  const seenBins = seenBinCount(bins);
  return Number.isFinite(value) ? wrongTypeBin(seenBins) : nonFiniteBin(seenBins);
}
