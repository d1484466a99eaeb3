/**
 * Halves an interval `steps` times around the place from which on `isBelow` no longer holds; its upper end, where it does
 * not hold. So `high` itself when it holds everywhere.
 *
 * @example bisect(x => x * x < 2, 0, 2, 50); // 1.4142135623730951
 */
export function bisect(
  isBelow: (middle: number) => boolean,
  low: number,
  high: number,
  steps: number,
): number {
  let lower = low;
  let upper = high;
  for (let step = 0; step < steps; step++) {
    const middle = (lower + upper) / 2;
    if (isBelow(middle)) lower = middle;
    else upper = middle;
  }
  return upper;
}
