import { bucketInnerBound, bucketOuterBound, FINEST_MANTISSA_BITS } from '../profile/bucketKey.ts';
import type { NumericHistogram } from '../profile/numericHistogram.ts';

/**
 * The number that stands for the values of a bucket, the middle of their interval: the value itself for integers at the
 * finest resolution, for zero and for a constant; good to 1e-6 relatively for other numbers at the finest resolution.
 *
 * @param key at `mantissaBits`, which may be coarser than the histogram's own
 * @example bucketValue(histogramOf(0.1, 0.1), bucketKey(0.1), 20); // 0.1
 */
export function bucketValue(
  histogram: NumericHistogram,
  key: number,
  mantissaBits: number,
): number {
  const { low, high } = bucketInterval(histogram, key, mantissaBits);
  return low + (high - low) / 2;
}

/**
 * Where the values of a bucket are taken to lie: between its ends, within the histogram's minimum and maximum. At the
 * finest resolution, and around zero, that is the end nearer to zero alone, because buckets there hold single integers
 * (or decimals that the width of 1e-6 hardly moves), and zeros.
 */
function bucketInterval(
  histogram: NumericHistogram,
  key: number,
  mantissaBits: number,
): { low: number; high: number } {
  const inner = bucketInnerBound(key, mantissaBits);
  const isPoint = mantissaBits === FINEST_MANTISSA_BITS || key === 0;
  const outer = isPoint ? inner : bucketOuterBound(key, mantissaBits);
  const within = (value: number) => Math.max(histogram.minimum, Math.min(histogram.maximum, value));
  return { low: within(Math.min(inner, outer)), high: within(Math.max(inner, outer)) };
}
