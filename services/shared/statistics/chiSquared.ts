import { sum } from 'simple-statistics';
import { chiSquaredSurvival } from './chiSquaredSurvival.ts';
import { poolSparseBins } from './poolSparseBins.ts';

/**
 * Pearson's chi-squared test that two samples come from one distribution: Σ (observed − expected)² / expected over both
 * samples' bins, with bins − 1 degrees of freedom, after bins that expect fewer than 5 records of either sample were
 * pooled. Statistic at least 0, p-value in [0, 1]. With fewer than two bins left there is no test: 0, 0 and 1.
 *
 * O(bins). Source: Pearson, Philosophical Magazine 50, 1900; as `scipy.stats.chi2_contingency(correction=False)`.
 *
 * @example chiSquared([50, 50], [60, 40]); // { statistic: 2.02, degreesOfFreedom: 1, pValue: 0.155 }
 */
export function chiSquared(
  reference: number[],
  recent: number[],
): { statistic: number; degreesOfFreedom: number; pValue: number } {
  const smallerTotal = Math.min(sum(reference), sum(recent));
  const bins = poolSparseBins(reference, recent, smallerTotal / (sum(reference) + sum(recent)));
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
