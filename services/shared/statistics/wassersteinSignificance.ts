import { bisect } from './bisect.ts';
import { chiSquaredThreshold } from './chiSquaredThreshold.ts';
import type { DistanceSignificance } from './distanceSignificance.ts';
import { foldedNormalMean } from './foldedNormalMean.ts';
import { normalSurvival } from './normalSurvival.ts';

/**
 * The spread of two samples together, whose distribution function is H.
 */
export interface PooledSpread {
  /** `effectiveCount` of the samples, nm / (n + m), above 0. */
  effectiveCount: number;
  /** The standard deviation σ of H, in the unit of the feature. */
  deviation: number;
  /**
   * ∫ √(H(x) (1 − H(x))) dx, in the unit of the feature. It is at least σ, and σ if there are two
   * values.
   */
  rootIntegral: number;
}

/**
 * Returns the significance of a first Wasserstein distance W.
 *
 * √N W converges to ∫ |B(H(x))| dx for a Brownian bridge B. Without the modulus the integral is σ Z
 * for a standard normal Z. Among all ∫ h B(H) with |h| ≤ 1 it has the largest variance, so it
 * determines the tail of the limit. This suggests
 *
 *     √N W / σ ≈ g(|Z|),   g(z) = E|z + r Z′|,   1 + r² = (∫ √(H (1 − H)) / σ)²
 *
 * which is the mean of the limit given Z if B(H(x)) has the same correlation with Z, 1 / √(1 + r²),
 * for every x; on average over x it has. The mean of the approximation and the rate of its tail are
 * those of the limit, and for two values it is exact.
 *
 * Null if σ is 0, or if squares overflow. O(1).
 *
 * Sources: del Barrio, Giné, Matrán, Annals of Probability 27(2), 1999, pp. 1009-1071, for the
 * limit, which needs a finite ∫ √(H (1 − H)); Borell, Inventiones Mathematicae 30, 1975, pp.
 * 207-216, for the tail.
 *
 * @param distance W, in the unit of the feature
 * @example
 * wassersteinSignificance(0.5, { effectiveCount: 100, deviation: 2, rootIntegral: 2 }).pValue
 * // 0.01242
 */
export function wassersteinSignificance(
  distance: number,
  { effectiveCount, deviation, rootIntegral }: PooledSpread,
): DistanceSignificance | null {
  const unit = deviation / Math.sqrt(effectiveCount);
  if (!(unit > 0 && rootIntegral < Number.POSITIVE_INFINITY && unit < Number.POSITIVE_INFINITY))
    return null;
  const rest = Math.sqrt(Math.max(0, (rootIntegral / deviation) ** 2 - 1));
  const deviations = distance / unit;
  const z = bisect(tried => foldedNormalMean(tried, rest) < deviations, 0, deviations);
  return {
    pValue: 2 * normalSurvival(z),
    thresholdAt: level => unit * foldedNormalMean(Math.sqrt(chiSquaredThreshold(1, level)), rest),
  };
}
