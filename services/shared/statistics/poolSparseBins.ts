import { sum } from 'simple-statistics';

/** Bins with fewer expected records than this are pooled: Cochran, Biometrics 10(4), 1954. */
export const MINIMUM_EXPECTED = 5;

/** A bin of two samples: its counts, and its expected counts if both came from one distribution. */
export type BinPair = {
  reference: number;
  recent: number;
  expectedReference: number;
  expectedRecent: number;
};

/**
 * Pairs the bins of two count vectors of the same length, for a test of homogeneity. Bins whose expected count,
 * (reference + recent) × `share`, is below 5 are pooled into one; should even that stay below 5, it is left out. O(bins).
 *
 * @param share of all records: the recent sample's, or the smaller sample's, whichever has to be large enough
 */
export function poolSparseBins(reference: number[], recent: number[], share: number): BinPair[] {
  const referenceTotal = sum(reference);
  const recentTotal = sum(recent);
  const pairOf = (inReference: number, inRecent: number): BinPair => ({
    reference: inReference,
    recent: inRecent,
    expectedReference: ((inReference + inRecent) * referenceTotal) / (referenceTotal + recentTotal),
    expectedRecent: ((inReference + inRecent) * recentTotal) / (referenceTotal + recentTotal),
  });
  const pairs: BinPair[] = [];
  let pooledReference = 0;
  let pooledRecent = 0;
  for (let bin = 0; bin < reference.length; bin++) {
    if ((reference[bin]! + recent[bin]!) * share >= MINIMUM_EXPECTED) {
      pairs.push(pairOf(reference[bin]!, recent[bin]!));
    } else {
      pooledReference += reference[bin]!;
      pooledRecent += recent[bin]!;
    }
  }
  if ((pooledReference + pooledRecent) * share >= MINIMUM_EXPECTED)
    pairs.push(pairOf(pooledReference, pooledRecent));
  return pairs;
}
