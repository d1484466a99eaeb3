/** The lowest and the highest number of some records. */
export interface ValueRange {
  minimum: number;
  maximum: number;
}

/**
 * Fewer parts show no trend: of five parts in random order, at most one order in 120 is the rising
 * one.
 */
export const minGrowingParts = 5;

/**
 * Returns whether a variable only ever grows, as clocks, counters and ids do: there are at least
 * five parts, and all numbers of each part lie above all numbers of the part before. No reference
 * holds for such a variable, because later records lie beyond everything that it has seen.
 *
 * A part whose ends are NaN makes the answer false. O(parts).
 *
 * @param parts consecutive parts of the records in the order of time, each with at least one number
 * @example
 * isGrowing([1, 3, 5, 7, 9].map(start => ({ minimum: start, maximum: start + 1 })))
 * // true
 */
export function isGrowing(parts: readonly ValueRange[]): boolean {
  if (parts.length < minGrowingParts) return false;
  return parts.every((part, index) => index === 0 || isBeyond(parts[index - 1]!, part));
}

/** Returns whether all numbers of a range lie above all numbers of another. */
export function isBeyond(before: ValueRange, after: ValueRange): boolean {
  return after.minimum > before.maximum;
}
