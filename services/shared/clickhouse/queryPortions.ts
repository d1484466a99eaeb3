/** ClickHouse reads at most 256 KiB of a query, and of a parameter. */
const mostBytes = 200_000;

/**
 * Items in portions that fit the parameters of one query each.
 * @param textOf what stands for an item in the longest parameter
 */
export function* queryPortions<T>(
  items: Iterable<T>,
  textOf: (item: T) => string,
  mostItems = 10_000,
): Generator<T[]> {
  let portion: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const text = textOf(item);
    portion.push(item);
    // With quotes and a comma; a character that is escaped twice, or not ASCII, takes up to four bytes.
    bytes += text.length + 3 * (text.match(/[^\w-]/g)?.length ?? 0) + 10;
    if (portion.length < mostItems && bytes < mostBytes) continue;
    yield portion;
    portion = [];
    bytes = 0;
  }
  if (portion.length > 0) yield portion;
}
