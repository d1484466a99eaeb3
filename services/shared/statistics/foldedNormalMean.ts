import { normalSurvival } from './normalSurvival.ts';

const rootOfTwoPi = Math.sqrt(2 * Math.PI);

/**
 * Returns the mean of the absolute value of a normal variable with mean z and standard deviation r.
 *
 *     E|z + r Z| = r √(2/π) exp(−(z/r)² / 2) + z (1 − 2 P(Z > z/r))   for a standard normal Z
 *
 * It rises with z ≥ 0 from r √(2/π), and is |z| where r is 0. O(1). Source: Leone, Nelson,
 * Nottingham, Technometrics 3(4), 1961, pp. 543-550. As `scipy.stats.foldnorm.mean`.
 *
 * @param r at least 0, which is not checked
 * @example foldedNormalMean(0, 1) // 0.7979
 */
export function foldedNormalMean(z: number, r: number): number {
  if (r === 0) return Math.abs(z);
  const ratio = z / r;
  return (
    (2 * r * Math.exp(-(ratio * ratio) / 2)) / rootOfTwoPi + z * (1 - 2 * normalSurvival(ratio))
  );
}
