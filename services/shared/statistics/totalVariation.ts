import { sum } from 'simple-statistics';

/**
 * Returns the total variation distance between the shares p and q of two samples in the same bins:
 * ½ Σ |pᵢ − qᵢ|, the share of the records that would have to move. In [0, 1], and 0 if a sample is
 * empty. O(bins).
 *
 * @param reference records per bin
 * @param recent records per bin; as many bins as in `reference`, which is not checked
 * @example totalVariation([50, 50], [60, 40]) // 0.1
 */
export function totalVariation(reference: readonly number[], recent: readonly number[]): number {
  const [referenceTotal, recentTotal] = [sum([...reference]), sum([...recent])];
  if (referenceTotal === 0 || recentTotal === 0) return 0;
  const moved = reference.map((count, bin) =>
    Math.abs(count / referenceTotal - recent[bin]! / recentTotal),
  );
  return sum(moved) / 2;
}
