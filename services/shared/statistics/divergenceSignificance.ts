import { sum } from 'simple-statistics';
import { chiSquaredSurvival } from './chiSquaredSurvival.ts';
import { chiSquaredThreshold } from './chiSquaredThreshold.ts';
import type { DistanceSignificance } from './distanceSignificance.ts';
import { effectiveCount } from './effectiveCount.ts';

/**
 * Significance of a divergence of the shares p and q of two samples that is `curvature` Σ (q − p)² / p where they are close,
 * up to the third order. N Σ (q − p)² / p is Pearson's chi-squared, N = nm / (n + m), so
 *
 *     N divergence / curvature ~ χ² with (bins that either sample uses) − 1 degrees of freedom.
 *
 * Null with fewer than two such bins, or none on a side. Good where bins expect 5 records of either sample; where many expect
 * fewer the threshold is passed too often.
 *
 * O(bins). Source: Menéndez, Morales, Pardo, Salicrú, Statistical Papers 36, 1995.
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
