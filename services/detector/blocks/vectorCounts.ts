import type { FeatureProfile } from '../../shared/profile/featureProfile.ts';
import type { FrozenVariable } from './frozenVariable.ts';
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
}

const noVectors: ReadonlyMap<string, VectorCounts> = new Map();

/** Returns the sums of the vector features of an observation, by `variableKey`. O(dimensions). */
export function countVectors(
  { variables }: WindowObservation,
  frozen: ReadonlyMap<string, FrozenVariable>,
): ReadonlyMap<string, VectorCounts> {
  const counts = new Map<string, VectorCounts>();
  for (const [key, { dimension }] of frozen) {
    if (dimension === null || counts.size === maxVectorFeatures) continue;
    const sums = variables.get(key)?.profile.vectors?.byDimension.get(dimension);
    if (sums) {
      const { count, sum, squares } = sums;
      counts.set(key, { count, sum: Float32Array.from(sum), squares });
    }
  }
  return counts.size > 0 ? counts : noVectors;
}

/** Adds the vectors of a block to sums, in place. */
export function addVectors(
  sums: Map<string, VectorCounts>,
  added: ReadonlyMap<string, VectorCounts>,
): void {
  for (const [key, { count, sum, squares }] of added) {
    const known = sums.get(key) ?? { count: 0, sum: new Float64Array(sum.length), squares: 0 };
    for (let index = 0; index < sum.length; index++) known.sum[index]! += sum[index]!;
    sums.set(key, {
      count: known.count + count,
      sum: known.sum,
      squares: known.squares + squares,
    });
  }
}

/** Returns sums without a part of them. */
export function subtractVectors(
  whole: ReadonlyMap<string, VectorCounts>,
  part: ReadonlyMap<string, VectorCounts>,
): Map<string, VectorCounts> {
  const rest = new Map<string, VectorCounts>();
  for (const [key, { count, sum, squares }] of whole) {
    const taken = part.get(key);
    rest.set(
      key,
      taken
        ? {
            count: count - taken.count,
            sum: Float64Array.from(sum, (number, index) => number - taken.sum[index]!),
            squares: squares - taken.squares,
          }
        : { count, sum, squares },
    );
  }
  return rest;
}

/**
 * Returns in how many directions vectors vary about equally, (tr Σ)² / tr(Σ²) for their covariance
 * Σ, halved, because it is learned from few parts; at least 1.
 *
 * tr(Σ²) is the mean of the squared products of differences of the means of two pairs of parts,
 * each scaled to the variance of one vector; the pairs have no part in common. O(parts² ·
 * dimension).
 *
 * @param parts of a reference
 */
export function effectiveDimension(parts: readonly FeatureProfile[], dimension: number): number {
  const means = parts
    .flatMap(({ vectors }) => vectors?.byDimension.get(dimension) ?? [])
    .slice(-maxParts)
    .map(({ count, sum }) => ({ count, mean: sum.map(number => number / count) }));
  let squares = 0;
  let pairs = 0;
  let traces = 0;
  let differences = 0;
  for (let shift = 1; shift < means.length; shift += 2) {
    const scaled = roundOf(means, shift);
    for (let left = 0; left < scaled.length; left++) {
      traces += product(scaled[left]!, scaled[left]!);
      differences += 1;
      for (let right = 0; right < left; right++) {
        squares += product(scaled[left]!, scaled[right]!) ** 2;
        pairs += 1;
      }
    }
  }
  if (pairs === 0 || squares === 0) return 1;
  return Math.max(1, (traces / differences) ** 2 / (squares / pairs) / 2);
}

const maxParts = 20;

interface PartMean {
  count: number;
  mean: Float64Array;
}

/** Returns differences of disjoint pairs of parts that lie `shift` apart. */
function roundOf(means: readonly PartMean[], shift: number): Float64Array[] {
  const used = new Set<number>();
  const differences: Float64Array[] = [];
  for (let index = 0; index + shift < means.length; index++) {
    if (used.has(index) || used.has(index + shift)) continue;
    used.add(index).add(index + shift);
    const left = means[index]!;
    const right = means[index + shift]!;
    const scale = Math.sqrt(1 / left.count + 1 / right.count);
    differences.push(left.mean.map((number, at) => (number - right.mean[at]!) / scale));
  }
  return differences;
}

function product(left: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < left.length; index++) sum += left[index]! * right[index]!;
  return sum;
}
