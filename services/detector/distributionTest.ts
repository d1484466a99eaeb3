import { sum } from 'simple-statistics';
import { likelihoodRatioTest } from '../shared/statistics/likelihoodRatioTest.ts';
import { type Comparison, fewestOwnBlocks, scales } from './comparison.ts';
import type { FrozenVariable } from './frozenVariable.ts';
import { type Judgement, judge, type Significance } from './significance.ts';
import { constantHistory, fewestBlocks, type Measurement } from './statisticHistory.ts';
import { statisticThreshold } from './statisticThreshold.ts';

export interface DistributionTest extends Measurement {
  pValue: number;
  logPValue: number;
  overdispersion: number;
  /** Valid values per bin. */
  recentCounts: number[];
  referenceCounts: number[];
}

/** Values in their bins, those never seen before in one of their own. Missing, non-finite and wrong values are a matter of data quality. */
export function validCounts({ binCount }: FrozenVariable, counts: readonly number[]): number[] {
  return counts.slice(0, binCount + 1);
}

/**
 * Whether the valid values of a variable are distributed as in the reference: `likelihoodRatioTest`, judged by `judge`.
 *
 * @returns null when the variable has no counts on one side, or only ever grows
 */
export function distributionTest(
  comparison: Comparison,
  key: string,
  frozen: FrozenVariable,
  significance: Significance,
): DistributionTest | null {
  const recentSums = comparison.recent.variables.get(key);
  const referenceSums = comparison.reference.variables.get(key);
  if (frozen.growing || !recentSums || !referenceSums || referenceSums.blocks === 0) return null;
  return testCounts(
    comparison,
    validCounts(frozen, referenceSums.counts),
    validCounts(frozen, recentSums.counts),
    significance,
  );
}

export function testCounts(
  comparison: Comparison,
  referenceCounts: number[],
  recentCounts: number[],
  significance: Significance,
): DistributionTest {
  const { statistic, degreesOfFreedom } = likelihoodRatioTest(referenceCounts, recentCounts);
  const recent = sum(recentCounts);
  const reference = sum(referenceCounts);
  const measured = { statistic, degreesOfFreedom, size: (recent * reference) / (recent + reference) };
  const judgement = judgeCounts(comparison, referenceCounts, measured, significance);
  return { ...measured, ...judgement, recentCounts, referenceCounts };
}

/** The likelihood ratio that the test would have had to reach, of as many records. */
export function distributionThreshold(
  comparison: Comparison,
  test: DistributionTest,
  significance: Significance,
  level: number,
): number {
  return statisticThreshold(
    statistic => judgeCounts(comparison, test.referenceCounts, { ...test, statistic }, significance),
    level,
  );
}

/** A reference that has one value only is the history of a statistic that had nothing to measure so far. */
function judgeCounts(
  { scale, referenceBlocks }: Comparison,
  referenceCounts: readonly number[],
  measured: Measurement,
  significance: Significance,
): Judgement {
  const isConstant = referenceCounts.filter(count => count > 0).length === 1;
  const known = significance.history.some(({ blocks }) => blocks >= fewestBlocks);
  const history =
    isConstant && !known ? scales.map(() => constantHistory(referenceBlocks.length)) : significance.history;
  return judge({ ...significance, history }, measured, scale, referenceBlocks.length >= fewestOwnBlocks);
}
