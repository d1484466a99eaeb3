import { normalSurvival } from './normalSurvival.ts';

const rootOfTwoPi = Math.sqrt(2 * Math.PI);

/**
 * E|z + r Z|, Z standard normal: r √(2/π) exp(−(z/r)² / 2) + z (1 − 2 P(Z > z/r)). Rises with z ≥ 0, from r √(2/π); |z| where r is 0.
 *
 * Source: Leone, Nelson, Nottingham, Technometrics 3(4), 1961.
 *
 * @example foldedNormalMean(0, 1); // 0.798
 */
export function foldedNormalMean(z: number, r: number): number {
  if (r === 0) return Math.abs(z);
  const ratio = z / r;
  return (
    (2 * r * Math.exp(-(ratio * ratio) / 2)) / rootOfTwoPi + z * (1 - 2 * normalSurvival(ratio))
  );
}
