/**
 * Returns the number of unweighted records that tell as much as weighted ones, (Σw)² / Σw² (Kish,
 * "Survey Sampling", 1965). 0 without any.
 *
 * @param weight Σw
 * @param squaredWeight Σw²
 * @example effectiveSampleSize(1 + 1 + 2, 1 + 1 + 4) // 2.6666666666666665
 */
export function effectiveSampleSize(weight: number, squaredWeight: number): number {
  return squaredWeight === 0 ? 0 : (weight * weight) / squaredWeight;
}
