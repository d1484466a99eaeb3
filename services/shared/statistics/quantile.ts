import type { NumericHistogram } from '../profile/numericHistogram.ts';
import { sortedBuckets } from '../profile/sortedBuckets.ts';
import { bucketInterval } from './bucketValue.ts';

/**
 * The value that a share of the numbers does not exceed, null when there is no number. 0 gives the minimum and 1 the
 * maximum, exactly. In between, the place of the (share · count)-th smallest number in its bucket, if the numbers of a
 * bucket are spread evenly (`bucketInterval`): exact for small integers, otherwise off by less than the bucket's width.
 *
 * O(buckets log buckets). Source: Hyndman, Fan, The American Statistician 50(4), 1996, definition 1 (`inverted_cdf`).
 *
 * @param share in [0, 1]
 * @example quantile(histogramOf(1, 2, 3, 10), 0.5); // 2
 */
export function quantile(histogram: NumericHistogram, share: number): number | null {
  if (histogram.count === 0) return null;
  if (share <= 0) return histogram.minimum;
  if (share >= 1) return histogram.maximum;
  const { keys, counts, mantissaBits } = sortedBuckets(histogram);
  const rank = share * histogram.count;
  let below = 0;
  let index = 0;
  while (below + counts[index]! < rank) below += counts[index++]!;
  const { low, high } = bucketInterval(histogram, keys[index]!, mantissaBits);
  return low + (high - low) * ((rank - below) / counts[index]!);
}
