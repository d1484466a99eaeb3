import { weightedStandardDeviation } from 'simple-statistics';
import { bucketValue } from '../bins/bucketValue.ts';
import type { NumericHistogram } from '../profile/numericHistogram.ts';
import { sortedBuckets } from '../profile/sortedBuckets.ts';

/**
 * Returns the population standard deviation of the numbers of a histogram.
 *
 *     √(Σ nᵢ (xᵢ − x̄)² / n)   over the buckets, each with its `bucketValue` xᵢ
 *
 * Exact for integers in buckets of the finest resolution. Null if there is no number, or if the
 * squares overflow. O(buckets log buckets).
 *
 * @example standardDeviation(histogramOf([2, 4, 4, 4, 5, 5, 7, 9])) // 2
 */
export function standardDeviation(histogram: NumericHistogram): number | null {
  if (histogram.count === 0) return null;
  const { mantissaBits, keys, counts } = sortedBuckets(histogram);
  const values = Array.from(keys, key => bucketValue(histogram, key, mantissaBits));
  const deviation = weightedStandardDeviation(values, Array.from(counts));
  return Number.isFinite(deviation) ? deviation : null;
}
