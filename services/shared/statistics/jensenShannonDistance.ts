import { sum } from 'simple-statistics';
import type { DistanceSignificance } from './distanceSignificance.ts';
import { divergenceSignificance } from './divergenceSignificance.ts';

/**
 * The Jensen-Shannon distance, √((KL(p‖m) + KL(q‖m)) / 2) to base 2 with m = (p + q) / 2, of the shares p and q of two
 * samples in the same bins. A metric: in [0, 1], 0 if the shares are equal, 1 if no bin is used by both. 0 also when a
 * side is empty. Bins that are empty on one side or both need no special care.
 *
 * O(bins). Source: Endres, Schindelin, IEEE Transactions on Information Theory 49(7), 2003. The same as
 * `scipy.spatial.distance.jensenshannon(p, q, base=2)`.
 *
 * @example jensenShannonDistance([1, 0], [0, 1]); // 1
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
    const excess = (q - p) / (q + p); // p = middle (1 − excess) and q = middle (1 + excess): precise where they are close
    nats += middle * (timesLog1p(-excess) + timesLog1p(excess));
  }
  return Math.sqrt(Math.min(1, Math.max(0, nats / 2 / Math.LN2)));
}

/** (1 + x) ln(1 + x), which is 0 at its limit -1. */
function timesLog1p(x: number): number {
  return x === -1 ? 0 : (1 + x) * Math.log1p(x);
}

/**
 * With q = p + δ the divergence, which is the distance squared, is Σ δ² / (8 p) nats and terms of the third order:
 * (1 + x) ln(1 + x) + (1 − x) ln(1 − x) = x² + …, x = δ / (p + q). So `divergenceSignificance`.
 *
 * @param distance of these samples
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
