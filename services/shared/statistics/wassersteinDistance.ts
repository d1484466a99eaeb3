import type { NumericHistogram } from '../profile/numericHistogram.ts';
import type { SortedBuckets } from '../profile/sortedBuckets.ts';
import { sortedBuckets } from '../profile/sortedBuckets.ts';
import { bucketValue } from './bucketValue.ts';
import { standardDeviation } from './standardDeviation.ts';

/**
 * The first Wasserstein (earth mover's) distance, ∫ |F(x) − G(x)| dx, in the unit of the feature: the mean way that a
 * record has moved. `normalized` is the distance in standard deviations of the reference, null where that is 0 or
 * undefined. Both are at least 0, and 0 when one side has no number.
 *
 * Each bucket stands at its `bucketValue`, at the coarser of the two resolutions: exact for small integers.
 *
 * O(buckets). Source: Vallender, Theory of Probability and its Applications 18(4), 1974.
 *
 * @example wassersteinDistance(histogramOf(0, 1, 3), histogramOf(5, 6, 8)).distance; // 5
 */
export function wassersteinDistance(
  reference: NumericHistogram,
  recent: NumericHistogram,
): { distance: number; normalized: number | null } {
  const deviation = standardDeviation(reference);
  const distance = reference.count === 0 || recent.count === 0 ? 0 : areaBetween(reference, recent);
  return { distance, normalized: deviation ? Math.min(distance / deviation, Number.MAX_VALUE) : null };
}

function areaBetween(reference: NumericHistogram, recent: NumericHistogram): number {
  const mantissaBits = Math.min(reference.mantissaBits, recent.mantissaBits);
  const left = cumulativeSteps(reference, sortedBuckets(reference, mantissaBits));
  const right = cumulativeSteps(recent, sortedBuckets(recent, mantissaBits));
  let area = 0;
  let position = Math.min(left.values[0]!, right.values[0]!);
  let shareLeft = 0;
  let shareRight = 0;
  for (let i = 0, j = 0; i < left.steps || j < right.steps; ) {
    const next = Math.min(left.values[i]!, right.values[j]!);
    if (shareLeft !== shareRight) area += Math.abs(shareLeft - shareRight) * (next - position);
    if (left.values[i] === next) shareLeft = left.shares[i++]!;
    if (right.values[j] === next) shareRight = right.shares[j++]!;
    position = next;
  }
  return Math.min(area, Number.MAX_VALUE);
}

/** Where the distribution function steps, and the share of the values up to there, with an end that no step comes after. */
function cumulativeSteps(histogram: NumericHistogram, { mantissaBits, keys, counts }: SortedBuckets) {
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
