import type { CategoricalCounts } from '../profile/categoricalCounts.ts';
import { categoryHash } from '../profile/categoryHash.ts';
import { type CategoryBins, categoryEntries } from './frequentCategoryBins.ts';

/** Up to this many categories of a reference have a bin each. */
const maxOwnBins = 64;
/** The bins of a reference with more categories. */
const sharedBins = 32;
/** Of more categories, at most this many have a bin each. */
const maxOutstanding = 16;
/** Standard deviations by which counts have to fall after the last category that stands out. */
const minGapDeviations = 4;

/**
 * Returns bins in which later records are compared with the reference itself. Up to 64 categories
 * have a bin each. Of more categories, only those that stand out by far have a bin each; all others
 * are spread over the other bins by their hash.
 *
 * Which categories share a bin must not depend on chance. If the 32 most frequent of a thousand
 * equally frequent categories had bins of their own, they would be the ones that chance favoured in
 * this very reference, and in every later window they would look rarer. So categories stand out
 * only where the next count is lower by four standard deviations of the difference of two counts.
 * Another sample would have singled out the same ones.
 *
 * Categories of equal frequency rank by their code units, so that the bins do not depend on the
 * order of counting. O(categories log categories).
 *
 * @param hashed whether any profile that will be counted in the bins is hashed, the reference among
 * them
 * @throws RangeError if the reference is hashed and `hashed` is false
 * @example
 * comparedCategoryBins(countsOf(['a', 'b', 'b']), false).binOf
 * // new Map([['b', 0], ['a', 1]])
 */
export function comparedCategoryBins(reference: CategoricalCounts, hashed: boolean): CategoryBins {
  const kind = hashed ? 'hashes' : 'categories';
  const ranked = categoryEntries(reference, hashed).sort(
    ([left, leftCount], [right, rightCount]) => rightCount - leftCount || (left < right ? -1 : 1),
  );
  if (!hashed && ranked.length <= maxOwnBins) {
    const binOf = new Map(ranked.map(([category], rank) => [category, rank]));
    return { kind, binCount: ranked.length, binOf };
  }
  const own = outstandingCategories(ranked.map(([, count]) => count));
  const binOf = new Map(
    ranked.map(([category], rank) => {
      const bin = rank < own ? rank : own + groupOf(category, sharedBins - own);
      return [category, bin];
    }),
  );
  return { kind, binCount: sharedBins, binOf };
}

/**
 * Returns how many of the most frequent categories stand out: the most, up to 16, after which the
 * counts fall by more than chance makes them.
 *
 * @param counts in falling order
 */
function outstandingCategories(counts: readonly number[]): number {
  let outstanding = 0;
  for (let rank = 1; rank <= maxOutstanding && rank < counts.length; rank++) {
    const last = counts[rank - 1]!;
    const next = counts[rank]!;
    if (last - next >= minGapDeviations * Math.sqrt(last + next)) outstanding = rank;
  }
  return outstanding;
}

/** Returns one of some bins for a category, by its hash alone. */
function groupOf(category: string | number, groups: number): number {
  return (typeof category === 'number' ? category : categoryHash(category)) % groups;
}
