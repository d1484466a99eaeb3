import { sum } from 'simple-statistics';
import { likelihoodRatioTest } from '../shared/statistics/likelihoodRatioTest.ts';
import { type Comparison, fewestOwnBlocks } from './comparison.ts';
import type { FrozenVariable } from './frozenVariable.ts';
import { judge, type Significance } from './significance.ts';
import type { Measurement } from './statisticHistory.ts';
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
  { scale, referenceBlocks }: Comparison,
  referenceCounts: number[],
  recentCounts: number[],
  significance: Significance,
): DistributionTest {
  const { statistic, degreesOfFreedom } = likelihoodRatioTest(referenceCounts, recentCounts, 1);
  const recent = sum(recentCounts);
  const reference = sum(referenceCounts);
  const measured = { statistic, degreesOfFreedom, size: (recent * reference) / (recent + reference) };
  const judgement = judge(significance, measured, scale, referenceBlocks.length >= fewestOwnBlocks);
  return { ...measured, ...judgement, recentCounts, referenceCounts };
}

/** The likelihood ratio that the test would have had to reach, of as many records. */
export function distributionThreshold(
  { scale, referenceBlocks }: Comparison,
  test: DistributionTest,
  significance: Significance,
  level: number,
): number {
  const ownHistory = referenceBlocks.length >= fewestOwnBlocks;
  return statisticThreshold(statistic => judge(significance, { ...test, statistic }, scale, ownHistory), level);
}
