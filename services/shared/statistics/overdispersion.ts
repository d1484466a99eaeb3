import { sum } from 'simple-statistics';
import { minExpected } from './poolSparseBins.ts';

/** The estimate starts from this many blocks of evidence for independent records. */
const priorBlocks = 20;

/**
 * Returns by what factor blocks of counts vary more between each other than independent records
 * would. A test statistic that compares such blocks is divided by it.
 *
 *     φ = max(1, (X² + ν₀ (B − 1)) / ((m − 1 + ν₀)(B − 1)))   for ν₀ = 20
 *
 * is Pearson's X² of m blocks × B bins over its degrees of freedom, shrunken towards 1. Only bins
 * with at least 5 records per block on average count, and only blocks with records. The result is
 * at least 1, and it is 1 with fewer than two blocks or bins.
 *
 * O(m · B). Source: McCullagh, Nelder, Generalized Linear Models, 2nd ed., 1989, section 4.5
 * (quasi-likelihood).
 *
 * @param blocks records per bin, one array per block, all of one length, which is not checked
 * @example overdispersion([[50, 50], [90, 10], [10, 90]]) // 6.7273
 */
export function overdispersion(blocks: number[][]): number {
  const filled = blocks.filter(block => sum(block) > 0);
  const totals = (filled[0] ?? []).map((_, bin) => sum(filled.map(block => block[bin]!)));
  const bins = [...totals.keys()].filter(bin => totals[bin]! >= minExpected * filled.length);
  if (filled.length < 2 || bins.length < 2) return 1;
  const records = sum(totals);
  let pearson = 0;
  for (const block of filled) {
    const blockRecords = sum(block);
    for (const bin of bins) {
      const expected = (blockRecords * totals[bin]!) / records;
      pearson += (block[bin]! - expected) ** 2 / expected;
    }
  }
  const prior = priorBlocks * (bins.length - 1);
  return Math.max(1, (pearson + prior) / ((filled.length - 1) * (bins.length - 1) + prior));
}
