import { chiSquaredSurvival, logChiSquaredSurvival } from './chiSquaredSurvival.ts';

/**
 * Returns the probability that a standard normal variable exceeds z, in [0, 1].
 *
 *     P(Z > z) = P(Z² > z²) / 2   for z ≥ 0
 *
 * Z² is chi-squared distributed with one degree of freedom. (The error function of
 * simple-statistics is good to an absolute 1e-7, which says nothing about a tail.) As
 * `scipy.stats.norm.sf`.
 *
 * @example normalSurvival(1.959963984540054) // 0.025
 */
export function normalSurvival(z: number): number {
  return z < 0 ? 1 - normalSurvival(-z) : chiSquaredSurvival(z * z, 1) / 2;
}

/**
 * Returns the natural logarithm of `normalSurvival`, which tells apart tails that are 0 as numbers.
 * As `scipy.stats.norm.logsf`.
 *
 * @example logNormalSurvival(100) // -5005.52
 */
export function logNormalSurvival(z: number): number {
  return z < 0 ? Math.log1p(-normalSurvival(-z)) : logChiSquaredSurvival(z * z, 1) - Math.LN2;
}
