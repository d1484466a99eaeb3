import { bisect } from './bisect.ts';
import { chiSquaredThreshold } from './chiSquaredThreshold.ts';
import { likelihoodRatio, type Rate } from './likelihoodRatioTest.ts';
import { logNormalSurvival } from './normalSurvival.ts';

/** The families import them from here. */
export { likelihoodRatio, type Rate };

/**
 * Returns the share of hits, in [0, 1], or 0 for an empty sample.
 *
 * @example rateOf({ hits: 1, total: 4 }) // 0.25
 */
export function rateOf({ hits, total }: Rate): number {
  return total > 0 ? hits / total : 0;
}

/**
 * Returns the natural logarithm of the one-sided p-value of the hypothesis that a rate has not
 * risen.
 *
 *     p = P(Z > √(G / φ))   for the likelihood ratio G and the overdispersion φ
 *
 * It is 0 (p = 1) where the recent rate is not above the reference's, and where a sample is empty.
 * O(1).
 *
 * Source: the signed root of G; Barndorff-Nielsen, Cox, "Inference and Asymptotics", 1994, section
 * 2.4.
 *
 * @param overdispersion φ, above 0: by what factor blocks vary more than independent records would
 * @example rateIncreaseLogPValue({ hits: 10, total: 1000 }, { hits: 12, total: 200 }, 1) // -10.76
 */
export function rateIncreaseLogPValue(
  reference: Rate,
  recent: Rate,
  overdispersion: number,
): number {
  if (rateOf(recent) <= rateOf(reference)) return 0;
  return logNormalSurvival(Math.sqrt(likelihoodRatio(reference, recent) / overdispersion));
}

/**
 * Returns the lowest rate among `recentTotal` records that counts as risen at a significance level,
 * to a relative 1e-12; 1 if no rate does. It is the inverse of `rateIncreaseLogPValue`.
 *
 * @param level in (0, ½]
 * @example rateIncreaseThreshold({ hits: 10, total: 1000 }, 200, 1, 0.001) // 0.0444
 */
export function rateIncreaseThreshold(
  reference: Rate,
  recentTotal: number,
  overdispersion: number,
  level: number,
): number {
  const needed = chiSquaredThreshold(1, 2 * level) * overdispersion;
  return rateReaching(reference, recentTotal, needed);
}

/**
 * Returns the lowest rate among `recentTotal` records, not below the reference's, whose likelihood
 * ratio reaches `needed`, to a relative 1e-12; 1 if no rate does. About 45 steps.
 *
 * @example rateReaching({ hits: 10, total: 1000 }, 200, 16.8) // 0.06
 */
export function rateReaching(reference: Rate, recentTotal: number, needed: number): number {
  const isBelow = (rate: number) =>
    likelihoodRatio(reference, { hits: rate * recentTotal, total: recentTotal }) < needed;
  return bisect(isBelow, rateOf(reference), 1);
}
