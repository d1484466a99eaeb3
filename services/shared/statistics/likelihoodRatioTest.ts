import { sum } from 'simple-statistics';
import { poolSparseBins } from './poolSparseBins.ts';

/** The records of a sample, and those among them that have a property. */
export interface Rate {
  hits: number;
  total: number;
}

/**
 * Returns the statistic of the likelihood-ratio (G) test of whether a recent sample comes from the
 * distribution of the reference.
 *
 *     G = 2 Σ observed ln(observed / expected)   over the bins of both samples
 *     statistic = G / (1 + (bins + 1) / (6 n))   for n recent records
 *
 * It is chi-squared distributed with bins − 1 degrees of freedom where records are independent and
 * nothing changed. The divisor, of Williams' kind, corrects the test for small n. Bins that expect
 * fewer than 5 records of the recent sample are pooled before. The statistic is at least 0; with
 * fewer than two bins left there is no test, and the result is 0 and 0.
 *
 * The p-value is left to the caller (`logChiSquaredSurvival`, or `judge` in the detector), since it
 * takes many times as long as the statistic.
 *
 * O(bins). Source: Williams, Biometrika 63(1), 1976, pp. 33-37.
 *
 * @param reference records per bin, not necessarily whole numbers
 * @param recent records per bin; as many bins as in `reference`, which is not checked
 * @example likelihoodRatioTest([500, 500], [60, 40]) // { statistic: 3.6452, degreesOfFreedom: 1 }
 */
export function likelihoodRatioTest(
  reference: number[],
  recent: number[],
): { statistic: number; degreesOfFreedom: number } {
  const sizes = { reference: sum(reference), recent: sum(recent) };
  const bins = poolSparseBins(reference, recent, sizes, sizes.recent);
  if (bins.length < 2) return { statistic: 0, degreesOfFreedom: 0 };
  const logRatio = bins.reduce(
    (total, bin) =>
      total +
      relativeEntropyTerm(bin.reference, bin.expectedReference) +
      relativeEntropyTerm(bin.recent, bin.expectedRecent),
    0,
  );
  const smallSampleDivisor = 1 + (bins.length + 1) / (6 * sizes.recent);
  return {
    statistic: Math.max(0, (2 * logRatio) / smallSampleDivisor),
    degreesOfFreedom: bins.length - 1,
  };
}

/**
 * Returns the likelihood ratio G of the hypothesis that two samples have one rate, at least 0, and
 * 0 if a sample is empty. It is chi-squared distributed with one degree of freedom where records
 * are independent and the rates are the same. Hits need not be whole numbers. O(1).
 *
 * @example likelihoodRatio({ hits: 10, total: 1000 }, { hits: 12, total: 200 }) // 16.8
 */
export function likelihoodRatio(reference: Rate, recent: Rate): number {
  if (reference.total === 0 || recent.total === 0) return 0;
  const pooled = (reference.hits + recent.hits) / (reference.total + recent.total);
  return Math.max(0, 2 * (logRatio(reference, pooled) + logRatio(recent, pooled)));
}

function logRatio({ hits, total }: Rate, expectedRate: number): number {
  return (
    relativeEntropyTerm(hits, total * expectedRate) +
    relativeEntropyTerm(total - hits, total * (1 - expectedRate))
  );
}

/** Returns o ln(o / e), and its limit 0 for o = 0. As `scipy.special.rel_entr`. */
function relativeEntropyTerm(observed: number, expected: number): number {
  return observed > 0 ? observed * Math.log(observed / expected) : 0;
}
