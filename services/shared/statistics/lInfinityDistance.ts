import { sum } from 'simple-statistics';
import { chiSquaredThreshold } from './chiSquaredThreshold.ts';
import type { DistanceSignificance } from './distanceSignificance.ts';
import { effectiveCount } from './effectiveCount.ts';
import { normalSurvival } from './normalSurvival.ts';

const maxSteps = 50;
const precision = 1e-12;

/**
 * Returns the L∞ (Chebyshev) distance between the shares p and q of two samples in the same bins:
 * max |pᵢ − qᵢ|, the change of the share that changed most. In [0, 1], and 0 if a sample is empty.
 *
 * Each difference is normal with the variance σᵢ² = hᵢ (1 − hᵢ) (n + m) / (nm), where h are the
 * shares of both samples together. So one of the differences exceeds t with a probability of at
 * most, and nearly,
 *
 *     Σ P(|Z| > t / σᵢ)   over the bins in use.
 *
 * Two bins have one difference between them, and one term. The significance is null if the samples
 * use fewer than two bins.
 *
 * O(bins), and O(bins) for each of a few steps of a threshold. Sources: the distance is
 * `scipy.spatial.distance.chebyshev(p, q)` and the L-infinity distance of TensorFlow Data
 * Validation; the sum is Bonferroni's inequality.
 *
 * @param reference records per bin
 * @param recent records per bin; as many bins as in `reference`, which is not checked
 * @example lInfinityDistance([50, 50], [60, 40]).distance // 0.1
 */
export function lInfinityDistance(
  reference: number[],
  recent: number[],
): { distance: number; significance: DistanceSignificance | null } {
  const [referenceTotal, recentTotal] = [sum(reference), sum(recent)];
  const size = effectiveCount(referenceTotal, recentTotal);
  if (size === 0) return { distance: 0, significance: null };
  let distance = 0;
  const deviations: number[] = [];
  for (let bin = 0; bin < reference.length; bin++) {
    distance = Math.max(
      distance,
      Math.abs(reference[bin]! / referenceTotal - recent[bin]! / recentTotal),
    );
    const share = (reference[bin]! + recent[bin]!) / (referenceTotal + recentTotal);
    if (share > 0 && share < 1) deviations.push(Math.sqrt((share * (1 - share)) / size));
  }
  if (deviations.length < 2) return { distance, significance: null };
  if (deviations.length === 2) deviations.pop();
  return {
    distance,
    significance: {
      pValue: Math.min(1, exceedance(deviations, distance)),
      thresholdAt: level => threshold(deviations, level),
    },
  };
}

/** Returns Σ P(|Z| > t / σᵢ). */
function exceedance(deviations: readonly number[], distance: number): number {
  return deviations.reduce(
    (total, deviation) => total + 2 * normalSurvival(distance / deviation),
    0,
  );
}

/**
 * Solves exceedance = level by Newton's steps on the logarithm, from what the widest bin alone
 * exceeds at `level`.
 */
function threshold(deviations: readonly number[], level: number): number {
  let distance = Math.max(...deviations) * Math.sqrt(chiSquaredThreshold(1, level));
  for (let taken = 0; taken < maxSteps; taken++) {
    const probability = exceedance(deviations, distance);
    const step = (Math.log(probability / level) * probability) / density(deviations, distance);
    distance += step;
    if (Math.abs(step) <= precision * distance) break;
  }
  return distance;
}

/** Returns the slope of `exceedance`, without its sign. */
function density(deviations: readonly number[], distance: number): number {
  const scale = Math.sqrt(2 / Math.PI);
  return deviations.reduce(
    (total, deviation) =>
      total + (scale * Math.exp(-((distance / deviation) ** 2) / 2)) / deviation,
    0,
  );
}
