import { bisect } from './bisect.ts';

const bisections = 50;
/** Where the survival is 0 as a number. */
const largest = 20;

/**
 * P(K > t) for the limit of √n D, the Kolmogorov distribution: 2 Σ (−1)ᵏ⁻¹ exp(−2 k² t²), k = 1, 2, …
 * and for small t, where that converges slowly, 1 − √(2π)/t Σ exp(−(2k−1)² π² / (8 t²)). In [0, 1].
 *
 * Source: Kolmogorov, Giornale dell'Istituto Italiano degli Attuari 4 (1933); Marsaglia, Tsang, Wang, "Evaluating
 * Kolmogorov's Distribution", Journal of Statistical Software 8(18), 2003. At most five terms reach full precision.
 *
 * @example kolmogorovSurvival(1.3580986393225505); // 0.05
 */
export function kolmogorovSurvival(t: number): number {
  if (t <= 0) return 1;
  return t < 0.82 ? 1 - lowerSeries(t) : upperSeries(t);
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

/** The t whose survival is `level`, in (0, 1): the inverse. @example kolmogorovThreshold(0.05); // 1.3580986393225505 */
export function kolmogorovThreshold(level: number): number {
  return bisect(t => kolmogorovSurvival(t) > level, 0, largest, bisections);
}
