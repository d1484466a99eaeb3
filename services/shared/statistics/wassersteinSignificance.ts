import { bisect } from './bisect.ts';
import { chiSquaredThreshold } from './chiSquaredThreshold.ts';
import type { DistanceSignificance } from './distanceSignificance.ts';
import { foldedNormalMean } from './foldedNormalMean.ts';
import { normalSurvival } from './normalSurvival.ts';

const bisections = 50;

/** What the two samples together, distributed as H, say of the spread of their distance. */
export interface PooledSpread {
  /** nm / (n + m). */
  effectiveCount: number;
  /** The standard deviation σ of H. */
  deviation: number;
  /** ∫ √(H(x) (1 − H(x))) dx, at least σ, and σ for two values. */
  rootIntegral: number;
}

/**
 * Significance of the first Wasserstein distance W. √N W converges to ∫ |B(H(x))| dx, B a Brownian bridge. The integral without
 * the modulus is σZ, Z standard normal, and of all ∫ h B(H), |h| ≤ 1, it has the largest variance: so it rules the tail, and
 *
 *     √N W / σ ≈ g(|Z|),   g(z) = E|z + r Z′|,   1 + r² = (∫ √(H(1 − H)) / σ)²
 *
 * is the mean of the limit given Z if B(H(x)) correlates with Z to the same degree, 1 / √(1 + r²), for every x (it does so on average). Its mean
 * and the rate of its tail are those of the limit, and all is exact for two values.
 *
 * Null where σ is 0, or squares overflow.
 *
 * Source: del Barrio, Giné, Matrán, Annals of Probability 27(2), 1999, for the limit, which needs ∫ √(H(1 − H)) to be finite;
 * Borell, Inventiones Mathematicae 30, 1975, for the tail.
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
  const z = bisect(tried => foldedNormalMean(tried, rest) < deviations, 0, deviations, bisections);
  return {
    pValue: 2 * normalSurvival(z),
    thresholdAt: level => unit * foldedNormalMean(Math.sqrt(chiSquaredThreshold(1, level)), rest),
  };
}
