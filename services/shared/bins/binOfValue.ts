import { bucketKey, FINEST_MANTISSA_BITS } from '../profile/bucketKey.ts';
import { categoryHash } from '../profile/categoryHash.ts';
import type { FeatureValue } from '../profile/featureProfile.ts';
import type { NumericBins } from './equalMassBins.ts';
import type { FeatureBins } from './featureBins.ts';
import { lowerBound } from './lowerBound.ts';

/**
 * The bin in which `binnedCounts` counts a single value: those of the reference's values, then never seen, non-finite, of the wrong
 * type, missing. O(log bins).
 *
 * @example binOfValue(7, featureBins(profileOf(1, 2), [])); // 2: never seen
 */
export function binOfValue(value: FeatureValue, bins: FeatureBins): number {
  const unseen =
    'keys' in bins ? bins.keys.length + (bins.kind === 'ranges' ? 1 : 0) : bins.binCount;
  if (value === null || value === undefined) return unseen + 3;
  if (typeof value === 'number' && !Number.isFinite(value)) return unseen + 1;
  if ('keys' in bins)
    return typeof value === 'number' ? numericBin(value, bins, unseen) : unseen + 2;
  if (typeof value === 'number') return unseen + 2;
  const text = String(value);
  return bins.binOf.get(bins.kind === 'hashes' ? categoryHash(text) : text) ?? unseen;
}

function numericBin(
  value: number,
  { kind, keys, mantissaBits }: NumericBins,
  unseen: number,
): number {
  const key = bucketKey(value) >> (FINEST_MANTISSA_BITS - mantissaBits);
  const bin = lowerBound(keys, key);
  return kind === 'ranges' || keys[bin] === key ? bin : unseen;
}
