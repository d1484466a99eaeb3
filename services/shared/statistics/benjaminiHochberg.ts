/**
 * Benjamini and Hochberg's adjusted p-values, min over j ≥ i of p₍ⱼ₎ d / j, in the order of the input: to call those
 * at most α significant keeps the expected share of false ones at α. Each is in [0, 1] and at least its p-value; the
 * smallest is `simes` of them all.
 *
 * O(d log d). Source: Benjamini, Hochberg, Journal of the Royal Statistical Society B 57(1), 1995; the same as
 * `scipy.stats.false_discovery_control`.
 *
 * @example benjaminiHochberg([0.01, 0.9, 0.02]); // [0.03, 0.9, 0.03]
 */
export function benjaminiHochberg(pValues: number[]): number[] {
  const adjusted = new Array<number>(pValues.length);
  const descending = [...pValues.keys()].sort((left, right) => pValues[right]! - pValues[left]!);
  let least = 1;
  descending.forEach((index, place) => {
    least = Math.min(least, pValues[index]! * (pValues.length / (pValues.length - place)));
    adjusted[index] = least;
  });
  return adjusted;
}
