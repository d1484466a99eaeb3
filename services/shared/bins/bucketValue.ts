import { bucketInnerBound, bucketOuterBound, finestMantissaBits } from '../profile/bucketKey.ts';
import type { NumericHistogram } from '../profile/numericHistogram.ts';

/**
 * Returns the number that stands for all values of a bucket: the middle of the interval in which
 * they lie.
 *
 * At the finest resolution this is the value itself for integers up to 2^21, for zero and for a
 * constant, and it differs from other numbers by at most a relative 1e-6. O(1). For a key that the
 * histogram does not use, the result lies between the histogram's minimum and maximum and means
 * nothing.
 *
 * @param key at `mantissaBits`, which may be coarser than the histogram's own resolution
 * @example bucketValue(histogramOf([0.1, 0.1]), bucketKey(0.1), 20) // 0.1
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
 * Returns where the values of a bucket lie: between the bucket's ends, and within the histogram's
 * minimum and maximum. At the finest resolution, and around zero, it is the end nearer to zero
 * alone, because such a bucket holds a single integer, or decimals that its width of 1e-6 hardly
 * moves, or zeros.
 */
function bucketInterval(
  histogram: NumericHistogram,
  key: number,
  mantissaBits: number,
): { low: number; high: number } {
  const inner = bucketInnerBound(key, mantissaBits);
  const isPoint = mantissaBits === finestMantissaBits || key === 0;
  const outer = isPoint ? inner : bucketOuterBound(key, mantissaBits);
  const within = (value: number) => Math.max(histogram.minimum, Math.min(histogram.maximum, value));
  return { low: within(Math.min(inner, outer)), high: within(Math.max(inner, outer)) };
}
