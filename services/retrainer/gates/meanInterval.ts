import { studentQuantile } from '../../shared/statistics/studentQuantile.ts';

/** A mean with its confidence interval. */
export interface MeanInterval {
  mean: number;
  low: number;
  high: number;
  /** Number of blocks of neighbouring values that the interval rests on. */
  blocks: number;
}

const maxBlocks = 25;
const minBlocks = 10;
const minValuesPerBlock = 5;
/** Minimum values that an interval can be computed from. */
export const minValues = minBlocks * minValuesPerBlock;

/**
 * Returns the confidence interval of the mean of values in the order of time, which may be
 * correlated with their neighbours. It uses batch means: the means of blocks that are long compared
 * with the correlation are nearly independent, so Student's t applies to them. Half width: t((1 +
 * level) / 2, blocks − 1) · √(variance of the block means / blocks).
 *
 * Source: Law, Simulation Modeling and Analysis, section 9.5.3; Schmeiser, "Batch Size Effects in
 * the Analysis of Simulation Output", Operations Research 30 (1982): 10 to 30 blocks, more add
 * little.
 * @param values at least `minValues`
 * @param level probability that the interval contains the mean, such as 0.95
 */
export function meanInterval(values: readonly number[], level: number): MeanInterval {
  const blocks = Math.max(
    minBlocks,
    Math.min(maxBlocks, Math.floor(values.length / minValuesPerBlock)),
  );
  const means: number[] = [];
  for (let block = 0; block < blocks; block++) {
    const start = Math.floor((block * values.length) / blocks);
    means.push(mean(values.slice(start, Math.floor(((block + 1) * values.length) / blocks))));
  }
  const center = mean(values);
  const variance =
    means.reduce((sum, blockMean) => sum + (blockMean - center) ** 2, 0) / (blocks - 1);
  const margin = studentQuantile((1 + level) / 2, blocks - 1) * Math.sqrt(variance / blocks);
  return { mean: center, low: center - margin, high: center + margin, blocks };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
