import { studentQuantile } from '../../shared/statistics/studentQuantile.ts';

export interface MeanInterval {
  mean: number;
  low: number;
  high: number;
  /** Blocks of neighbouring values that the interval rests on. */
  blocks: number;
}

const mostBlocks = 25;
const fewestBlocks = 10;
const fewestValuesPerBlock = 5;
/** Fewer values give no interval. */
export const fewestValues = fewestBlocks * fewestValuesPerBlock;

/**
 * Interval of the mean of values in the order of time that may be correlated with their neighbours, by batch means: means of
 * blocks that are long against the correlation are nearly independent, and Student's t is used on them.
 * Source: Law, Simulation Modeling and Analysis, section 9.5.3; Schmeiser, "Batch Size Effects in the Analysis of Simulation
 * Output", Operations Research 30 (1982): 10 to 30 blocks, more add little.
 * @param values at least `fewestValues`
 * @param level probability that the interval holds the mean, such as 0.95
 */
export function meanInterval(values: readonly number[], level: number): MeanInterval {
  const blocks = Math.max(
    fewestBlocks,
    Math.min(mostBlocks, Math.floor(values.length / fewestValuesPerBlock)),
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
