import { binnedCounts } from '../../shared/bins/binnedCounts.ts';
import { bucketValue } from '../../shared/bins/bucketValue.ts';
import {
  addMissing,
  type CountVector,
  moveToUnseen,
  unseenBin,
  unseenCount,
} from '../../shared/bins/countVector.ts';
import { categoryEntries } from '../../shared/bins/frequentCategoryBins.ts';
import { viewedProfile } from '../../shared/kinds/viewedProfile.ts';
import type { FeatureProfile } from '../../shared/profile/featureProfile.ts';
import { emptyFeatureProfile } from '../../shared/profile/featureProfile.ts';
import type { NumericHistogram } from '../../shared/profile/numericHistogram.ts';
import { sortedBuckets } from '../../shared/profile/sortedBuckets.ts';
import type { FrozenVariable } from './frozenVariable.ts';
import { resolvedProfile } from './resolvedProfile.ts';
import { mergeUnseenValues, unseenValues } from './unseenValues.ts';

/**
 * The counts of one variable in a block of records. They take the place of its profile, and can be
 * added over blocks.
 */
export interface VariableCounts {
  /** Records per bin; they sum to the records of the block. */
  counts: CountVector;
  /** Numbers outside the plausible range. */
  outOfRange: number;
  /** Whether there are valid values and all of them are the same. */
  constant: boolean;
  /** The most frequent values that the reference does not have (`unseenValues`). */
  unseen?: ReadonlyMap<string, number>;
}

/** The block in which a variable is counted. */
interface CountedBlock {
  records: number;
  startMs: number;
}

/**
 * Counts a variable of a block in its frozen bins. O(buckets log buckets), or O(categories).
 *
 * @param profile undefined if no record carried the variable
 * @param block its records that the profile does not count are missing the variable
 * @returns null if the profile is from before version 0.2 and does not tell what its texts say
 */
export function countVariable(
  frozen: FrozenVariable,
  profile: FeatureProfile | undefined,
  block: CountedBlock,
): VariableCounts | null {
  const known = viewedProfile(profile ?? emptyFeatureProfile(), frozen.view);
  return known && countViewed(frozen, known, block);
}

function countViewed(
  frozen: FrozenVariable,
  known: FeatureProfile,
  { records, startMs }: CountedBlock,
): VariableCounts {
  const counts = binnedCounts(resolvedProfile(known, frozen.bins), frozen.bins);
  addMissing(counts, records - known.count);
  const unseen = unseenCount(counts) > 0 ? unseenValues(known, frozen.bins) : undefined;
  return {
    counts,
    outOfRange: outOfRangeCount(frozen, known, startMs),
    constant: isConstant(frozen, known),
    ...(unseen && { unseen }),
  };
}

/** Returns the counts of two blocks in the same bins as those of one. O(bins). */
export function mergeVariableCounts(
  earlier: VariableCounts,
  later: VariableCounts,
): VariableCounts {
  const unseen = mergeUnseenValues(earlier.unseen, later.unseen);
  return {
    counts: earlier.counts.map((count, bin) => count + later.counts[bin]!),
    outOfRange: earlier.outOfRange + later.outOfRange,
    // Whether two constant blocks have the same value is not known.
    constant: false,
    ...(unseen && { unseen }),
  };
}

/**
 * Counts the parts of the very reference that a variable was frozen on. A value that only one part
 * has counts as unseen there, as it would if that part had come later (leave-one-out). Otherwise
 * the reference would never see anything new, and rare values would make every honest window look
 * worse. If there is a single part, the values that occur once count as unseen (Good, "The
 * population frequencies of species", Biometrika 40, 1953).
 *
 * O(parts · buckets log buckets), or O(parts · categories).
 */
export function countReference(
  frozen: FrozenVariable,
  parts: readonly (CountedBlock & { profile: FeatureProfile | undefined })[],
): VariableCounts[] {
  // The kind of the variable was found in these very parts, so that its view shows them.
  const viewed = parts.map(({ profile, records, startMs }) => ({
    profile: viewedProfile(profile ?? emptyFeatureProfile(), frozen.view)!,
    records,
    startMs,
  }));
  const entries = viewed.map(({ profile }) => distinctValues(frozen, profile));
  const occurrences = new Map<string | number, number>();
  for (const part of entries) {
    for (const [value, count] of part) {
      occurrences.set(value, (occurrences.get(value) ?? 0) + (parts.length === 1 ? count : 1));
    }
  }
  return viewed.map(({ profile, ...block }, index) => {
    const counted = countViewed(frozen, profile, block);
    for (const [value, count, bin] of entries[index]!) {
      if (occurrences.get(value) !== 1) continue;
      moveToUnseen(counted.counts, bin, count);
    }
    return counted;
  });
}

/**
 * Returns the values that have a bin as single values, with their counts and bins; none if the bins
 * are ranges, which hold every number.
 */
function distinctValues(
  { bins, binCount }: FrozenVariable,
  profile: FeatureProfile,
): [value: string | number, count: number, bin: number][] {
  const resolved = resolvedProfile(profile, bins);
  if (!('keys' in bins)) {
    return categoryEntries(resolved.categorical, bins.kind === 'hashes').map(([value, count]) => [
      value,
      count,
      bins.binOf.get(value) ?? unseenBin(binCount),
    ]);
  }
  if (bins.kind === 'ranges') return [];
  const { keys, counts } = sortedBuckets(resolved.numeric, bins.mantissaBits);
  return Array.from(keys, (key, index) => [key, counts[index]!, bins.keys.indexOf(key)]);
}

function outOfRangeCount(
  { type, minPlausible, maxPlausible, sinceStart }: FrozenVariable,
  { numeric }: FeatureProfile,
  startMs: number,
): number {
  if (type === 'categorical' || numeric.count === 0) return 0;
  const start = sinceStart ? startMs / 1000 : 0;
  return countOutside(numeric, start + minPlausible, start + maxPlausible);
}

function countOutside(
  numeric: NumericHistogram,
  minPlausible: number,
  maxPlausible: number,
): number {
  if (numeric.minimum >= minPlausible && numeric.maximum <= maxPlausible) return 0;
  let outside = 0;
  for (let bucket = 0; bucket < numeric.bucketsInUse; bucket++) {
    const value = bucketValue(numeric, numeric.bucketKeys[bucket]!, numeric.mantissaBits);
    if (value < minPlausible || value > maxPlausible) outside += numeric.bucketCounts[bucket]!;
  }
  return outside;
}

function isConstant({ type }: FrozenVariable, { numeric, categorical }: FeatureProfile): boolean {
  if (type === 'numeric') return numeric.count > 0 && numeric.minimum === numeric.maximum;
  return categorical.exact.size === 1;
}
