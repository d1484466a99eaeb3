import { sum } from 'simple-statistics';
import { chiSquaredSurvival } from './chiSquaredSurvival.ts';
import { poolSparseBins } from './poolSparseBins.ts';

/**
 * Tests by Pearson's chi-squared whether two samples come from one distribution.
 *
 *     statistic = Σ (observed − expected)² / expected   over the bins of both samples
 *
 * with bins − 1 degrees of freedom. Bins that expect fewer than 5 records of the smaller sample are
 * pooled before. The statistic is at least 0 and the p-value lies in [0, 1]. With fewer than two
 * bins left there is no test, and the result is 0, 0 and 1.
 *
 * O(bins). Source: Pearson, Philosophical Magazine 50, 1900, pp. 157-175. As
 * `scipy.stats.chi2_contingency(correction=False)`.
 *
 * @param reference records per bin
 * @param recent records per bin; as many bins as in `reference`, which is not checked
 * @example
 * chiSquared([50, 50], [60, 40])
 * // { statistic: 2.0202, degreesOfFreedom: 1, pValue: 0.15522 }
 */
export function chiSquared(
  reference: number[],
  recent: number[],
): { statistic: number; degreesOfFreedom: number; pValue: number } {
  const sizes = { reference: sum(reference), recent: sum(recent) };
  const bins = poolSparseBins(reference, recent, sizes, Math.min(sizes.reference, sizes.recent));
  if (bins.length < 2) return { statistic: 0, degreesOfFreedom: 0, pValue: 1 };
  const statistic = bins.reduce(
    (total, bin) =>
      total +
      (bin.reference - bin.expectedReference) ** 2 / bin.expectedReference +
      (bin.recent - bin.expectedRecent) ** 2 / bin.expectedRecent,
    0,
  );
  const degreesOfFreedom = bins.length - 1;
  return { statistic, degreesOfFreedom, pValue: chiSquaredSurvival(statistic, degreesOfFreedom) };
}
