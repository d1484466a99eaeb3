import type { CategoricalCounts } from '../profile/categoricalCounts.ts';
import { hashedCounts } from '../profile/categoricalCounts.ts';

/**
 * Categories beyond the most frequent ones share a bin. A feature whose levels a person names has
 * about this many.
 */
const maxOwnBins = 32;

/**
 * Bins of categories. `binOf` gives the bin of each category of the reference, in falling order of
 * frequency; all categories past the 32 most frequent ones share the last bin. A category that is
 * not in the map was never seen in the reference.
 *
 * The keys of `categories` are texts; those of `hashes` are the numbers of the 256 hash buckets
 * (`categoryHash`).
 */
export type CategoryBins = {
  kind: 'categories' | 'hashes';
  /** The number of bins that hold categories of the reference. */
  binCount: number;
  binOf: Map<string | number, number>;
};

/**
 * Returns a bin for each of the most frequent categories of a reference, and one for all its other
 * categories. Categories of equal frequency rank by their code units, so that the bins do not
 * depend on the order of counting. O(categories log categories).
 *
 * @param hashed whether any profile that will be counted in the bins is hashed, the reference among
 * them
 * @throws RangeError if the reference is hashed and `hashed` is false
 * @example
 * frequentCategoryBins(countsOf(['a', 'b', 'b']), false).binOf
 * // new Map([['b', 0], ['a', 1]])
 */
export function frequentCategoryBins(reference: CategoricalCounts, hashed: boolean): CategoryBins {
  const ranked = categoryEntries(reference, hashed).sort(
    ([left, leftCount], [right, rightCount]) => rightCount - leftCount || (left < right ? -1 : 1),
  );
  const binOf = new Map(ranked.map(([category], rank) => [category, Math.min(rank, maxOwnBins)]));
  const binCount = Math.min(ranked.length, maxOwnBins + 1);
  return { kind: hashed ? 'hashes' : 'categories', binCount, binOf };
}

/**
 * Returns the categories of a profile with their counts, or the numbers of the hash buckets in use
 * with theirs. O(categories).
 *
 * @throws RangeError if the profile is hashed and exact categories are asked for
 * @example categoryEntries(countsOf(['a', 'b', 'b']), false) // [['a', 1], ['b', 2]]
 */
export function categoryEntries(
  counts: CategoricalCounts,
  hashed: boolean,
): [string | number, number][] {
  if (!hashed && counts.hashed)
    throw new RangeError('no exact counts of categories, only those of hash buckets');
  if (!hashed) return [...counts.exact];
  return [...hashedCounts(counts).entries()].filter(([, count]) => count > 0);
}
