import { effectiveCount } from '../../shared/statistics/effectiveCount.ts';
import { likelihoodRatioTest } from '../../shared/statistics/likelihoodRatioTest.ts';
import type { WindowPerformance } from '../blocks/windowObservation.ts';
import type { Comparison } from '../reference/comparison.ts';

/**
 * Returns an upper bound of the share of labelled predictions that changed, computed from the
 * frequency of each predicted class; 0 for numbers. The total variation is at most half the root of
 * the chi-squared distance (Cauchy-Schwarz). That distance is here G minus its degrees of freedom,
 * divided by the effective number of records of the comparison.
 */
export function changedShareOf({
  reference: { performance: before },
  recent: { performance: now },
}: Pick<Comparison, 'reference' | 'recent'>): number {
  if (!before || !now) return 0;
  const names = [...new Set([...before.predictedCounts.keys(), ...now.predictedCounts.keys()])];
  if (names.length < 2) return 0;
  const countsOf = ({ predictedCounts }: WindowPerformance) =>
    names.map(name => predictedCounts.get(name) ?? 0);
  const { statistic, degreesOfFreedom } = likelihoodRatioTest(countsOf(before), countsOf(now));
  const size = effectiveCount(before.labelled, now.labelled);
  return Math.sqrt(Math.max(0, statistic - degreesOfFreedom) / size) / 2;
}
