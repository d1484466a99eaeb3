import { benjaminiHochberg } from '../../shared/statistics/benjaminiHochberg.ts';
import type { VariableKind } from '../blocks/windowObservation.ts';
import type { Comparison } from '../reference/comparison.ts';
import type { FamilyName } from '../significance/family.ts';
import { hasKind } from './distributionFamily.ts';
import { type Evidence, evidenceOf, shares } from './evidence.ts';
import { type QualityTest, qualityTests } from './qualityTests.ts';
import type { FamilyContext, FamilyResult, TestFamily } from './testFamily.ts';
import { correctedLevel, type TestResult } from './testResult.ts';

const maxNamedDefects = 4;

const rates = {
  missing_rate: 'share of the records in which the value is missing',
  wrong_type_rate: 'share of the records in which the value has the wrong type',
  non_finite_rate: 'share of the records in which the value is NaN or infinite',
  out_of_range_rate:
    'share of the records in which a number lies far outside the range of the reference',
};

/** Tests whether the inputs are broken more often than before. */
export const dataQualityFamily: TestFamily = {
  name: 'data_quality',
  question:
    'Are features missing, of the wrong type, not finite, never seen before, absurd or stuck more often than before?',
  metrics: {
    ...rates,
    unseen_rate:
      'share of the records with a category that the reference never had, or with a feature that it never had',
    constant_records:
      'number of records of one window that all had the same value (a stuck sensor)',
  },
  cause: 'data_quality',
  keepsHistory: false,
  hasData: (comparison, options) =>
    hasKind(options, 'feature') ||
    (options.newFeaturesMatter && comparison.recent.unknownFeatures.size > 0),
  test: (comparison, context) => testQuality('data_quality', 'feature', comparison, context),
};

/** Tests whether the outputs are broken more often than before. */
export const outputQualityFamily: TestFamily = {
  name: 'output_quality',
  question:
    'Are outputs missing, of the wrong type, not finite, never seen before, absurd or stuck more often than before, or is a class no longer predicted?',
  metrics: {
    ...rates,
    unseen_rate: 'share of the records with a class that the reference never had',
    vanished_rate: 'share that a class had in the reference that is no longer predicted',
    constant_records: 'number of records of one window that all had the same output',
  },
  cause: 'data_quality',
  keepsHistory: false,
  hasData: (_, options) => hasKind(options, 'output'),
  test: (comparison, context) => testQuality('output_quality', 'output', comparison, context),
};

/**
 * Tests every defect of every variable of a kind, by Benjamini and Hochberg's rule at the level of
 * the family.
 */
function testQuality(
  family: FamilyName,
  kind: VariableKind,
  comparison: Comparison,
  { stream, level, options }: FamilyContext,
): FamilyResult {
  const tests = qualityTests(comparison, kind, stream, level, options);
  const changed = changedTests(tests, level);
  const resultOf = (test: QualityTest): TestResult => {
    const isChanged = changed.includes(test);
    const ofTest = correctedLevel(level, changed.length, tests.length, isChanged);
    const { scale } = comparison;
    const judged = { family, kind, scale, familyLevel: level, level: ofTest, changed: isChanged };
    return qualityResult(test, judged);
  };
  const reported = tests.filter(({ isReported }) => isReported);
  return {
    results: reported.map(resultOf),
    measured: new Map(),
    logPValue: 0,
    evidence: changed.length > 0 ? evidenceOfDefects(changed, resultOf) : null,
  };
}

/** Returns the result of a test of defects, with how it was judged. */
export function qualityResult(
  test: QualityTest,
  judged: Pick<TestResult, 'family' | 'kind' | 'scale' | 'familyLevel' | 'level' | 'changed'>,
): TestResult {
  return {
    ...judged,
    feature: test.feature,
    metric: test.metric,
    value: test.value,
    referenceValue: test.referenceValue,
    records: test.records,
    referenceRecords: test.referenceRecords,
    cycle: null,
    noiseWeight: test.noiseWeight,
    logPValue: test.notable?.logPValue ?? 0,
    detail: () => test.detail(judged.level),
  };
}

function changedTests(tests: readonly QualityTest[], level: number): QualityTest[] {
  const notable = tests.filter(test => test.notable !== null);
  const pValues = notable.map(({ notable }) => Math.exp(notable!.logPValue));
  if (!pValues.some(pValue => pValue <= level)) return [];
  const others = new Array<number>(tests.length - pValues.length).fill(1);
  const adjusted = benjaminiHochberg([...pValues, ...others]);
  return notable.filter((_, index) => adjusted[index]! <= level);
}

function evidenceOfDefects(
  changed: readonly QualityTest[],
  resultOf: (test: QualityTest) => TestResult,
): Evidence {
  const ranked = changed.toSorted(
    (left, right) =>
      right.notable!.increase - left.notable!.increase || (left.feature < right.feature ? -1 : 1),
  );
  const increases = new Map<string, number>();
  for (const { feature, notable } of ranked)
    increases.set(feature, (increases.get(feature) ?? 0) + notable!.increase);
  return evidenceOf(resultOf(ranked[0]!), {
    excess: ranked[0]!.notable!.increase,
    large: ranked.some(({ notable }) => notable!.large),
    contributions: shares([...increases]),
    ...described(ranked),
  });
}

function described(ranked: readonly QualityTest[]): Pick<Evidence, 'summary' | 'values'> {
  const defects = ranked.map(({ notable }) => notable!.describe());
  return { summary: summaryOf(defects), values: defects.flatMap(({ values }) => values) };
}

function summaryOf(defects: readonly { summary: string }[]): string {
  const named = defects.slice(0, maxNamedDefects).map(({ summary }) => summary);
  const others = defects.length - named.length;
  return `${named.join(', ')}${others > 0 ? `, and ${others} more` : ''}`;
}
