import { sum } from 'simple-statistics';
import { MINIMUM_EXPECTED } from './poolSparseBins.ts';

/** How many blocks' worth of evidence for independent records the estimate starts with. */
const PRIOR_BLOCKS = 20;

/**
 * How much more blocks of counts vary between each other than independent records would: Pearson's X² of m blocks ×
 * B bins over its degrees of freedom, shrunken towards 1,
 *
 *     φ = max(1, (X² + ν₀ (B − 1)) / ((m − 1 + ν₀)(B − 1))),   ν₀ = 20,
 *
 * over the bins that hold at least 5 records per block on average. A test statistic that compares such blocks is
 * divided by it. At least 1, and 1 with fewer than two blocks or bins; blocks without records do not count.
 *
 * O(m · B). Source: McCullagh, Nelder, Generalized Linear Models, 2nd ed., section 4.5 (quasi-likelihood).
 *
 * @param blocks counts per bin, one array per block, all of one length
 * @example overdispersion([[50, 50], [90, 10], [10, 90]]); // 6.73
 */
export function overdispersion(blocks: number[][]): number {
  const filled = blocks.filter(block => sum(block) > 0);
  const totals = (filled[0] ?? []).map((_, bin) => sum(filled.map(block => block[bin]!)));
  const bins = [...totals.keys()].filter(bin => totals[bin]! >= MINIMUM_EXPECTED * filled.length);
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
  const prior = PRIOR_BLOCKS * (bins.length - 1);
  return Math.max(1, (pearson + prior) / ((filled.length - 1) * (bins.length - 1) + prior));
}
