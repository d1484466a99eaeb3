/**
 * Bins that expect fewer records than this are pooled: Cochran, Biometrics 10(4), 1954, pp.
 * 417-451.
 */
export const minExpected = 5;

/**
 * One bin of two samples: its counts, and the counts that would be expected if both came from one
 * distribution.
 */
export type BinPair = {
  reference: number;
  recent: number;
  expectedReference: number;
  expectedRecent: number;
};

/**
 * Pairs the bins of two samples for a test of homogeneity, and pools those that expect too few
 * records. The bins that expect fewer than 5 records of a sample of `size` become one bin, which is
 * left out if it still expects fewer than 5. O(bins).
 *
 * @param sizes records of the two samples, the sums of the counts
 * @param size of the sample that has to be large enough: that of the recent one, or of the smaller
 * one
 * @example
 * const bins = poolSparseBins([90, 4, 6], [45, 2, 3], { reference: 100, recent: 50 }, 50);
 * bins.map(bin => bin.recent) // [45, 5]
 */
export function poolSparseBins(
  reference: readonly number[],
  recent: readonly number[],
  sizes: { reference: number; recent: number },
  size: number,
): BinPair[] {
  const total = sizes.reference + sizes.recent;
  const share = size / total;
  const pairOf = (inReference: number, inRecent: number): BinPair => ({
    reference: inReference,
    recent: inRecent,
    expectedReference: ((inReference + inRecent) * sizes.reference) / total,
    expectedRecent: ((inReference + inRecent) * sizes.recent) / total,
  });
  const pairs: BinPair[] = [];
  let pooledReference = 0;
  let pooledRecent = 0;
  for (let bin = 0; bin < reference.length; bin++) {
    if ((reference[bin]! + recent[bin]!) * share >= minExpected) {
      pairs.push(pairOf(reference[bin]!, recent[bin]!));
    } else {
      pooledReference += reference[bin]!;
      pooledRecent += recent[bin]!;
    }
  }
  if ((pooledReference + pooledRecent) * share >= minExpected)
    pairs.push(pairOf(pooledReference, pooledRecent));
  return pairs;
}
