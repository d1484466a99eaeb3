import { sum } from 'simple-statistics';
import { validCounts } from '../../shared/bins/countVector.ts';
import { effectiveCount } from '../../shared/statistics/effectiveCount.ts';
import { likelihoodRatioTest } from '../../shared/statistics/likelihoodRatioTest.ts';
import { likelihoodRatioTrend } from '../../shared/statistics/likelihoodRatioTrend.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import { type Comparison, scales } from '../reference/comparison.ts';
import { plainReference, type TestReference } from '../reference/testReference.ts';
import type { Judgement } from '../significance/nullModel.ts';
import {
  constantHistory,
  type Measurement,
  minHistoryBlocks,
} from '../significance/statisticHistory.ts';
import { statisticThreshold } from '../significance/statisticThreshold.ts';
import {
  type BestReferenceTest,
  type ReferenceMeasurement,
  type TestNullModel,
  testBestReference,
} from '../significance/testBestReference.ts';
import type { ResultDetail } from './testResult.ts';

export interface DistributionStatistic
  extends CountsMeasurement,
    Judgement,
    Pick<BestReferenceTest<CountsMeasurement>, 'cycle' | 'measured' | 'judgementOf'> {}

interface CountsMeasurement extends ReferenceMeasurement {
  /** Valid values per bin. */
  recentCounts: number[];
  referenceCounts: number[];
}

/**
 * Tests whether the valid values of a variable are distributed as in the reference. It uses
 * `likelihoodRatioTest` against the best reference (`testBestReference`), judged by `judge`.
 *
 * @returns null if the variable has no counts on one side, or moves by itself
 */
export function distributionStatistic(
  comparison: Comparison,
  key: string,
  frozen: FrozenVariable,
  significance: TestNullModel,
): DistributionStatistic | null {
  return testVariable(comparison, key, frozen, significance, likelihoodRatioTest);
}

/**
 * Tests whether the numbers of a variable are higher or lower than in the reference. It uses
 * `likelihoodRatioTrend`, judged as `distributionStatistic` is.
 */
export function trendStatistic(
  comparison: Comparison,
  key: string,
  frozen: FrozenVariable,
  significance: TestNullModel,
): DistributionStatistic | null {
  if (frozen.type !== 'numeric') return null;
  // Values that the reference never had have no place in the order.
  const ordered = (counts: number[]) => counts.slice(0, frozen.binCount);
  return testVariable(comparison, key, frozen, significance, (reference, recent) =>
    likelihoodRatioTrend(ordered(reference), ordered(recent)),
  );
}

function testVariable(
  comparison: Comparison,
  key: string,
  frozen: FrozenVariable,
  significance: TestNullModel,
  statisticOf: StatisticOf,
): DistributionStatistic | null {
  const recentSums = comparison.recent.variables.get(key);
  if (frozen.moving || !recentSums) return null;
  const recentCounts = validCounts(recentSums.counts);
  return testCounts(comparison, recentCounts, significance, statisticOf, reference => {
    const counts = reference.countsOf(key);
    return counts && validCounts(counts);
  });
}

type StatisticOf = (
  reference: number[],
  recent: number[],
) => Pick<Measurement, 'statistic' | 'degreesOfFreedom'>;

/**
 * Tests recent counts against the best reference.
 * @param countsOf returns the counts of a reference; null if it has none
 */
export function testCounts(
  comparison: Comparison,
  recentCounts: number[],
  significance: TestNullModel,
  statisticOf: StatisticOf,
  countsOf: (reference: TestReference) => number[] | null,
): DistributionStatistic | null {
  const best = testBestReference(
    comparison,
    withConstantHistory(comparison, countsOf, significance),
    reference => {
      const referenceCounts = countsOf(reference);
      return referenceCounts && measureCounts(referenceCounts, recentCounts, statisticOf);
    },
  );
  return best && { ...best.test, ...best, ...best.judgementOf(best.test.statistic) };
}

function measureCounts(
  referenceCounts: number[],
  recentCounts: number[],
  statisticOf: StatisticOf,
): CountsMeasurement {
  const { statistic, degreesOfFreedom } = statisticOf(referenceCounts, recentCounts);
  const records = sum(recentCounts);
  const referenceRecords = sum(referenceCounts);
  const size = effectiveCount(referenceRecords, records);
  return {
    statistic,
    degreesOfFreedom,
    size,
    records,
    referenceRecords,
    recentCounts,
    referenceCounts,
  };
}

/**
 * Adds a history to a variable whose reference has one value only, because its statistic had
 * nothing to measure so far.
 */
function withConstantHistory(
  { reference, referenceBlocks }: Comparison,
  countsOf: (reference: TestReference) => number[] | null,
  significance: TestNullModel,
): TestNullModel {
  const isConstant = countsOf(plainReference(reference))?.filter(count => count > 0).length === 1;
  if (!isConstant || significance.history.some(({ blocks }) => blocks >= minHistoryBlocks))
    return significance;
  return { ...significance, history: scales.map(() => constantHistory(referenceBlocks.length)) };
}

/**
 * Returns the p-value of a test, and the likelihood ratio that it needed with the same number of
 * records.
 */
export function detailOf(test: DistributionStatistic, level: number): ResultDetail {
  const { pValue, overdispersion, degreesOfFreedom, judgementOf } = test;
  const threshold =
    degreesOfFreedom > 0 ? statisticThreshold(judgementOf, level) : Number.POSITIVE_INFINITY;
  return { pValue, threshold, overdispersion };
}
