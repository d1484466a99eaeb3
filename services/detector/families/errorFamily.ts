import { cohensH } from '../../shared/statistics/cohensH.ts';
import { type Comparison, minReferenceBlocks } from '../reference/comparison.ts';
import { errorKey } from '../significance/streamHistory.ts';
import { levelOfFamily } from '../significance/tailHistory.ts';
import { type ErrorStatistic, errorStatistic, errorThreshold } from './errorStatistic.ts';
import { type Evidence, evidenceOf, percent, shown } from './evidence.ts';
import { performanceResult } from './performanceResult.ts';
import type { FamilyContext, FamilyResult, TestFamily } from './testFamily.ts';
import type { TestResult } from './testResult.ts';

/** Tests whether the model became worse by enough to matter. */
export const errorFamily: TestFamily = {
  name: 'error',
  question: 'Has the model become worse, by more than is too small to matter?',
  metrics: { error: 'error rate of classes, or mean absolute error of numbers' },
  cause: 'concept_drift',
  keepsHistory: true,
  hasData: hasErrors,
  test: testErrors,
};

/** Returns whether the reference has enough labelled predictions. */
function hasErrors({ reference }: Comparison): boolean {
  return reference.labelledBlocks >= minReferenceBlocks && reference.performance !== null;
}

function testErrors(
  comparison: Comparison,
  { stream, level, options }: FamilyContext,
): FamilyResult | null {
  if (!hasErrors(comparison)) return null;
  const { scale } = comparison;
  const significance = stream.of(errorKey);
  const test = errorStatistic(comparison, options.detection, significance);
  if (!test) return null;
  const { noiseWeight } = significance;
  const familyLevel = levelOfFamily(stream.tail('error', scale), scale, noiseWeight, level);
  const result = performanceResult(test, {
    family: 'error',
    metric: 'error',
    scale,
    value: test.value,
    referenceValue: test.referenceValue,
    noiseWeight,
    familyLevel,
    detail: () => ({
      pValue: test.pValue,
      threshold: errorThreshold(test, familyLevel),
      overdispersion: test.overdispersion,
    }),
  });
  return {
    results: [result],
    measured: new Map([[errorKey, test.measured]]),
    logPValue: test.logPValue,
    evidence: result.changed ? evidenceOfErrors(comparison, test, result) : null,
  };
}

function evidenceOfErrors(
  comparison: Comparison,
  { value, referenceValue }: ErrorStatistic,
  result: TestResult,
): Evidence {
  const isRegression = comparison.recent.performance!.task === 'regression';
  const text = (loss: number) => (isRegression ? shown(loss) : percent(loss));
  const name = isRegression ? 'mean absolute error' : 'error rate';
  return evidenceOf(result, {
    ...(!isRegression && { effect: cohensH(referenceValue, value) }),
    large: true,
    excess: value - referenceValue,
    rise: isRegression ? Number.POSITIVE_INFINITY : value - referenceValue,
    summary: `the ${name} rose from ${text(referenceValue)} to ${text(value)}`,
  });
}
