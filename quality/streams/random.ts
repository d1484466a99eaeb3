import { createHash } from 'node:crypto';
import { randomPermutation, seededRandom } from '../../services/shared/model/seededRandom.ts';

/** Random draws that depend on a name only, so that a stream is the same in every run. */
export interface Random {
  /** Draws from [0, 1). */
  uniform(): number;
  between(low: number, high: number): number;
  /** Draws from 0 to below - 1. */
  integer(below: number): number;
  normal(): number;
  exponential(): number;
  /** Student's t: a normal over the root of a chi-squared divided by its degrees of freedom. */
  studentT(degreesOfFreedom: number): number;
  /** Means from 30 on are rounded draws from the normal distribution. */
  poisson(mean: number): number;
  permutation(length: number): number[];
}

/**
 * Returns the random draws of a name.
 * @example randomOf('Electricity', 'y_swaps', 3)
 */
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

  /**
   * Draws from the gamma distribution (Marsaglia and Tsang, ACM TOMS 26, 2000), for shapes from 1
   * on.
   */
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
