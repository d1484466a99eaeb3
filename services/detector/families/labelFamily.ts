import { likelihoodRatioTest } from '../../shared/statistics/likelihoodRatioTest.ts';
import { populationStabilityIndex } from '../../shared/statistics/populationStabilityIndex.ts';
import { type Comparison, minimumReferenceBlocks } from '../reference/comparison.ts';
import { earlierRecords, type TestSignificance } from '../significance/bestTest.ts';
import { labelsKey } from '../significance/streamHistory.ts';
import type { StreamSignificance } from '../significance/streamSignificance.ts';
import { levelOfFamily } from '../significance/tailHistory.ts';
import { largePopulationStabilityIndex } from './distributionFamily.ts';
import { type DistributionTest, distributionThreshold, testCounts } from './distributionTest.ts';
import { type Evidence, shown } from './evidence.ts';
import type { FamilyResult } from './familyResult.ts';

/** Whether the labels are classes, and the reference has enough of them. */
export function hasLabels({ reference }: Comparison): boolean {
  return (
    reference.labelledBlocks >= minimumReferenceBlocks &&
    (reference.performance?.labelCounts.size ?? 0) > 0
  );
}

/** Whether labels are distributed as in the reference; null when there are too few. */
export function labelTest(
  comparison: Comparison,
  minimumRecords: number,
  significance: TestSignificance,
): DistributionTest | null {
  const recent = comparison.recent.performance;
  const reference = comparison.reference.performance;
  if (!hasLabels(comparison) || !recent || !reference || recent.labelled < minimumRecords)
    return null;
  const labels = [
    ...new Set([...reference.labelCounts.keys(), ...recent.labelCounts.keys()]),
  ].sort();
  const vector = (counts: ReadonlyMap<string, number>) =>
    labels.map(label => counts.get(label) ?? 0);
  return testCounts(
    comparison,
    vector(recent.labelCounts),
    significance,
    likelihoodRatioTest,
    reference => {
      const performance = reference.performance();
      return performance && vector(performance.labelCounts);
    },
  );
}

/** Did the distribution of the labels change? */
export function testLabels(
  comparison: Comparison,
  minimumRecords: number,
  stream: StreamSignificance,
  level: number,
): FamilyResult | null {
  const { scale } = comparison;
  const significance = stream.of(labelsKey);
  const test = labelTest(comparison, minimumRecords, significance);
  if (!test) return null;
  const needed = levelOfFamily(
    stream.tail('labels', scale),
    scale,
    significance.noiseWeight,
    level,
  );
  return {
    family: 'labels',
    tests: new Map([[labelsKey, test.measured]]),
    logPValue: test.logPValue,
    evidence: test.pValue <= needed ? evidenceOf(comparison, test, needed) : null,
  };
}

function evidenceOf(comparison: Comparison, test: DistributionTest, level: number): Evidence {
  const index = populationStabilityIndex(test.referenceCounts, test.recentCounts);
  const threshold = distributionThreshold(test, level);
  return {
    family: 'labels',
    scale: comparison.scale,
    feature: null,
    metric: 'likelihood_ratio',
    value: test.statistic,
    threshold,
    pValue: test.pValue,
    logPValue: test.logPValue,
    records: test.records,
    referenceRecords: Math.round(test.referenceRecords),
    large: index >= largePopulationStabilityIndex,
    contributions: {},
    predictionContributions: {},
    statement:
      `the labels changed (likelihood ratio ${shown(test.statistic)}, threshold ${shown(threshold)}, ` +
      `p ${shown(test.pValue)}, dispersion ${shown(test.overdispersion)}; ${test.records} labels against ${earlierRecords(test)})`,
  };
}
