import { bisect } from './bisect.ts';

/** From here on the survival is 0 as a number. */
const maxThreshold = 20;
/** The series for small t is used below this, and the series for large t above. */
const seriesMeet = 0.82;

/**
 * Returns the probability that a variable K of the Kolmogorov distribution, the limit of √n D,
 * exceeds t; in [0, 1].
 *
 *     P(K > t) = 2 Σ (−1)ᵏ⁻¹ exp(−2 k² t²)                      over k = 1, 2, … for large t
 *              = 1 − √(2π) / t Σ exp(−(2k − 1)² π² / (8 t²))    over k = 1, 2, … for small t
 *
 * Five terms of either series reach full precision. Sources: Kolmogorov, Giornale dell'Istituto
 * Italiano degli Attuari 4, 1933; Marsaglia, Tsang, Wang, "Evaluating Kolmogorov's Distribution",
 * Journal of Statistical Software 8(18), 2003. As `scipy.special.kolmogorov`.
 *
 * @param t any number; 1 is returned at and below 0
 * @example kolmogorovSurvival(1.3580986393225505) // 0.05
 */
export function kolmogorovSurvival(t: number): number {
  if (t <= 0) return 1;
  return t < seriesMeet ? 1 - lowerSeries(t) : upperSeries(t);
}

function lowerSeries(t: number): number {
  let sum = 0;
  for (let k = 1; k <= 9; k += 2) sum += Math.exp(-((k * Math.PI) ** 2) / (8 * t * t));
  return (Math.sqrt(2 * Math.PI) / t) * sum;
}

function upperSeries(t: number): number {
  let sum = 0;
  for (let k = 5; k >= 1; k--) sum += (k % 2 === 1 ? 1 : -1) * Math.exp(-2 * k * k * t * t);
  return 2 * sum;
}

/**
 * Returns the t whose survival is `level`, the inverse of `kolmogorovSurvival`, by bisection. As
 * `scipy.stats.kstwobign.isf`.
 *
 * @param level in (0, 1); from 1 on the result is 0
 * @example kolmogorovThreshold(0.05) // 1.3580986
 */
export function kolmogorovThreshold(level: number): number {
  return bisect(t => kolmogorovSurvival(t) > level, 0, maxThreshold);
}
