import { bucketValue } from '../bins/bucketValue.ts';
import type { NumericHistogram } from '../profile/numericHistogram.ts';
import type { SortedBuckets } from '../profile/sortedBuckets.ts';
import { sortedBuckets } from '../profile/sortedBuckets.ts';
import type { DistanceSignificance } from './distanceSignificance.ts';
import { effectiveCount } from './effectiveCount.ts';
import { standardDeviation } from './standardDeviation.ts';
import { type PooledSpread, wassersteinSignificance } from './wassersteinSignificance.ts';

/**
 * Returns the first Wasserstein (earth mover's) distance between two samples, ∫ |F(x) − G(x)| dx.
 *
 * - `distance` is in the unit of the feature: how far a record has moved on average.
 * - `normalized` is the distance in standard deviations of the reference, and null if that is 0 or
 *   undefined.
 * - `significance` is that of `normalized`, and null where `wassersteinSignificance` is.
 *
 * Both distances are at least 0, and 0 if a sample has no number. Each bucket stands at its
 * `bucketValue`, at the coarser of the two resolutions, which is exact for small integers.
 * Distances that overflow stay at Number.MAX_VALUE.
 *
 * O(buckets log buckets). Source: Vallender, Theory of Probability and its Applications 18(4),
 * 1974, pp. 784-786. As `scipy.stats.wasserstein_distance`.
 *
 * @example wassersteinDistance(histogramOf([0, 1, 3]), histogramOf([5, 6, 8])).distance // 5
 */
export function wassersteinDistance(
  reference: NumericHistogram,
  recent: NumericHistogram,
): { distance: number; normalized: number | null; significance: DistanceSignificance | null } {
  const deviation = standardDeviation(reference);
  if (reference.count === 0 || recent.count === 0) {
    return { distance: 0, normalized: deviation ? 0 : null, significance: null };
  }
  const { distance, spread } = areaBetween(reference, recent);
  if (!deviation) return { distance, normalized: null, significance: null };
  const inDeviations = (length: number) => Math.min(length / deviation, Number.MAX_VALUE);
  const significance = wassersteinSignificance(distance, spread);
  return {
    distance,
    normalized: inDeviations(distance),
    significance: significance && {
      ...significance,
      thresholdAt: level => inDeviations(significance.thresholdAt(level)),
    },
  };
}

/**
 * Returns the area between two distribution functions, and what `wassersteinSignificance` needs to
 * know about H, the distribution function of both samples together. It visits the steps of both
 * functions in ascending order. The variance of H is 2 ∫ (1 − H(x)) ∫ H(y) dy dx over y < x.
 */
function areaBetween(
  reference: NumericHistogram,
  recent: NumericHistogram,
): { distance: number; spread: PooledSpread } {
  const mantissaBits = Math.min(reference.mantissaBits, recent.mantissaBits);
  const left = cumulativeSteps(reference, sortedBuckets(reference, mantissaBits));
  const right = cumulativeSteps(recent, sortedBuckets(recent, mantissaBits));
  const weight = reference.count / (reference.count + recent.count);
  let area = 0;
  let below = 0;
  let halfVariance = 0;
  let rootIntegral = 0;
  let position = Math.min(left.values[0]!, right.values[0]!);
  let shareLeft = 0;
  let shareRight = 0;
  for (let i = 0, j = 0; i < left.steps || j < right.steps; ) {
    const next = Math.min(left.values[i]!, right.values[j]!);
    const width = next - position;
    if (shareLeft !== shareRight) area += Math.abs(shareLeft - shareRight) * width;
    const share = weight * shareLeft + (1 - weight) * shareRight;
    halfVariance += (1 - share) * width * (below + (share * width) / 2);
    below += share * width;
    rootIntegral += Math.sqrt(share * (1 - share)) * width;
    if (left.values[i] === next) shareLeft = left.shares[i++]!;
    if (right.values[j] === next) shareRight = right.shares[j++]!;
    position = next;
  }
  return {
    distance: Math.min(area, Number.MAX_VALUE),
    spread: {
      effectiveCount: effectiveCount(reference.count, recent.count),
      deviation: Math.sqrt(2 * halfVariance),
      rootIntegral,
    },
  };
}

/**
 * Returns where a distribution function steps, with the share of the values up to there, and a last
 * step at Infinity.
 */
function cumulativeSteps(
  histogram: NumericHistogram,
  { mantissaBits, keys, counts }: SortedBuckets,
) {
  const values = new Float64Array(keys.length + 1).fill(Number.POSITIVE_INFINITY);
  const shares = new Float64Array(keys.length + 1);
  let below = 0;
  for (let index = 0; index < keys.length; index++) {
    below += counts[index]!;
    values[index] = bucketValue(histogram, keys[index]!, mantissaBits);
    shares[index] = below / histogram.count;
  }
  return { steps: keys.length, values, shares };
}
