/** Index of the first of ascending numbers that is at least as large; their count if none is. @example lowerBound([1, 3], 2); // 1 */
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
