import { sum } from 'simple-statistics';
import type { DistanceSignificance } from './distanceSignificance.ts';
import { divergenceSignificance } from './divergenceSignificance.ts';

/** An empty bin counts as this many records. */
const recordsOfEmptyBin = 0.5;

/**
 * Returns the population stability index (PSI) of the shares p of a reference and q of a recent
 * sample in the same bins.
 *
 *     Σ (qᵢ − pᵢ) ln(qᵢ / pᵢ)
 *
 * It is the symmetrised Kullback-Leibler divergence in nats. It is at least 0, and 0 if and only if
 * the shares are equal; it is also 0 if a sample is empty.
 *
 * A bin that is empty in one sample would make the index infinite. It counts as half a record
 * there, so that the effect of an empty bin depends on how many records could have fallen into it.
 * A bin that is empty in both samples is left out.
 *
 * O(bins). Sources: Kullback, Leibler, Annals of Mathematical Statistics 22(1), 1951, pp. 79-86
 * (their J); Yurdakul, Naranjo, "Statistical properties of the population stability index", Journal
 * of Risk Model Validation 14(4), 2020.
 *
 * @param reference records per bin
 * @param recent records per bin; as many bins as in `reference`, which is not checked
 * @example populationStabilityIndex([50, 50], [60, 40]) // 0.0405
 */
export function populationStabilityIndex(reference: number[], recent: number[]): number {
  const referenceTotal = sum(reference);
  const recentTotal = sum(recent);
  if (referenceTotal === 0 || recentTotal === 0) return 0;
  let index = 0;
  for (let bin = 0; bin < reference.length; bin++) {
    if (reference[bin] === 0 && recent[bin] === 0) continue;
    const p = Math.max(reference[bin]!, recordsOfEmptyBin) / referenceTotal;
    const q = Math.max(recent[bin]!, recordsOfEmptyBin) / recentTotal;
    index += (q - p) * Math.log(q / p);
  }
  return index;
}

/**
 * Returns the significance of a population stability index, by `divergenceSignificance`: where p
 * and q are close, the index is Σ (q − p)² / p.
 *
 * @param index of these very samples
 * @example populationStabilitySignificance([50, 50], [60, 40], 0.0405).pValue // 0.155
 */
export function populationStabilitySignificance(
  reference: number[],
  recent: number[],
  index: number,
): DistanceSignificance | null {
  return divergenceSignificance(reference, recent, { divergence: index, curvature: 1 });
}
