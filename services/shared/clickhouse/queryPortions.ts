/** Less than the 256 KiB that ClickHouse reads of a query, and of a parameter. */
const maxBytes = 200_000;

/**
 * Splits items into portions that each fit the parameters of one query, in their order.
 * @param textOf returns the text of an item in the longest parameter
 */
export function* queryPortions<T>(
  items: Iterable<T>,
  textOf: (item: T) => string,
  maxItems = 10_000,
): Generator<T[]> {
  let portion: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const text = textOf(item);
    portion.push(item);
    // Includes quotes and a comma. A character that is escaped twice, or is not ASCII, takes up to
    // four bytes.
    bytes += text.length + 3 * (text.match(/[^\w-]/g)?.length ?? 0) + 10;
    if (portion.length < maxItems && bytes < maxBytes) continue;
    yield portion;
    portion = [];
    bytes = 0;
  }
  if (portion.length > 0) yield portion;
}
