import { effectiveCount } from '../../shared/statistics/effectiveCount.ts';
import type { VectorCounts } from '../blocks/vectorCounts.ts';
import type { Comparison } from '../reference/comparison.ts';
import type { Measurement } from '../significance/statisticHistory.ts';

/** Minimum number of vectors on each side. */
const minVectors = 20;
/** Fewer blocks do not show how much the length of their mean varies. */
const minBlocks = 5;
/** Fewer draws of chance do not show how much vectors vary along their mean. */
const minDraws = 10;
const tiny = 1e-12;

/** A statistic of the mean vector of a feature. */
export interface VectorMeasurement extends Measurement {
  metric: 'mean_direction' | 'mean_length';
  value: number;
  referenceValue: number | null;
  records: number;
  referenceRecords: number;
  /** Returns the value that belongs to a statistic. */
  valueAt(statistic: number): number;
}

export interface VectorMeasurements {
  direction: VectorMeasurement;
  /** Null where too few blocks show how the length varies. */
  length: VectorMeasurement | null;
  /** Cosine of the angle between the means. */
  cosine: number;
}

/**
 * Measures whether the mean vector of a feature has another direction or another length than in the
 * reference. With means x of n recent and y of m earlier vectors, N = n m / (n + m), and s² the
 * variance of the vectors, summed over all directions,
 *
 *     direction: ν N |δ⊥|² / s²,          δ = x − y, of which δ⊥ is perpendicular to y
 *     length:    (B + 1) ln(1 + t² / B),  t² = N (x·y / |y| − (|y|² − s²/m) / |y|)² / σ²
 *
 * The first is about chi-squared with ν degrees of freedom (Satterthwaite) for ν = (tr Σ)² /
 * tr(Σ²) (`effectiveDimension`), the second one with 1. σ² is the variance along y, learned from B
 * draws of chance within the blocks of the reference (`chanceAlong`), so that it holds nothing of
 * what moves from block to block. s² / m takes back what the chance in y adds to its length.
 *
 * @param freedom ν
 * @returns null with fewer than 20 vectors on a side, or where they never vary
 */
export function measureVectors(
  { recent, reference, referenceBlocks }: Comparison,
  key: string,
  freedom: number,
): VectorMeasurements | null {
  const now = recent.vectors.get(key);
  const before = reference.vectors.get(key);
  if (!now || !before || Math.min(now.count, before.count) < minVectors) return null;
  const x = meanOf(now);
  const y = meanOf(before);
  const variance = varianceOf([
    { counts: now, mean: x },
    { counts: before, mean: y },
  ]);
  const length = Math.sqrt(product(y, y));
  if (!(variance > tiny * before.squares) || length === 0) return null;
  const size = effectiveCount(before.count, now.count);
  const shared = { size, records: now.count, referenceRecords: before.count };
  const along = (product(x, y) - product(y, y)) / length;
  const perpendicular = Math.max(0, squaredDistance(x, y) - along * along);
  const direction: VectorMeasurement = {
    ...shared,
    metric: 'mean_direction',
    statistic: (freedom * size * perpendicular) / variance,
    degreesOfFreedom: freedom,
    alongOneAxis: true,
    value: 1 - cosineOf(x, y),
    referenceValue: null,
    valueAt: statistic => {
      const squared = (statistic * variance) / (freedom * size);
      return 1 - length / Math.sqrt(length * length + squared);
    },
  };
  const expected = (length * length - variance / before.count) / length;
  const blocks = referenceBlocks.flatMap(({ vectors }) => vectors.get(key) ?? []);
  const axis = y.map(number => number / length);
  const known = varianceAlong(before, blocks, axis);
  const isKnown = known.draws >= minBlocks - 1 && known.variance > tiny * length * length;
  return {
    direction,
    length: isKnown ? measureLength(product(x, axis), expected, known, shared) : null,
    cosine: cosineOf(x, y),
  };
}

function measureLength(
  value: number,
  expected: number,
  { variance, draws }: VarianceAlong,
  shared: Pick<VectorMeasurement, 'size' | 'records' | 'referenceRecords'>,
): VectorMeasurement {
  const squared = (shared.size * (value - expected) ** 2) / variance;
  return {
    ...shared,
    metric: 'mean_length',
    statistic: (draws + 1) * Math.log1p(squared / draws),
    degreesOfFreedom: 1,
    alongOneAxis: true,
    value,
    referenceValue: expected,
    valueAt: statistic => {
      const needed = draws * Math.expm1(statistic / (draws + 1));
      const distance = Math.sqrt((needed * variance) / shared.size);
      return expected + (value < expected ? -distance : distance);
    },
  };
}

interface VarianceAlong {
  variance: number;
  /** From how many draws it was learned. */
  draws: number;
}

/**
 * Returns the variance of vectors along their mean, by the draws of chance within the blocks, or,
 * where they are too few, by how the means of blocks differ.
 */
function varianceAlong(
  { chance }: VectorCounts,
  blocks: readonly VectorCounts[],
  axis: Float64Array,
): VarianceAlong {
  if (chance.draws >= minDraws)
    return { variance: chance.squares / chance.draws, draws: chance.draws };
  const known = blocks.filter(({ count }) => count > 0);
  const projections = known.map(({ count, sum }) => ({ count, along: product(sum, axis) / count }));
  const total = projections.reduce((sum, { count }) => sum + count, 0);
  const mean = projections.reduce((sum, { count, along }) => sum + count * along, 0) / total;
  const draws = known.length - 1;
  const variance =
    projections.reduce((sum, { count, along }) => sum + count * (along - mean) ** 2, 0) / draws;
  return { variance, draws };
}

function meanOf({ count, sum }: VectorCounts): Float64Array {
  return Float64Array.from(sum, number => number / count);
}

function varianceOf(sides: readonly { counts: VectorCounts; mean: Float64Array }[]): number {
  let squares = 0;
  let records = 0;
  for (const { counts, mean } of sides) {
    squares += counts.squares - counts.count * product(mean, mean);
    records += counts.count;
  }
  return squares / (records - sides.length);
}

function product(left: ArrayLike<number>, right: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < left.length; index++) sum += left[index]! * right[index]!;
  return sum;
}

function squaredDistance(left: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let index = 0; index < left.length; index++) sum += (left[index]! - right[index]!) ** 2;
  return sum;
}

function cosineOf(left: Float64Array, right: Float64Array): number {
  const scale = Math.sqrt(product(left, left) * product(right, right));
  return scale > 0 ? product(left, right) / scale : 0;
}
