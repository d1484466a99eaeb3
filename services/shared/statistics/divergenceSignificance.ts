import { sum } from 'simple-statistics';
import { chiSquaredSurvival } from './chiSquaredSurvival.ts';
import { chiSquaredThreshold } from './chiSquaredThreshold.ts';
import type { DistanceSignificance } from './distanceSignificance.ts';
import { effectiveCount } from './effectiveCount.ts';

/**
 * Returns the significance of a divergence between the shares p and q of two samples in the same
 * bins. The divergence has to be `curvature` Σ (q − p)² / p up to the third order where p and q are
 * close. Then, since N Σ (q − p)² / p is Pearson's chi-squared for N = nm / (n + m),
 *
 *     N divergence / curvature ~ χ²   with (bins that either sample uses) − 1 degrees of freedom.
 *
 * Null if the samples use fewer than two bins, or if one of them is empty. The approximation is
 * good where bins expect 5 records of either sample; where many bins expect fewer, the threshold is
 * exceeded too often.
 *
 * O(bins). Source: Menéndez, Morales, Pardo, Salicrú, Statistical Papers 36, 1995, pp. 1-29.
 *
 * @param reference records per bin
 * @param recent records per bin; as many bins as in `reference`, which is not checked
 * @example
 * divergenceSignificance([50, 50], [60, 40], { divergence: 0.04, curvature: 1 }).pValue
 * // 0.1573
 */
export function divergenceSignificance(
  reference: number[],
  recent: number[],
  { divergence, curvature }: { divergence: number; curvature: number },
): DistanceSignificance | null {
  const degreesOfFreedom =
    reference.filter((count, bin) => count > 0 || recent[bin]! > 0).length - 1;
  const size = effectiveCount(sum(reference), sum(recent)) / curvature;
  if (degreesOfFreedom < 1 || size === 0) return null;
  return {
    pValue: chiSquaredSurvival(size * divergence, degreesOfFreedom),
    thresholdAt: level => chiSquaredThreshold(degreesOfFreedom, level) / size,
  };
}
