import { chiSquaredSurvival, logChiSquaredSurvival } from './chiSquaredSurvival.ts';

/**
 * P(Z > z) for Z standard normal: half of P(Z² > z²), Z² being chi-squared with one degree of freedom. In [0, 1].
 *
 * (The error function of simple-statistics is good to 1e-7 absolutely, which says nothing of a tail.)
 *
 * @example normalSurvival(1.959963984540054); // 0.025
 */
export function normalSurvival(z: number): number {
  return z < 0 ? 1 - normalSurvival(-z) : chiSquaredSurvival(z * z, 1) / 2;
}

/** The natural logarithm of `normalSurvival`. @example logNormalSurvival(100); // -5005.52 */
export function logNormalSurvival(z: number): number {
  return z < 0 ? Math.log1p(-normalSurvival(-z)) : logChiSquaredSurvival(z * z, 1) - Math.LN2;
}
