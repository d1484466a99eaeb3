import type { CategoricalCounts } from '../profile/categoricalCounts.ts';
import { hashedCounts } from '../profile/categoricalCounts.ts';

/** So many categories have a bin of their own: about the levels of a feature that a person names. */
const FREQUENT_CATEGORIES = 32;

/**
 * Bins of categories: `binOf` gives each category of the reference its bin, the most frequent ones 0, 1, … and all
 * others the last. A category that is not in it was never seen in the reference. When `hashed`, the categories are the
 * 256 hash buckets, by number.
 */
export type CategoryBins = {
  kind: 'categories' | 'hashes';
  binCount: number;
  binOf: Map<string | number, number>;
};

/**
 * A bin for each of the most frequent categories of a reference, and one for its others. Equally frequent ones rank by
 * their code units, so that the bins do not depend on the order of counting. O(categories log categories).
 *
 * @param hashed whether any of the summaries that will be put into the bins is hashed, the reference among them
 * @example frequentCategoryBins(countsOf('a', 'b', 'b'), false).binOf; // b → 0, a → 1
 */
export function frequentCategoryBins(reference: CategoricalCounts, hashed: boolean): CategoryBins {
  const ranked = categoryEntries(reference, hashed).sort(
    ([left, leftCount], [right, rightCount]) => rightCount - leftCount || (left < right ? -1 : 1),
  );
  const binOf = new Map(
    ranked.map(([category], rank) => [category, Math.min(rank, FREQUENT_CATEGORIES)]),
  );
  const binCount = Math.min(ranked.length, FREQUENT_CATEGORIES + 1);
  return { kind: hashed ? 'hashes' : 'categories', binCount, binOf };
}

/** The categories of a summary, or the numbers of its hash buckets, with their counts above 0. */
export function categoryEntries(
  counts: CategoricalCounts,
  hashed: boolean,
): [string | number, number][] {
  if (!hashed && counts.hashed)
    throw new RangeError('no exact counts of categories, only those of hash buckets');
  if (!hashed) return [...counts.exact];
  return [...hashedCounts(counts).entries()].filter(([, count]) => count > 0);
}
