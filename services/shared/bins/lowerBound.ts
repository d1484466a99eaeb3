/**
 * Returns the index of the first of ascending numbers that is at least as large as a given one, or
 * how many numbers there are if none is. O(log n). The result is meaningless where the numbers do
 * not ascend.
 *
 * @example lowerBound([1, 3, 3, 7], 2) // 1
 */
export function lowerBound(ascending: readonly number[], number: number): number {
  let from = 0;
  let to = ascending.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (ascending[middle]! < number) from = middle + 1;
    else to = middle;
  }
  return from;
}
