import { likelihoodRatioTest } from '../../shared/statistics/likelihoodRatioTest.ts';
import { populationStabilityIndex } from '../../shared/statistics/populationStabilityIndex.ts';
import { totalVariation } from '../../shared/statistics/totalVariation.ts';
import { type Comparison, minReferenceBlocks } from '../reference/comparison.ts';
import { labelsKey } from '../significance/streamHistory.ts';
import { levelOfFamily } from '../significance/tailHistory.ts';
import type { TestNullModel } from '../significance/testBestReference.ts';
import { changedLabels } from './changedValues.ts';
import { excessIndexOf, largePopulationStabilityIndex } from './distributionFamily.ts';
import { type DistributionStatistic, detailOf, testCounts } from './distributionStatistic.ts';
import { type Evidence, evidenceOf, quoted } from './evidence.ts';
import { shiftStatement } from './largestShift.ts';
import { type MinimumEffect, minimumEffectOf } from './minimumEffect.ts';
import { performanceResult } from './performanceResult.ts';
import type { FamilyContext, FamilyResult, TestFamily } from './testFamily.ts';
import type { TestResult } from './testResult.ts';
import { valuesStatement } from './valuesStatement.ts';

/** Tests whether the distribution of the labels changed. */
export const labelsFamily: TestFamily = {
  name: 'labels',
  question: 'Did the distribution of the labels change?',
  metrics: {
    likelihood_ratio: 'likelihood ratio G of how often each class occurs among the labels',
  },
  cause: 'concept_drift',
  keepsHistory: true,
  hasData: hasLabels,
  test: testLabels,
};

/** Returns whether the labels are classes and the reference has enough of them. */
function hasLabels({ reference }: Comparison): boolean {
  return (
    reference.labelledBlocks >= minReferenceBlocks &&
    (reference.performance?.labelCounts.size ?? 0) > 0
  );
}

function testLabels(
  comparison: Comparison,
  { stream, level, options }: FamilyContext,
): FamilyResult | null {
  const { scale } = comparison;
  const significance = stream.of(labelsKey);
  const test = labelStatistic(comparison, options.detection.minimumRecords, significance);
  if (!test) return null;
  const { noiseWeight } = significance;
  const familyLevel = levelOfFamily(stream.tail('labels', scale), scale, noiseWeight, level);
  const result = performanceResult(test, {
    family: 'labels',
    metric: 'likelihood_ratio',
    scale,
    value: test.statistic,
    referenceValue: null,
    noiseWeight,
    familyLevel,
    detail: () => detailOf(test, familyLevel),
  });
  return {
    results: [result],
    measured: new Map([[labelsKey, test.measured]]),
    logPValue: test.logPValue,
    evidence: result.changed
      ? evidenceOfLabels(comparison, test, result, minimumEffectOf(options.detection))
      : null,
  };
}

/**
 * Tests whether labels are distributed as in the reference. Returns null if there are too few
 * labels.
 */
function labelStatistic(
  comparison: Comparison,
  minimumRecords: number,
  significance: TestNullModel,
): DistributionStatistic | null {
  const recent = comparison.recent.performance;
  const reference = comparison.reference.performance;
  if (!hasLabels(comparison) || !recent || !reference || recent.labelled < minimumRecords)
    return null;
  const labels = labelsOf(comparison);
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

function labelsOf({ reference, recent }: Comparison): string[] {
  const labels = [reference, recent].flatMap(({ performance }) => [
    ...(performance?.labelCounts.keys() ?? []),
  ]);
  return [...new Set(labels)].sort();
}

function evidenceOfLabels(
  comparison: Comparison,
  test: DistributionStatistic,
  result: TestResult,
  { psi }: MinimumEffect,
): Evidence {
  const { referenceCounts, recentCounts } = test;
  const index = populationStabilityIndex(referenceCounts, recentCounts);
  const labels = labelsOf(comparison);
  const shift = shiftStatement(referenceCounts, recentCounts, bin => quoted(labels[bin]!));
  const values = changedLabels(comparison);
  const about = { name: null, unit: 'labels' as const, nameOf: quoted };
  const newShare = values.reduce((total, { share }) => total + share, 0);
  const named = valuesStatement(values, { ...about, newShare });
  return evidenceOf(result, {
    effect: index,
    small: excessIndexOf(test) < psi,
    excess: totalVariation(referenceCounts, recentCounts),
    large: index >= largePopulationStabilityIndex,
    values,
    summary: `the labels have another distribution: ${named || `${shift} of the labels`}`,
  });
}
