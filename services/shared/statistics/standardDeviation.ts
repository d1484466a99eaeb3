import { weightedStandardDeviation } from 'simple-statistics';
import { bucketValue } from '../bins/bucketValue.ts';
import type { NumericHistogram } from '../profile/numericHistogram.ts';
import { sortedBuckets } from '../profile/sortedBuckets.ts';

/**
 * The population standard deviation, √(Σ nᵢ (xᵢ − x̄)² / n) over the buckets with their `bucketValue`. Null when there
 * is no number, and where the squares overflow.
 *
 * @example standardDeviation(histogramOf(2, 4, 4, 4, 5, 5, 7, 9)); // 2
 */
export function standardDeviation(histogram: NumericHistogram): number | null {
  if (histogram.count === 0) return null;
  const { mantissaBits, keys, counts } = sortedBuckets(histogram);
  const values = Array.from(keys, key => bucketValue(histogram, key, mantissaBits));
  const deviation = weightedStandardDeviation(values, Array.from(counts));
  return Number.isFinite(deviation) ? deviation : null;
}
