import { sum } from 'simple-statistics';
import { likelihoodRatioTest } from '../shared/statistics/likelihoodRatioTest.ts';
import { type BestTest, bestTest, type ReferenceMeasurement, type TestSignificance } from './bestTest.ts';
import { type Comparison, scales } from './comparison.ts';
import type { FrozenVariable } from './frozenVariable.ts';
import type { Judgement } from './significance.ts';
import { constantHistory, fewestBlocks } from './statisticHistory.ts';
import { statisticThreshold } from './statisticThreshold.ts';
import { plainReference, type TestReference } from './testReference.ts';

export interface DistributionTest
  extends CountsMeasurement,
    Judgement,
    Pick<BestTest<CountsMeasurement>, 'cycle' | 'measured' | 'judgementOf'> {}

interface CountsMeasurement extends ReferenceMeasurement {
  /** Valid values per bin. */
  recentCounts: number[];
  referenceCounts: number[];
}

/** Values in their bins, those never seen before in one of their own. Missing, non-finite and wrong values are a matter of data quality. */
export function validCounts({ binCount }: FrozenVariable, counts: readonly number[]): number[] {
  return counts.slice(0, binCount + 1);
}

/**
 * Whether the valid values of a variable are distributed as in the reference: `likelihoodRatioTest`, against the best reference
 * (`bestTest`), judged by `judge`.
 *
 * @returns null when the variable has no counts on one side, or only ever grows
 */
export function distributionTest(
  comparison: Comparison,
  key: string,
  frozen: FrozenVariable,
  significance: TestSignificance,
): DistributionTest | null {
  const recentSums = comparison.recent.variables.get(key);
  if (frozen.growing || !recentSums) return null;
  const recentCounts = validCounts(frozen, recentSums.counts);
  return testCounts(comparison, recentCounts, significance, reference => {
    const counts = reference.countsOf(key);
    return counts && validCounts(frozen, counts);
  });
}

/** @param countsOf of a reference; null where it has none */
export function testCounts(
  comparison: Comparison,
  recentCounts: number[],
  significance: TestSignificance,
  countsOf: (reference: TestReference) => number[] | null,
): DistributionTest | null {
  const best = bestTest(comparison, withConstantHistory(comparison, countsOf, significance), reference => {
    const referenceCounts = countsOf(reference);
    return referenceCounts && measureCounts(referenceCounts, recentCounts);
  });
  return best && { ...best.test, ...best, ...best.judgementOf(best.test.statistic) };
}

function measureCounts(referenceCounts: number[], recentCounts: number[]): CountsMeasurement {
  const { statistic, degreesOfFreedom } = likelihoodRatioTest(referenceCounts, recentCounts);
  const records = sum(recentCounts);
  const referenceRecords = sum(referenceCounts);
  const size = (records * referenceRecords) / (records + referenceRecords);
  return { statistic, degreesOfFreedom, size, records, referenceRecords, recentCounts, referenceCounts };
}

/** A reference that has one value only is the history of a statistic that had nothing to measure so far. */
function withConstantHistory(
  { reference, referenceBlocks }: Comparison,
  countsOf: (reference: TestReference) => number[] | null,
  significance: TestSignificance,
): TestSignificance {
  const isConstant = countsOf(plainReference(reference))?.filter(count => count > 0).length === 1;
  if (!isConstant || significance.history.some(({ blocks }) => blocks >= fewestBlocks)) return significance;
  return { ...significance, history: scales.map(() => constantHistory(referenceBlocks.length)) };
}

/** The likelihood ratio that the test would have had to reach, of as many records. */
export function distributionThreshold({ judgementOf }: DistributionTest, level: number): number {
  return statisticThreshold(judgementOf, level);
}
