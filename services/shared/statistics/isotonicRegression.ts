/**
 * Returns the non-decreasing values that are nearest to the given ones by weighted least squares,
 * with the algorithm "pool adjacent violators". The weighted sum of the values stays the same.
 * O(n).
 *
 * Source: Barlow, Bartholomew, Bremner, Brunk, "Statistical Inference under Order Restrictions",
 * 1972. As scikit-learn's `IsotonicRegression`.
 *
 * @param weights one per value, above 0, which is not checked
 * @example isotonicRegression([0, 1, 0, 1], [1, 1, 1, 1]) // [0, 0.5, 0.5, 1]
 */
export function isotonicRegression(
  values: readonly number[],
  weights: readonly number[],
): number[] {
  /** Neighbours that share a value, with the sum of their weights and their number. */
  const blocks: { mean: number; weight: number; length: number }[] = [];
  for (const [index, value] of values.entries()) {
    let block = { mean: value, weight: weights[index]!, length: 1 };
    for (
      let last = blocks.at(-1);
      last !== undefined && last.mean >= block.mean;
      last = blocks.at(-1)
    ) {
      blocks.pop();
      const weight = last.weight + block.weight;
      const mean = (last.mean * last.weight + block.mean * block.weight) / weight;
      block = { mean, weight, length: last.length + block.length };
    }
    blocks.push(block);
  }
  return blocks.flatMap(({ mean, length }) => new Array<number>(length).fill(mean));
}
