/**
 * The relative precision of the result. Fewer digits are ever shown, and each takes three steps.
 */
const precision = 1e-12;

/**
 * Returns the smallest number of an interval at which a condition no longer holds, found by halving
 * the interval.
 *
 * The condition has to hold below that number and to fail from there on. The result is `low` if the
 * condition holds nowhere, and `high` if it holds everywhere. The result is never below the exact
 * number, and it exceeds it by at most a relative 1e-12.
 *
 * The condition is tested about 41 times, and once more for each power of two by which the result
 * is smaller than the interval is wide. If an end of the interval is NaN, the result is one of the
 * ends.
 *
 * @example bisect(x => x * x < 2, 0, 2) // 1.41421356237
 */
export function bisect(isBelow: (middle: number) => boolean, low: number, high: number): number {
  if (!isBelow(low)) return low;
  let lower = low;
  let upper = high;
  while (upper - lower > precision * Math.abs(upper)) {
    const middle = lower + (upper - lower) / 2;
    // The smallest doubles are so far apart, relative to their size, that the loop would not end.
    if (middle === lower || middle === upper) break;
    if (isBelow(middle)) lower = middle;
    else upper = middle;
  }
  return upper;
}
