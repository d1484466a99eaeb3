/**
 * Returns Benjamini and Hochberg's adjusted p-values, in the order of the input. If those at most α
 * are called significant, the expected share of false discoveries among them is at most α, provided
 * that the tests are independent.
 *
 * The p-value of rank i among d becomes the smallest of p₍ⱼ₎ d / j over all ranks j ≥ i. It lies in
 * [0, 1] and is at least the p-value itself. The smallest adjusted p-value is that of Simes' test
 * of all hypotheses together.
 *
 * O(d log d). An empty input gives an empty result. Source: Benjamini, Hochberg, Journal of the
 * Royal Statistical Society B 57(1), 1995, pp. 289-300; Simes, Biometrika 73(3), 1986. As
 * `scipy.stats.false_discovery_control`.
 *
 * @param pValues in [0, 1], which is not checked
 * @example benjaminiHochberg([0.01, 0.9, 0.02]) // [0.03, 0.9, 0.03]
 */
export function benjaminiHochberg(pValues: number[]): number[] {
  const adjusted = new Array<number>(pValues.length);
  const descending = [...pValues.keys()].sort((left, right) => pValues[right]! - pValues[left]!);
  let smallest = 1;
  descending.forEach((index, place) => {
    const rank = pValues.length - place;
    smallest = Math.min(smallest, pValues[index]! * (pValues.length / rank));
    adjusted[index] = smallest;
  });
  return adjusted;
}
