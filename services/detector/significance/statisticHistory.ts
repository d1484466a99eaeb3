import { chiSquaredSurvival } from '../../shared/statistics/chiSquaredSurvival.ts';

/** One test's statistic, before it is known what that means on this stream. */
export interface Measurement {
  /** Likelihood ratio: chi-squared if records are independent and nothing changed. */
  statistic: number;
  degreesOfFreedom: number;
  /** Records that the comparison is worth: n m / (n + m) of n recent and m earlier ones. */
  size: number;
  /** Of a test for a rise alone: whether the value fell. Undefined for a test of any change. */
  fell?: boolean;
}

/** What a statistic was like at one scale in the blocks that are history. Sums, so that it stays small. */
export interface StatisticHistory {
  blocks: number;
  /** Of statistic / degrees of freedom, which is 1 on average if there is nothing but sampling noise. */
  sum: number;
  squareSum: number;
  sizeSum: number;
  /** Logarithm of the odds for "nothing but sampling noise" that the blocks have given. */
  noiseLogOdds: number;
  /** Statistics and their degrees of freedom, for the dispersion under sampling noise. */
  noiseSum: number;
  noiseDegrees: number;
}

/** Blocks after which what was before is forgotten. */
const rememberedBlocks = 400;
const rememberedNoiseBlocks = 200;
/** A ratio above so many times what was expected counts as that. */
const largestRatio = 10;
const largestNoiseRatio = 3;
/** Blocks of history that make an expectation. */
export const fewestBlocks = 8;
/** If there is more than noise, p-values are distributed as Beta(1/2, 1); a smaller one than this says no more. */
const alternativeExponent = 0.5;
const smallestTellingPValue = 0.01;

export const noHistory: StatisticHistory = {
  blocks: 0,
  sum: 0,
  squareSum: 0,
  sizeSum: 0,
  noiseLogOdds: 0,
  noiseSum: 0,
  noiseDegrees: 0,
};

/** What is known of a variable that had one and the same value in so many blocks: its statistic was 0 in each. */
export function constantHistory(blocks: number): StatisticHistory {
  return { ...noHistory, blocks };
}

/** The history with one more block. The blocks of a scale overlap, so each is worth 1 / scale to the odds. */
export function withMeasurement(
  history: StatisticHistory,
  measured: Measurement,
  scale: number,
): StatisticHistory {
  const { statistic, degreesOfFreedom, size, fell } = measured;
  const ratio = Math.min(statistic / degreesOfFreedom, largestRatio * expectedRatio(history, size));
  const kept = history.blocks >= rememberedBlocks ? 1 - 1 / rememberedBlocks : 1;
  const keptNoise = 1 - 1 / rememberedNoiseBlocks;
  return {
    blocks: history.blocks * kept + 1,
    sum: history.sum * kept + ratio,
    squareSum: history.squareSum * kept + ratio * ratio,
    sizeSum: history.sizeSum * kept + size,
    noiseLogOdds: history.noiseLogOdds * keptNoise + noiseLogRatio(measured) / scale,
    noiseSum:
      history.noiseSum * keptNoise +
      (Math.min(statistic / degreesOfFreedom, fell ? 1 : largestNoiseRatio) * degreesOfFreedom) /
        scale,
    noiseDegrees: history.noiseDegrees * keptNoise + degreesOfFreedom / scale,
  };
}

/** What exceeds 1 grows with the number of records; infinite while nothing can be expected. */
function expectedRatio({ blocks, sum, sizeSum }: StatisticHistory, size: number): number {
  if (blocks < fewestBlocks) return Number.POSITIVE_INFINITY;
  const mean = Math.max(1, (sum + 2) / (blocks + 2));
  return 1 + ((mean - 1) * size * blocks) / Math.max(sizeSum, 1e-9);
}

/**
 * ln of how much likelier the p-value is if there is nothing but noise (uniform) than if there is more. A model that learns after a drift
 * has ever fewer errors: of a test for a rise that is no sign of rises to come.
 */
function noiseLogRatio({ statistic, degreesOfFreedom, fell }: Measurement): number {
  const twoSided = chiSquaredSurvival(statistic, degreesOfFreedom);
  const pValue = Math.max(
    smallestTellingPValue,
    fell === undefined ? twoSided : fell ? 1 - twoSided / 2 : twoSided / 2,
  );
  return -(Math.log(alternativeExponent) + (alternativeExponent - 1) * Math.log(pValue));
}
