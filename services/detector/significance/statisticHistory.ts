import { chiSquaredSurvival } from '../../shared/statistics/chiSquaredSurvival.ts';

/** The statistic of one test, without a judgement of what it means on this stream. */
export interface Measurement {
  /** A likelihood ratio: chi-squared distributed if records are independent and nothing changed. */
  statistic: number;
  /** 0 if there was nothing to test. */
  degreesOfFreedom: number;
  /** Records that the comparison is worth: n m / (n + m) for n recent and m earlier ones. */
  size: number;
  /**
   * In a test for a rise of something that falls while a model learns: whether it fell. Undefined
   * in other tests.
   */
  fell?: boolean;
  /**
   * Whether what exceeds sampling noise lies along one of the many directions of the statistic, as
   * for a topic whose share wanders (`judge`). Undefined in other tests.
   */
  alongOneAxis?: boolean;
}

/**
 * The past values of a statistic at one scale, as sums, so that it stays small. Never changed once
 * made.
 */
export interface StatisticHistory {
  /** Blocks that were measured; older ones count less, so that it stays below about 400. */
  blocks: number;
  /** Sum of statistic / degrees of freedom, which is 1 on average under sampling noise. */
  sum: number;
  /** Sum of the squares of the same. */
  squareSum: number;
  /** Sum of `Measurement.size`. */
  sizeSum: number;
  /** Natural logarithm of the odds for "nothing but sampling noise" that the blocks have given. */
  noiseLogOdds: number;
  /** Sum of the statistics, up to a limit each, for the dispersion under sampling noise. */
  noiseSum: number;
  /** Sum of what these are on average under sampling noise. */
  noiseDegrees: number;
}

/** Each block counts for 1 / 400 less with every further block, once there are 400. */
const rememberedBlocks = 400;
/** Evidence about sampling noise counts for 1 / 200 less with every further block. */
const rememberedNoiseBlocks = 200;
/** A ratio counts as at most this many times the ratio that was expected. */
const maxRatio = 10;
/** In the dispersion under sampling noise, a ratio counts as at most this. */
const maxNoiseRatio = 3;
/** Fewer blocks make no expectation. */
export const minHistoryBlocks = 8;
/** If there is more than sampling noise, p-values are taken to be distributed as Beta(1/2, 1). */
const alternativeExponent = 0.5;
/**
 * A smaller p-value is no stronger evidence against sampling noise, because a change would explain
 * it as well.
 */
const minTellingPValue = 0.01;
/** Keeps divisors away from zero; far below every real value. */
export const tiny = 1e-9;
/** Weight, in blocks, of the assumption that the ratio is 1. */
const priorBlocks = 2;

/** The history of a statistic that was never measured. */
export const noHistory: StatisticHistory = {
  blocks: 0,
  sum: 0,
  squareSum: 0,
  sizeSum: 0,
  noiseLogOdds: 0,
  noiseSum: 0,
  noiseDegrees: 0,
};

/**
 * Returns the history of a variable that had one and the same value in that many blocks: its
 * statistic was 0 in each.
 */
export function constantHistory(blocks: number): StatisticHistory {
  return { ...noHistory, blocks };
}

/**
 * Returns a history with one more block. A single statistic counts as at most ten times what was
 * expected, so that one block cannot carry the history away. At a larger scale blocks overlap, so
 * each counts for 1 / scale in the odds. O(1).
 *
 * @param measured with degrees of freedom above 0, which is not checked
 * @example withMeasurement(noHistory, { statistic: 12, degreesOfFreedom: 6, size: 50 }, 1).sum // 2
 */
export function withMeasurement(
  history: StatisticHistory,
  measured: Measurement,
  scale: number,
): StatisticHistory {
  const { statistic, degreesOfFreedom, size, fell } = measured;
  const ratio = Math.min(statistic / degreesOfFreedom, maxRatio * expectedRatio(history, size));
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
      (Math.min(statistic / degreesOfFreedom, fell ? 1 : maxNoiseRatio) * degreesOfFreedom) / scale,
    noiseDegrees:
      history.noiseDegrees * keptNoise +
      (fell === undefined ? expectedNoise(degreesOfFreedom) : degreesOfFreedom) / scale,
  };
}

/** By degrees of freedom, of which there are few: those of bins, and one for each vector. */
const expectedNoises = new Map<number, number>();

/** Returns E min(X, 3 d) of a chi-squared X with d degrees of freedom. */
function expectedNoise(degreesOfFreedom: number): number {
  const known = expectedNoises.get(degreesOfFreedom);
  if (known !== undefined) return known;
  const limit = maxNoiseRatio * degreesOfFreedom;
  const expected =
    limit * chiSquaredSurvival(limit, degreesOfFreedom) +
    degreesOfFreedom * (1 - chiSquaredSurvival(limit, degreesOfFreedom + 2));
  expectedNoises.set(degreesOfFreedom, expected);
  return expected;
}

/**
 * Returns the ratio to expect; its part above 1 grows with the number of records. Infinite while
 * nothing is known.
 */
function expectedRatio({ blocks, sum, sizeSum }: StatisticHistory, size: number): number {
  if (blocks < minHistoryBlocks) return Number.POSITIVE_INFINITY;
  const mean = Math.max(1, (sum + priorBlocks) / (blocks + priorBlocks));
  return 1 + ((mean - 1) * size * blocks) / Math.max(sizeSum, tiny);
}

/**
 * Returns the logarithm of how many times likelier the p-value is under sampling noise, where it is
 * uniform, than if there is more. In a test for a rise, the p-value of a fall is near 1: a model
 * that learns after a drift makes ever fewer errors, and that is no sign of rises to come.
 */
function noiseLogRatio({ statistic, degreesOfFreedom, fell }: Measurement): number {
  const twoSided = chiSquaredSurvival(statistic, degreesOfFreedom);
  const pValue = Math.max(
    minTellingPValue,
    fell === undefined ? twoSided : fell ? 1 - twoSided / 2 : twoSided / 2,
  );
  return -(Math.log(alternativeExponent) + (alternativeExponent - 1) * Math.log(pValue));
}
