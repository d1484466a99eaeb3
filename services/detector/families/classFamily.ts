import { mostFrequentFirst } from '../../shared/mostFrequentFirst.ts';
import { benjaminiHochberg } from '../../shared/statistics/benjaminiHochberg.ts';
import { cohensH } from '../../shared/statistics/cohensH.ts';
import { type Comparison, minReferenceBlocks } from '../reference/comparison.ts';
import { statisticThreshold } from '../significance/statisticThreshold.ts';
import { classKey } from '../significance/streamHistory.ts';
import type { StreamNullModel } from '../significance/streamNullModel.ts';
import { levelOfFamily } from '../significance/tailHistory.ts';
import {
  type ClassRate,
  type ClassStatistic,
  classRate,
  classStatistic,
  fallenRate,
  minReferenceOfClass,
} from './classStatistic.ts';
import { type Evidence, evidenceOf, percent, quoted, shares } from './evidence.ts';
import type { FamilyContext, FamilyResult, TestFamily } from './testFamily.ts';
import { correctedLevel, type TestResult } from './testResult.ts';

/** Of more classes only the most frequent ones are tested. */
const maxClasses = 10;
const rates: readonly ClassRate[] = ['recall', 'precision'];

/** What is reported of a rate, so that more is worse. */
const classMetrics: Readonly<Record<ClassRate, string>> = {
  recall: 'false_negative_rate',
  precision: 'false_discovery_rate',
};

/** Returns the rate that a metric of the family is about. */
export function rateOfMetric(metric: string): ClassRate {
  return rates.find(rate => classMetrics[rate] === metric)!;
}

/** Tests whether the model became worse for one of the classes, however rare that is. */
export const classFamily: TestFamily = {
  name: 'class_error',
  question: 'Is a class found less often, or are its predictions right less often?',
  metrics: {
    false_negative_rate:
      'share of the labels of a class that were predicted as another: 1 − recall',
    false_discovery_rate: 'share of the predictions of a class that were wrong: 1 − precision',
  },
  cause: 'concept_drift',
  keepsHistory: true,
  hasData: ({ reference }) =>
    reference.labelledBlocks >= minReferenceBlocks && testedClasses(reference).length > 0,
  test: testClasses,
};

/** Returns the most frequent classes that the labels of the reference have often enough. */
function testedClasses({ performance }: Comparison['reference']): string[] {
  if (!performance || performance.predictedCounts.size === 0) return [];
  return mostFrequentFirst(performance.labelCounts)
    .filter(([, count]) => count >= minReferenceOfClass)
    .slice(0, maxClasses)
    .map(([name]) => name);
}

interface TestedRate {
  name: string;
  rate: ClassRate;
  test: ClassStatistic;
  noiseWeight: number;
}

function testClasses(
  comparison: Comparison,
  { stream, level }: FamilyContext,
): FamilyResult | null {
  const tested = testedRates(comparison, stream);
  if (tested.length === 0) return null;
  const adjusted = benjaminiHochberg(tested.map(({ test }) => test.pValue));
  const leading = tested.reduce(stronger);
  const { scale } = comparison;
  const tail = stream.tail(classFamily.name, scale);
  const familyLevel = levelOfFamily(tail, scale, leading.noiseWeight, level);
  const changed = tested.filter((_, index) => adjusted[index]! <= familyLevel);
  const results = new Map(
    tested.map(one => {
      const isChanged = changed.includes(one);
      const ofTest = correctedLevel(familyLevel, changed.length, tested.length, isChanged);
      return [one, resultOf(one, comparison, isChanged, familyLevel, ofTest)] as const;
    }),
  );
  return {
    results: [...results.values()],
    measured: new Map(
      tested.map(({ name, rate, test }) => [classKey(rate, name), test.measured] as const),
    ),
    logPValue: Math.max(leading.test.logPValue, Math.log(Math.min(...adjusted))),
    evidence: changed.length > 0 ? evidenceOfClasses(changed, results, comparison) : null,
  };
}

function testedRates(comparison: Comparison, stream: StreamNullModel): TestedRate[] {
  return testedClasses(comparison.reference).flatMap(name =>
    rates.flatMap(rate => {
      const significance = stream.of(classKey(rate, name));
      const test = classStatistic(comparison, name, rate, significance);
      return test ? [{ name, rate, test, noiseWeight: significance.noiseWeight }] : [];
    }),
  );
}

function stronger(left: TestedRate, right: TestedRate): TestedRate {
  return right.test.logPValue < left.test.logPValue ? right : left;
}

function resultOf(
  { name, rate, test, noiseWeight }: TestedRate,
  { scale }: Comparison,
  changed: boolean,
  familyLevel: number,
  level: number,
): TestResult {
  return {
    family: classFamily.name,
    kind: 'performance',
    feature: name,
    metric: classMetrics[rate],
    scale,
    value: 1 - test.value,
    referenceValue: 1 - test.referenceValue,
    records: test.records,
    referenceRecords: Math.round(test.referenceRecords),
    cycle: test.cycle,
    noiseWeight,
    familyLevel,
    level,
    changed,
    logPValue: test.logPValue,
    detail: () => ({
      pValue: test.pValue,
      threshold:
        1 - fallenRate(test.referenceValue, statisticThreshold(test.judgementOf, level), test.size),
      overdispersion: test.overdispersion,
    }),
  };
}

function evidenceOfClasses(
  changed: readonly TestedRate[],
  results: ReadonlyMap<TestedRate, TestResult>,
  { recent }: Comparison,
): Evidence {
  const leading = changed.reduce(stronger);
  const { name, rate, test } = leading;
  const { total } = classRate(recent.performance!, name, 'recall');
  // Share of all records that changed from right to wrong.
  const rise = ((test.referenceValue - test.value) * total) / recent.performance!.labelled;
  return evidenceOf(results.get(leading)!, {
    contributions: shares(changed.map(one => [one.name, one.test.referenceValue - one.test.value])),
    effect: cohensH(test.value, test.referenceValue),
    large: true,
    excess: rise,
    rise,
    summary:
      `the ${rate} of class ${quoted(name)} fell from ${percent(test.referenceValue)} ` +
      `to ${percent(test.value)}`,
  });
}
