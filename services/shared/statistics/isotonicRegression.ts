/**
 * The non-decreasing values that are nearest to the given ones in weighted least squares: pool adjacent violators. O(n).
 *
 * Barlow, Bartholomew, Bremner, Brunk, "Statistical Inference under Order Restrictions", 1972; scikit-learn's IsotonicRegression.
 *
 * @param weights above 0, one per value
 * @example isotonicRegression([0, 1, 0, 1], [1, 1, 1, 1]); // [0, 0.5, 0.5, 1]
 */
export function isotonicRegression(
  values: readonly number[],
  weights: readonly number[],
): number[] {
  /** Blocks of neighbours that share a value, each with its sum of weights and number of values. */
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
