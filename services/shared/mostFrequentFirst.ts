/**
 * Returns the entries of counts, the highest first; equal ones in the order of their names.
 *
 * @example mostFrequentFirst(new Map([['b', 1], ['a', 1], ['c', 2]])) // [['c', 2], ['a', 1], ['b', 1]]
 */
export function mostFrequentFirst(counts: ReadonlyMap<string, number>): [string, number][] {
  return [...counts].sort(
    ([leftName, left], [rightName, right]) => right - left || (leftName < rightName ? -1 : 1),
  );
}
