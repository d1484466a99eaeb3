import { binnedCounts } from '../../shared/bins/binnedCounts.ts';
import { bucketValue } from '../../shared/bins/bucketValue.ts';
import { categoryEntries } from '../../shared/bins/frequentCategoryBins.ts';
import type { FeatureProfile } from '../../shared/profile/featureProfile.ts';
import { emptyFeatureProfile } from '../../shared/profile/featureProfile.ts';
import { sortedBuckets } from '../../shared/profile/sortedBuckets.ts';
import type { FrozenVariable } from './frozenVariable.ts';
import { resolvedProfile } from './resolvedProfile.ts';

/** What is kept of a variable in a block of records once its profile is gone. Counts add up over blocks. */
export interface VariableCounts {
  /** Records per bin: those of the reference, then unseen, non-finite, wrong type, missing. They sum to the records. */
  counts: number[];
  /** Numbers outside the plausible range. */
  outOfRange: number;
  /** True when every valid value is one and the same. */
  constant: boolean;
}

/** @param records of the block; those that the profile does not know of did not carry the variable */
export function countVariable(
  frozen: FrozenVariable,
  profile: FeatureProfile | undefined,
  records: number,
): VariableCounts {
  const known = profile ?? emptyFeatureProfile();
  const counts = binnedCounts(resolvedProfile(known, frozen.bins), frozen.bins);
  counts[counts.length - 1]! += records - known.count;
  return {
    counts,
    outOfRange: outOfRangeCount(frozen, known),
    constant: isConstant(frozen, known),
  };
}

/**
 * Counts of the parts of the very reference that a variable was frozen on. A value that only one part has counts as
 * unseen there, as it would have if that part had come later: otherwise the reference would never see anything new,
 * and rare values make every honest window look worse (leave-one-out; of a single part, the values that occur once:
 * Good, "The population frequencies of species", Biometrika 40, 1953).
 */
export function countReference(
  frozen: FrozenVariable,
  parts: readonly { profile: FeatureProfile | undefined; records: number }[],
): VariableCounts[] {
  const entries = parts.map(({ profile }) => (profile ? distinctValues(frozen, profile) : []));
  const occurrences = new Map<string | number, number>();
  for (const part of entries) {
    for (const [value, count] of part) {
      occurrences.set(value, (occurrences.get(value) ?? 0) + (parts.length === 1 ? count : 1));
    }
  }
  return parts.map(({ profile, records }, index) => {
    const counted = countVariable(frozen, profile, records);
    for (const [value, count, bin] of entries[index]!) {
      if (occurrences.get(value) !== 1) continue;
      counted.counts[bin]! -= count;
      counted.counts[frozen.binCount]! += count;
    }
    return counted;
  });
}

/** The values that have bins as values, with their counts and bins; none where bins are ranges, which see everything. */
function distinctValues(
  { bins, binCount }: FrozenVariable,
  profile: FeatureProfile,
): [value: string | number, count: number, bin: number][] {
  const resolved = resolvedProfile(profile, bins);
  if (!('keys' in bins)) {
    return categoryEntries(resolved.categorical, bins.kind === 'hashes').map(([value, count]) => [
      value,
      count,
      bins.binOf.get(value) ?? binCount,
    ]);
  }
  if (bins.kind === 'ranges') return [];
  const { keys, counts } = sortedBuckets(resolved.numeric, bins.mantissaBits);
  return Array.from(keys, (key, index) => [key, counts[index]!, bins.keys.indexOf(key)]);
}

function outOfRangeCount(
  { type, lowestPlausible, highestPlausible }: FrozenVariable,
  { numeric }: FeatureProfile,
): number {
  if (type === 'categorical' || numeric.count === 0) return 0;
  if (numeric.minimum >= lowestPlausible && numeric.maximum <= highestPlausible) return 0;
  let outside = 0;
  for (let bucket = 0; bucket < numeric.bucketsInUse; bucket++) {
    const value = bucketValue(numeric, numeric.bucketKeys[bucket]!, numeric.mantissaBits);
    if (value < lowestPlausible || value > highestPlausible)
      outside += numeric.bucketCounts[bucket]!;
  }
  return outside;
}

function isConstant({ type }: FrozenVariable, { numeric, categorical }: FeatureProfile): boolean {
  if (type === 'numeric') return numeric.count > 0 && numeric.minimum === numeric.maximum;
  return categorical.exact.size === 1;
}
