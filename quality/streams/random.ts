import { createHash } from 'node:crypto';
import { randomPermutation, seededRandom } from '../../services/shared/model/seededRandom.ts';

/** Draws that follow from a name alone, so that every stream is the same in every run. */
export interface Random {
  /** In [0, 1). */
  uniform(): number;
  between(low: number, high: number): number;
  /** 0 to below - 1. */
  integer(below: number): number;
  normal(): number;
  exponential(): number;
  /** Student's t: a normal over the root of a chi-squared per degree of freedom. */
  studentT(degreesOfFreedom: number): number;
  /** From 30 on rounded from the normal distribution. */
  poisson(mean: number): number;
  permutation(length: number): number[];
}

/** @example randomOf('Electricity', 'y_swaps', 3) */
export function randomOf(...name: (string | number)[]): Random {
  const uniform = seededRandom(
    createHash('sha256').update(name.join('|')).digest().readUInt32LE(0),
  );
  /** Box and Muller. */
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const exponential = () => -Math.log(1 - uniform());
  return {
    uniform,
    between: (low, high) => low + (high - low) * uniform(),
    integer: below => Math.floor(uniform() * below),
    normal,
    exponential,
    studentT: degreesOfFreedom =>
      normal() / Math.sqrt((2 * gamma(degreesOfFreedom / 2)) / degreesOfFreedom),
    poisson(mean) {
      if (mean >= 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
      let events = 0;
      for (let time = exponential(); time < mean; time += exponential()) events++;
      return events;
    },
    permutation: length => [...randomPermutation(length, uniform)],
  };

  /** Marsaglia and Tsang, ACM TOMS 26 (2000), for shapes of 1 and more. */
  function gamma(shape: number): number {
    const d = shape - 1 / 3;
    for (;;) {
      const x = normal();
      const v = (1 + x / Math.sqrt(9 * d)) ** 3;
      if (v > 0 && Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v))
        return d * v;
    }
  }
}
