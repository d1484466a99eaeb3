/** Splits items into groups of at most `maxItems`, in their order. */
export function* chunk<T>(items: readonly T[], maxItems: number): Generator<T[]> {
  for (let first = 0; first < items.length; first += maxItems)
    yield items.slice(first, first + maxItems);
}
