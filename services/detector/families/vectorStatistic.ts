import { effectiveCount } from '../../shared/statistics/effectiveCount.ts';
import type { VectorCounts } from '../blocks/vectorCounts.ts';
import type { Comparison } from '../reference/comparison.ts';
import type { Measurement } from '../significance/statisticHistory.ts';

/** Minimum number of vectors on each side. */
const minVectors = 20;
/** Fewer blocks do not show how much the length of their mean varies. */
const minBlocks = 5;
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
 *     length:    B ln(1 + t² / (B − 1)),  t² = N (x·y / |y| − (|y|² − s²/m) / |y|)² / σ²
 *
 * The first is about chi-squared with ν degrees of freedom (Satterthwaite) for ν = (tr Σ)² /
 * tr(Σ²) (`effectiveDimension`), the second one with 1. σ² is the variance along y, learned from
 * the B blocks of the reference. s² / m takes back what the chance in y adds to its length.
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
    value: 1 - cosineOf(x, y),
    referenceValue: null,
    valueAt: statistic => {
      const squared = (statistic * variance) / (freedom * size);
      return 1 - length / Math.sqrt(length * length + squared);
    },
  };
  const expected = (length * length - variance / before.count) / length;
  const blocks = referenceBlocks.flatMap(({ vectors }) => vectors.get(key) ?? []);
  return {
    direction,
    length: measureLength(product(x, y) / length, expected, y, length, blocks, shared),
    cosine: cosineOf(x, y),
  };
}

function measureLength(
  value: number,
  expected: number,
  y: Float64Array,
  length: number,
  blocks: readonly VectorCounts[],
  shared: Pick<VectorMeasurement, 'size' | 'records' | 'referenceRecords'>,
): VectorMeasurement | null {
  const known = blocks.filter(({ count }) => count > 0);
  if (known.length < minBlocks) return null;
  const projections = known.map(({ count, sum }) => ({
    count,
    along: product(sum, y) / length / count,
  }));
  const total = projections.reduce((sum, { count }) => sum + count, 0);
  const mean = projections.reduce((sum, { count, along }) => sum + count * along, 0) / total;
  const free = known.length - 1;
  const variance =
    projections.reduce((sum, { count, along }) => sum + count * (along - mean) ** 2, 0) / free;
  if (!(variance > tiny * length * length)) return null;
  const squared = (shared.size * (value - expected) ** 2) / variance;
  return {
    ...shared,
    metric: 'mean_length',
    statistic: (free + 1) * Math.log1p(squared / free),
    degreesOfFreedom: 1,
    value,
    referenceValue: expected,
    valueAt: statistic => {
      const needed = free * Math.expm1(statistic / (free + 1));
      const distance = Math.sqrt((needed * variance) / shared.size);
      return expected + (value < expected ? -distance : distance);
    },
  };
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
