import { effectiveSampleSize } from '../../shared/statistics/effectiveSampleSize.ts';
import { studentQuantile } from '../../shared/statistics/studentQuantile.ts';

/** A mean with its confidence interval. */
export interface MeanInterval {
  mean: number;
  low: number;
  high: number;
  /** Number of blocks of neighbouring values, or of entities, that the interval rests on. */
  blocks: number;
}

const maxBlocks = 25;
const minBlocks = 10;
const minValuesPerBlock = 5;
/** Minimum values that an interval can be computed from. */
export const minValues = minBlocks * minValuesPerBlock;

/** Fewer entities tell too little about how much entities differ. */
const minEntities = 20;

/**
 * Returns the confidence interval of the mean of values in the order of time, which may be
 * correlated with their neighbours, and with the other values of their entity. Of the intervals by
 * neighbours and by entities it is the wider one.
 *
 * By neighbours it uses batch means: the means of blocks that are long compared
 * with the correlation are nearly independent, so Student's t applies to them. Half width: t((1 +
 * level) / 2, blocks − 1) · √(variance of the block means / blocks).
 *
 * Source: Law, Simulation Modeling and Analysis, section 9.5.3; Schmeiser, "Batch Size Effects in
 * the Analysis of Simulation Output", Operations Research 30 (1982): 10 to 30 blocks, more add
 * little. With weights the mean is a ratio of sums, and a block counts by its weight (Cochran,
 * Sampling Techniques, section 6.3).
 *
 * By entities: t((1 + level) / 2, G − 1) · √(G / (G − 1) Σ s²) for G entities, where s is the
 * weighted sum of an entity's differences from the mean, divided by the sum of all weights. Source:
 * Liang, Zeger, Biometrika 73 (1986); Cameron, Miller, Journal of Human Resources 50 (2015).
 * @param values at least `minValues`
 * @param level probability that the interval contains the mean, such as 0.95
 * @param weights of the values, whose effective number should be at least `minValues`; null if all
 * are 1
 * @param entities of the values; null if they are not known. Fewer than 20 are not used.
 */
export function meanInterval(
  values: readonly number[],
  level: number,
  weights: readonly number[] | null = null,
  entities: readonly string[] | null = null,
): MeanInterval {
  const ofBlocks = intervalByBlocks(values, level, weights);
  const ofEntities = entities && intervalByEntities(values, level, weights, entities);
  const isWider = ofEntities !== null && ofEntities.low < ofBlocks.low;
  return isWider ? ofEntities : ofBlocks;
}

function intervalByBlocks(
  values: readonly number[],
  level: number,
  weights: readonly number[] | null,
): MeanInterval {
  const blocks = Math.max(
    minBlocks,
    Math.min(maxBlocks, Math.floor(effectiveValues(values, weights) / minValuesPerBlock)),
  );
  const center = weightedMean(values, weights);
  const blockWeight = (weights === null ? values.length : sum(weights)) / blocks;
  let squares = 0;
  for (let block = 0; block < blocks; block++) {
    const start = Math.floor((block * values.length) / blocks);
    const end = Math.floor(((block + 1) * values.length) / blocks);
    const own = weights?.slice(start, end) ?? null;
    const share = own === null ? 1 : sum(own) / blockWeight;
    if (share > 0) squares += (share * (weightedMean(values.slice(start, end), own) - center)) ** 2;
  }
  const variance = squares / (blocks - 1);
  const margin = studentQuantile((1 + level) / 2, blocks - 1) * Math.sqrt(variance / blocks);
  return { mean: center, low: center - margin, high: center + margin, blocks };
}

/** Returns null if there are too few entities, or if no two values are of the same one. */
function intervalByEntities(
  values: readonly number[],
  level: number,
  weights: readonly number[] | null,
  entities: readonly string[],
): MeanInterval | null {
  const mean = weightedMean(values, weights);
  const total = weights === null ? values.length : sum(weights);
  const sums = new Map<string, number>();
  for (const [row, value] of values.entries()) {
    const weight = weights?.[row] ?? 1;
    if (weight === 0) continue;
    const entity = entities[row]!;
    sums.set(entity, (sums.get(entity) ?? 0) + (weight * (value - mean)) / total);
  }
  const count = sums.size;
  if (count < minEntities || count === values.length) return null;
  const squares = sum([...sums.values()].map(value => value * value));
  const margin =
    studentQuantile((1 + level) / 2, count - 1) * Math.sqrt((squares * count) / (count - 1));
  return { mean, low: mean - margin, high: mean + margin, blocks: count };
}

/** Returns how many values without weights tell as much as these. */
export function effectiveValues(
  values: readonly unknown[],
  weights: readonly number[] | null,
): number {
  if (weights === null) return values.length;
  return effectiveSampleSize(sum(weights), sum(weights.map(weight => weight * weight)));
}

/** @param weights null if all are 1 */
export function weightedMean(values: readonly number[], weights: readonly number[] | null): number {
  if (weights === null) return sum(values) / values.length;
  return values.reduce((total, value, row) => total + value * weights[row]!, 0) / sum(weights);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
