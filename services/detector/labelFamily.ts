import { sum } from 'simple-statistics';
import { populationStabilityIndex } from '../shared/statistics/populationStabilityIndex.ts';
import { chiSquaredThreshold } from './chiSquaredThreshold.ts';
import { type Comparison, minimumReferenceBlocks, pooledCounts } from './comparison.ts';
import { largePopulationStabilityIndex } from './distributionFamily.ts';
import { type DistributionTest, testCounts } from './distributionTest.ts';
import { type Evidence, shown } from './evidence.ts';

/** Whether the labels are classes, and the reference has enough of them. */
export function hasLabels({ reference }: Comparison): boolean {
  return reference.labelledBlocks >= minimumReferenceBlocks && (reference.performance?.labelCounts.size ?? 0) > 0;
}

/** Whether labels are distributed as in the reference; null when there are too few. */
export function labelTest(
  comparison: Comparison,
  minimumRecords: number,
  worthLearning: number,
): DistributionTest | null {
  const recent = comparison.recent.performance;
  const reference = comparison.reference.performance;
  if (!hasLabels(comparison) || !recent || !reference || recent.labelled < minimumRecords) return null;
  const labels = [...new Set([...reference.labelCounts.keys(), ...recent.labelCounts.keys()])].sort();
  const vector = (counts: ReadonlyMap<string, number>) => labels.map(label => counts.get(label) ?? 0);
  return testCounts(vector(reference.labelCounts), vector(recent.labelCounts), worthLearning, () =>
    pooledCounts(comparison.referenceBlocks, comparison.scale, block =>
      block.performance && block.performance.labelled > 0 ? vector(block.performance.labelCounts) : null,
    ),
  );
}

/** Did the distribution of the labels change? */
export function labelEvidence(comparison: Comparison, minimumRecords: number, level: number): Evidence | null {
  const test = labelTest(comparison, minimumRecords, level);
  if (!test || test.pValue > level) return null;
  const index = populationStabilityIndex(test.referenceCounts, test.recentCounts);
  const threshold = chiSquaredThreshold(test.degreesOfFreedom, level);
  const records = sum(test.recentCounts);
  const referenceRecords = sum(test.referenceCounts);
  return {
    family: 'labels',
    scale: comparison.scale,
    feature: null,
    metric: 'likelihood_ratio',
    value: test.statistic,
    threshold,
    pValue: test.pValue,
    logPValue: test.logPValue,
    records,
    referenceRecords,
    large: index >= largePopulationStabilityIndex,
    contributions: {},
    statement:
      `the labels changed (likelihood ratio ${shown(test.statistic)}, threshold ${shown(threshold)}, ` +
      `p ${shown(test.pValue)}; ${records} labels against ${referenceRecords})`,
  };
}
