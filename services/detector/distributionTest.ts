import { likelihoodRatioTest } from '../shared/statistics/likelihoodRatioTest.ts';
import { overdispersion } from '../shared/statistics/overdispersion.ts';
import { type Comparison, pooledCounts } from './comparison.ts';
import type { FrozenVariable } from './frozenVariable.ts';

export interface DistributionTest {
  statistic: number;
  degreesOfFreedom: number;
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
 * Whether the valid values of a variable are distributed as in the reference: `likelihoodRatioTest`.
 *
 * @param worthLearning over-dispersion is at least 1 and only makes p larger, so it is learned from the reference only
 *   where the p-value for independent records is below this; 1 to learn it always
 * @returns null when the variable has no counts on one side
 */
export function distributionTest(
  comparison: Comparison,
  key: string,
  frozen: FrozenVariable,
  worthLearning: number,
): DistributionTest | null {
  const recentSums = comparison.recent.variables.get(key);
  const referenceSums = comparison.reference.variables.get(key);
  if (!recentSums || !referenceSums || referenceSums.blocks === 0) return null;
  return testCounts(
    validCounts(frozen, referenceSums.counts),
    validCounts(frozen, recentSums.counts),
    worthLearning,
    () =>
      pooledCounts(comparison.referenceBlocks, comparison.scale, block => {
        const counted = block.variables.get(key);
        return counted ? validCounts(frozen, counted.counts) : null;
      }),
  );
}

export function testCounts(
  referenceCounts: number[],
  recentCounts: number[],
  worthLearning: number,
  referenceBlocks: () => number[][],
): DistributionTest {
  const independent = likelihoodRatioTest(referenceCounts, recentCounts, 1);
  if (independent.pValue > worthLearning) return { ...independent, overdispersion: 1, recentCounts, referenceCounts };
  const learned = overdispersion(referenceBlocks());
  const test = learned === 1 ? independent : likelihoodRatioTest(referenceCounts, recentCounts, learned);
  return { ...test, overdispersion: learned, recentCounts, referenceCounts };
}
