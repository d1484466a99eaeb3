import type { FeatureBins } from '../../shared/bins/featureBins.ts';
import { mostFrequentFirst } from '../../shared/mostFrequentFirst.ts';
import type { FeatureProfile } from '../../shared/profile/featureProfile.ts';
import { sortedBuckets } from '../../shared/profile/sortedBuckets.ts';
import { numberName } from './valueNames.ts';

/** Of more values only the most frequent ones are kept by name. */
export const maxUnseenValues = 8;
/** Longer names are cut, so that a history of blocks stays small. */
const maxNameLength = 64;

/**
 * Returns the most frequent values of a profile that have no bin, with their counts. Undefined where
 * their names are not known: there are more than 256 categories, so that only hashes are counted, or
 * the bins are ranges, which hold every number.
 *
 * O(buckets log buckets), or O(categories log categories).
 */
export function unseenValues(
  { numeric, categorical }: FeatureProfile,
  bins: FeatureBins,
): ReadonlyMap<string, number> | undefined {
  if ('keys' in bins) {
    if (bins.kind === 'ranges' || numeric.mantissaBits < bins.mantissaBits) return undefined;
    const seen = new Set(bins.keys);
    const { keys, counts } = sortedBuckets(numeric, bins.mantissaBits);
    const unseen = Array.from(keys, (key, index) => [key, counts[index]!] as const).filter(
      ([key]) => !seen.has(key),
    );
    return mostFrequent(unseen.map(([key, count]) => [numberName(key, bins.mantissaBits), count]));
  }
  if (bins.kind === 'hashes' || categorical.hashed) return undefined;
  return mostFrequent(
    [...categorical.exact]
      .filter(([value]) => !bins.binOf.has(value))
      .map(([value, count]) => [shortened(value), count]),
  );
}

/** Returns the values of two blocks with their counts, the most frequent ones. */
export function mergeUnseenValues(
  earlier: ReadonlyMap<string, number> | undefined,
  later: ReadonlyMap<string, number> | undefined,
): ReadonlyMap<string, number> | undefined {
  if (!earlier || !later) return earlier ?? later;
  return mostFrequent([...earlier, ...later]);
}

function mostFrequent(counts: readonly [string, number][]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const [value, count] of counts) sums.set(value, (sums.get(value) ?? 0) + count);
  return new Map(mostFrequentFirst(sums).slice(0, maxUnseenValues));
}

function shortened(value: string): string {
  return value.length <= maxNameLength
    ? value
    : `${value.slice(0, maxNameLength - 1).toWellFormed()}…`;
}
