import { sum } from 'simple-statistics';
import { logChiSquaredSurvival } from './chiSquaredSurvival.ts';
import { poolSparseBins } from './poolSparseBins.ts';

/**
 * The likelihood-ratio (G) test that a recent sample comes from the distribution of the reference:
 *
 *     G = 2 Σ observed ln(observed / expected)   over both samples' bins,
 *     statistic = G / (1 + (bins + 1) / (6 n)),   n recent records,
 *
 * chi-squared with bins − 1 degrees of freedom where records are independent. The divisor (of Williams' kind) mends the test for small n.
 * Bins that expect fewer than 5 records of the recent sample were pooled before. Statistic at least 0, p-value in
 * [0, 1]; `logPValue`, natural, tells apart what is 0 as a number. Fewer than two bins: no test, 0, 0, 1 and 0.
 *
 * O(bins). Source: Williams, Biometrika 63(1), 1976.
 *
 * @example likelihoodRatioTest([500, 500], [60, 40]); // { statistic: 3.65, degreesOfFreedom: 1, pValue: 0.056, … }
 */
export function likelihoodRatioTest(
  reference: number[],
  recent: number[],
): { statistic: number; degreesOfFreedom: number; pValue: number; logPValue: number } {
  const recentTotal = sum(recent);
  const bins = poolSparseBins(reference, recent, recentTotal / (sum(reference) + recentTotal));
  if (bins.length < 2) return { statistic: 0, degreesOfFreedom: 0, pValue: 1, logPValue: 0 };
  const logRatio = bins.reduce(
    (total, bin) =>
      total +
      observedLogRatio(bin.reference, bin.expectedReference) +
      observedLogRatio(bin.recent, bin.expectedRecent),
    0,
  );
  const smallSampleDivisor = 1 + (bins.length + 1) / (6 * recentTotal);
  const statistic = Math.max(0, (2 * logRatio) / smallSampleDivisor);
  const degreesOfFreedom = bins.length - 1;
  const logPValue = logChiSquaredSurvival(statistic, degreesOfFreedom);
  return { statistic, degreesOfFreedom, pValue: Math.exp(logPValue), logPValue };
}

function observedLogRatio(observed: number, expected: number): number {
  return observed > 0 ? observed * Math.log(observed / expected) : 0;
}
