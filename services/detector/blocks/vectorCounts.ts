import type { FeatureProfile } from '../../shared/profile/featureProfile.ts';
import type { FrozenVariable } from './frozenVariable.ts';
import { type AlongAxis, chanceAlong } from './vectorChance.ts';
import type { WindowObservation } from './windowObservation.ts';

/** Of more vector features, in the order of their keys, only the norms are compared. */
const maxVectorFeatures = 8;

/** The vectors of one feature in a block, as sums. Never changed once made. */
export interface VectorCounts {
  count: number;
  /** In single precision, so that the blocks of a reference take half of the memory. */
  sum: Float32Array | Float64Array;
  /** The sum of the squares of the norms. */
  squares: number;
  /** `chanceAlong` the axis of the variable. */
  chance: AlongAxis;
}

const noVectors: ReadonlyMap<string, VectorCounts> = new Map();

/** Returns the sums of the vector features of an observation, by `variableKey`. O(dimensions). */
export function countVectors(
  { variables }: WindowObservation,
  frozen: ReadonlyMap<string, FrozenVariable>,
): ReadonlyMap<string, VectorCounts> {
  const counts = new Map<string, VectorCounts>();
  for (const [key, { dimension, axis }] of frozen) {
    if (dimension === null || axis === null || counts.size === maxVectorFeatures) continue;
    const sums = variables.get(key)?.profile.vectors?.byDimension.get(dimension);
    if (sums) {
      const { count, sum, squares } = sums;
      const chance = chanceAlong(sums, axis);
      counts.set(key, { count, sum: Float32Array.from(sum), squares, chance });
    }
  }
  return counts.size > 0 ? counts : noVectors;
}

/** Returns the direction of the mean of the vectors of some profiles, as a unit vector. */
export function meanAxis(parts: readonly FeatureProfile[], dimension: number): Float32Array {
  const mean = new Float64Array(dimension);
  for (const { vectors } of parts) {
    const sum = vectors?.byDimension.get(dimension)?.sum ?? [];
    for (let at = 0; at < sum.length; at++) mean[at]! += sum[at]!;
  }
  const length = Math.sqrt(mean.reduce((squares, number) => squares + number * number, 0));
  return Float32Array.from(mean, number => (length > 0 ? number / length : 0));
}

/** Adds the vectors of a block to sums, in place. */
export function addVectors(
  sums: Map<string, VectorCounts>,
  added: ReadonlyMap<string, VectorCounts>,
): void {
  for (const [key, { count, sum, squares, chance }] of added) {
    const known = sums.get(key) ?? {
      count: 0,
      sum: new Float64Array(sum.length),
      squares: 0,
      chance: { draws: 0, squares: 0 },
    };
    for (let index = 0; index < sum.length; index++) known.sum[index]! += sum[index]!;
    sums.set(key, {
      count: known.count + count,
      sum: known.sum,
      squares: known.squares + squares,
      chance: {
        draws: known.chance.draws + chance.draws,
        squares: known.chance.squares + chance.squares,
      },
    });
  }
}

/** Returns sums without a part of them. */
export function subtractVectors(
  whole: ReadonlyMap<string, VectorCounts>,
  part: ReadonlyMap<string, VectorCounts>,
): Map<string, VectorCounts> {
  const rest = new Map<string, VectorCounts>();
  for (const [key, { count, sum, squares, chance }] of whole) {
    const taken = part.get(key);
    rest.set(
      key,
      taken
        ? {
            count: count - taken.count,
            sum: Float64Array.from(sum, (number, index) => number - taken.sum[index]!),
            squares: squares - taken.squares,
            chance: {
              draws: chance.draws - taken.chance.draws,
              squares: chance.squares - taken.chance.squares,
            },
          }
        : { count, sum, squares, chance },
    );
  }
  return rest;
}
