/**
 * Simes' combined p-value of several tests of which none shall be significant: min p₍ᵢ₎ d / i over the d sorted
 * p-values. In [0, 1]; 1 for no tests. Valid for independent and for positively dependent tests, such as the features
 * of one model, and never above Bonferroni's d · min p.
 *
 * O(d log d). Source: Simes, Biometrika 73(3), 1986; Sarkar, Annals of Statistics 26(2), 1998, for the dependence.
 *
 * @example simes([0.01, 0.02, 0.9]); // 0.03
 */
export function simes(pValues: number[]): number {
  const sorted = pValues.toSorted((left, right) => left - right);
  return sorted.reduce((least, pValue, index) => Math.min(least, pValue * (sorted.length / (index + 1))), 1);
}
