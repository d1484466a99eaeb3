import { sum } from 'simple-statistics';
import type { DistanceSignificance } from './distanceSignificance.ts';
import { divergenceSignificance } from './divergenceSignificance.ts';

/**
 * Returns the Jensen-Shannon distance between the shares p and q of two samples in the same bins.
 *
 *     √((KL(p‖m) + KL(q‖m)) / 2)   to base 2, for m = (p + q) / 2
 *
 * It is a metric in [0, 1]: 0 if the shares are equal, and 1 if no bin is used by both samples. It
 * is also 0 if a sample is empty. Empty bins need no special care.
 *
 * O(bins). Source: Endres, Schindelin, IEEE Transactions on Information Theory 49(7), 2003, pp.
 * 1858-1860. As `scipy.spatial.distance.jensenshannon(p, q, base=2)`.
 *
 * @param reference records per bin
 * @param recent records per bin; as many bins as in `reference`, which is not checked
 * @example jensenShannonDistance([1, 0], [0, 1]) // 1
 */
export function jensenShannonDistance(reference: number[], recent: number[]): number {
  const referenceTotal = sum(reference);
  const recentTotal = sum(recent);
  if (referenceTotal === 0 || recentTotal === 0) return 0;
  let nats = 0;
  for (let bin = 0; bin < reference.length; bin++) {
    const p = reference[bin]! / referenceTotal;
    const q = recent[bin]! / recentTotal;
    if (p === q) continue;
    const middle = (p + q) / 2;
    // p = middle (1 − excess) and q = middle (1 + excess): precise where p and q are close.
    const excess = (q - p) / (q + p);
    nats += middle * (timesLog1p(-excess) + timesLog1p(excess));
  }
  return Math.sqrt(Math.min(1, Math.max(0, nats / 2 / Math.LN2)));
}

/** Returns (1 + x) ln(1 + x), which is 0 at its limit -1. */
function timesLog1p(x: number): number {
  return x === -1 ? 0 : (1 + x) * Math.log1p(x);
}

/**
 * Returns the significance of a Jensen-Shannon distance, by `divergenceSignificance`.
 *
 * The divergence, which is the squared distance, is Σ δ² / (8 p) nats and terms of the third order
 * for q = p + δ, because (1 + x) ln(1 + x) + (1 − x) ln(1 − x) = x² + … for x = δ / (p + q).
 *
 * @param distance of these very samples
 * @example jensenShannonSignificance([50, 50], [60, 40], 0.0851).pValue // 0.156
 */
export function jensenShannonSignificance(
  reference: number[],
  recent: number[],
  distance: number,
): DistanceSignificance | null {
  const nats = distance ** 2 * Math.LN2;
  const significance = divergenceSignificance(reference, recent, {
    divergence: nats,
    curvature: 1 / 8,
  });
  return (
    significance && {
      ...significance,
      thresholdAt: level => Math.sqrt(significance.thresholdAt(level) / Math.LN2),
    }
  );
}
