import { sum } from 'simple-statistics';
import type { DistanceSignificance } from './distanceSignificance.ts';
import { divergenceSignificance } from './divergenceSignificance.ts';

/**
 * The population stability index, Σ (qᵢ − pᵢ) ln(qᵢ / pᵢ), of the shares p of a reference and q of a recent sample in
 * the same bins: the symmetrised Kullback-Leibler divergence, in nats. At least 0, and 0 if and only if the shares are
 * equal; 0 also when a side is empty.
 *
 * A bin that is empty on one side would make it infinite. It counts as half a record there, so that what an empty bin
 * says depends on how many records could have fallen into it; a bin that is empty on both sides says nothing.
 *
 * O(bins). Source: Kullback, Leibler, Annals of Mathematical Statistics 22(1), 1951 (their J); Yurdakul, Naranjo,
 * "Statistical properties of the population stability index", Journal of Risk Model Validation 14(4), 2020.
 *
 * @example populationStabilityIndex([50, 50], [60, 40]); // 0.0405
 */
export function populationStabilityIndex(reference: number[], recent: number[]): number {
  const referenceTotal = sum(reference);
  const recentTotal = sum(recent);
  if (referenceTotal === 0 || recentTotal === 0) return 0;
  let index = 0;
  for (let bin = 0; bin < reference.length; bin++) {
    if (reference[bin] === 0 && recent[bin] === 0) continue;
    const p = Math.max(reference[bin]!, 0.5) / referenceTotal;
    const q = Math.max(recent[bin]!, 0.5) / recentTotal;
    index += (q - p) * Math.log(q / p);
  }
  return index;
}

/**
 * The index of samples of one distribution is Σ (q − p)² / p in the limit: `divergenceSignificance`.
 *
 * @param index of these samples
 */
export function populationStabilitySignificance(
  reference: number[],
  recent: number[],
  index: number,
): DistanceSignificance | null {
  return divergenceSignificance(reference, recent, { divergence: index, curvature: 1 });
}
