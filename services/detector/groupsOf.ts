/** Items in groups of at most so many, in their order. */
export function* groupsOf<T>(items: readonly T[], mostItems: number): Generator<T[]> {
  for (let first = 0; first < items.length; first += mostItems) yield items.slice(first, first + mostItems);
}
