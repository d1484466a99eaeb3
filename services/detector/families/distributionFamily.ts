import { totalCount, unseenBin } from '../../shared/bins/countVector.ts';
import type { ChangedValue } from '../../shared/contracts.ts';
import { benjaminiHochberg } from '../../shared/statistics/benjaminiHochberg.ts';
import { jensenShannonDistance } from '../../shared/statistics/jensenShannonDistance.ts';
import { populationStabilityIndex } from '../../shared/statistics/populationStabilityIndex.ts';
import { totalVariation } from '../../shared/statistics/totalVariation.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import { valueNames } from '../blocks/valueNames.ts';
import type { VariableKind } from '../blocks/windowObservation.ts';
import type { Comparison } from '../reference/comparison.ts';
import type { FamilyName } from '../significance/family.ts';
import { type TestKey, trendKey } from '../significance/streamHistory.ts';
import type { StreamNullModel } from '../significance/streamNullModel.ts';
import { levelOfFamily } from '../significance/tailHistory.ts';
import type { Measured } from '../significance/testBestReference.ts';
import { changedValuesOf } from './changedValues.ts';
import {
  type DistributionStatistic,
  detailOf,
  distributionStatistic,
  trendStatistic,
} from './distributionStatistic.ts';
import { type Evidence, evidenceOf, shares } from './evidence.ts';
import { largestShift } from './largestShift.ts';
import { minimumEffectOf } from './minimumEffect.ts';
import { movementStatement, predictionContributions } from './outputMovement.ts';
import type { FamilyContext, FamilyResult, TestFamily, TestOptions } from './testFamily.ts';
import { correctedLevel, type TestResult } from './testResult.ts';
import { valuesStatement, writtenValue } from './valuesStatement.ts';

/** "Major shift" by the convention of credit scoring (Siddiqi, "Credit Risk Scorecards", 2006). */
export const largePopulationStabilityIndex = 0.25;

const metrics = {
  likelihood_ratio: 'likelihood ratio G of the valid values in the bins of the reference',
  likelihood_ratio_trend: 'likelihood ratio of a trend: numbers lie higher or lower than before',
};

/** Tests whether the distributions of the features changed. */
export const featuresFamily: TestFamily = {
  name: 'features',
  question: 'Did the distributions of the features change?',
  metrics,
  cause: 'data_drift',
  keepsHistory: true,
  hasData: (_, options) => hasKind(options, 'feature'),
  test: (comparison, context) => testDistributions('features', 'feature', comparison, context),
};

/** Tests whether the distributions of the outputs changed. */
export const predictionsFamily: TestFamily = {
  name: 'predictions',
  question: 'Did the distributions of the predictions and scores change?',
  metrics,
  cause: 'prediction_drift',
  keepsHistory: true,
  hasData: (_, options) => hasKind(options, 'output'),
  test: (comparison, context) => testDistributions('predictions', 'output', comparison, context),
};

export function hasKind({ frozen }: TestOptions, kind: VariableKind): boolean {
  return [...frozen.values()].some(variable => variable.kind === kind);
}

/** A variable with the one or two tests that are possible for it in a comparison. */
interface TestedVariable {
  /** Key of the variable, as `variableKey` returns it. */
  key: string;
  variable: FrozenVariable;
  tests: readonly VariableTest[];
}

interface VariableTest {
  metric: keyof typeof metrics;
  test: DistributionStatistic;
  noiseWeight: number;
}

const testsOfVariable = [
  {
    metric: 'likelihood_ratio',
    historyKey: (variable: string) => variable,
    testOf: distributionStatistic,
  },
  { metric: 'likelihood_ratio_trend', historyKey: trendKey, testOf: trendStatistic },
] as const;

/**
 * Tests the distributions of all variables of a kind, by Simes at the family's level. The family
 * says "changed" when the i-th smallest of d p-values is at most level · i / d for some i. That is
 * the case exactly when Benjamini and Hochberg's smallest adjusted p-value is at most the level.
 * The p-value of a variable with two tests is twice the smaller one (Bonferroni).
 */
function testDistributions(
  family: FamilyName,
  kind: VariableKind,
  comparison: Comparison,
  { stream, level, options }: FamilyContext,
): FamilyResult | null {
  const { tested, measured } = testVariables(comparison, options.frozen, kind, stream);
  if (tested.length === 0) return null;
  const strongest = tested.map(({ tests }) => tests.reduce(stronger));
  const pValues = strongest.map(({ test }, index) =>
    Math.min(1, test.pValue * tested[index]!.tests.length),
  );
  const adjusted = benjaminiHochberg(pValues);
  const tail = stream.tail(family, comparison.scale);
  const { test: leading, noiseWeight } = strongest.reduce(stronger);
  const familyLevel = levelOfFamily(tail, comparison.scale, noiseWeight, level);
  const changed = tested.filter((_, index) => adjusted[index]! <= familyLevel);
  const resultsOf = (one: TestedVariable): VariableResults => {
    const isChanged = changed.includes(one);
    const ofVariable = correctedLevel(familyLevel, changed.length, tested.length, isChanged);
    const level = ofVariable / one.tests.length;
    const shared = { family, kind, comparison, familyLevel, level };
    const leader = one.tests.reduce(stronger);
    const results = one.tests.map(test => {
      const says = isChanged && (test === leader || test.test.pValue <= level);
      return resultOf(test, one.variable, says, shared);
    });
    return { ...one, results };
  };
  const variables = tested.map(resultsOf);
  return {
    results: variables.flatMap(({ results }) => results),
    measured,
    logPValue: Math.max(leading.logPValue, Math.log(Math.min(...adjusted))),
    evidence:
      changed.length > 0
        ? evidenceOfChanged(
            comparison,
            variables.filter((_, index) => changed.includes(tested[index]!)),
            kind,
            options,
          )
        : null,
  };
}

/**
 * Returns the variables of a kind for which there are enough records, with their measurements.
 * Whether there are enough depends on how often each value occurs in both samples together, not on
 * how the samples differ. So the other variables need not count as tests (Tarone, Biometrics 46(2),
 * 1990).
 */
function testVariables(
  comparison: Comparison,
  frozen: ReadonlyMap<string, FrozenVariable>,
  kind: VariableKind,
  stream: StreamNullModel,
): { tested: TestedVariable[]; measured: Map<TestKey, Measured> } {
  const tested: TestedVariable[] = [];
  const measured = new Map<TestKey, Measured>();
  for (const [key, variable] of frozen) {
    if (variable.kind !== kind) continue;
    const tests: VariableTest[] = [];
    for (const { metric, historyKey, testOf } of testsOfVariable) {
      const testKey = historyKey(key);
      const significance = stream.of(testKey);
      const test = testOf(comparison, key, variable, significance);
      if (!test) continue;
      measured.set(testKey, test.measured);
      const { noiseWeight } = significance;
      // The values of an ordered stream go up and down anyway, so a trend says nothing there.
      const decides = metric === 'likelihood_ratio' || noiseWeight >= 0.5;
      if (decides && test.degreesOfFreedom > 0) tests.push({ metric, test, noiseWeight });
    }
    if (tests.length > 0) tested.push({ key, variable, tests });
  }
  return { tested, measured };
}

/** Returns the one of two tests that shows the change better. */
function stronger<T extends VariableTest>(left: T, right: T): T {
  return right.test.logPValue < left.test.logPValue ? right : left;
}

interface VariableResults extends TestedVariable {
  /** Results of the tests, in the order of `tests`. */
  results: TestResult[];
}

function resultOf(
  { metric, test, noiseWeight }: VariableTest,
  { name }: FrozenVariable,
  changed: boolean,
  shared: {
    family: FamilyName;
    kind: VariableKind;
    comparison: Comparison;
    familyLevel: number;
    level: number;
  },
): TestResult {
  const { family, kind, comparison, familyLevel, level } = shared;
  return {
    family,
    kind,
    feature: name,
    metric,
    scale: comparison.scale,
    value: test.statistic,
    referenceValue: null,
    records: test.records,
    referenceRecords: Math.round(test.referenceRecords),
    cycle: test.cycle,
    noiseWeight,
    familyLevel,
    level,
    changed,
    logPValue: test.logPValue,
    detail: () => detailOf(test, level),
  };
}

function evidenceOfChanged(
  comparison: Comparison,
  changed: readonly VariableResults[],
  kind: VariableKind,
  { frozen, outputModel, detection }: TestOptions,
): Evidence {
  const ranked = changed
    .map(one => ({ ...one, test: one.tests.reduce(stronger).test }))
    .map(one => ({ ...one, effect: effectOf(one.test), index: excessIndexOf(one.test) }));
  ranked.sort(
    (left, right) =>
      right.effect - left.effect || (left.variable.name < right.variable.name ? -1 : 1),
  );
  const { variable, tests, results, test } = ranked[0]!;
  const { psi, psiOfNumber } = minimumEffectOf(detection);
  const floors = { numeric: psiOfNumber, categorical: psi };
  const isKnown = (one: FrozenVariable) => one.kind === kind && !one.moving;
  const known = [...frozen.values()].filter(isKnown).length;
  const margins = ranked.map(({ key, variable: { name }, test }) => ({ key, name, ...test }));
  const model = kind === 'feature' ? outputModel : null;
  const movements = model ? predictionContributions(model, margins) : {};
  const movement = model ? movementStatement(model, movements, changed.length) : '';
  const values = ranked.map(one => changedValuesOf(comparison, one.key, one.variable));
  const shift = shiftOf(variable, test, values[0]!);
  // Scores become more extreme while a model learns, so only the predictions show whether a change
  // of the outputs is large.
  const answer = ranked.find(({ variable: { name } }) => name === 'prediction');
  const decisive = kind === 'output' ? answer?.test : test;
  const deciding = results[tests.indexOf(tests.reduce(stronger))]!;
  return evidenceOf(deciding, {
    excess: totalVariation(test.referenceCounts, test.recentCounts),
    effect: Math.max(...ranked.map(({ index }) => index)),
    small: ranked.every(({ variable: { type }, index }) => index < floors[type]),
    large: decisive !== undefined && stabilityIndexOf(decisive) >= largePopulationStabilityIndex,
    contributions: shares(ranked.map(({ variable: { name }, effect }) => [name, effect])),
    predictionContributions: movements,
    values: values.flat(),
    summary:
      `${changed.length} of ${known} ${kind}s ${changed.length === 1 ? 'has' : 'have'} another distribution, ` +
      `most of all ${shift}${movement}`,
  });
}

/** Describes how a variable changed most: by its values that are new or gone, or by a shift. */
function shiftOf(
  variable: FrozenVariable,
  test: DistributionStatistic,
  values: readonly ChangedValue[],
): string {
  const { referenceCounts, recentCounts } = test;
  const { name, bins, binCount } = variable;
  const shift = largestShift(variable, referenceCounts, recentCounts);
  const index = `(PSI ${shownIndex(test)})`;
  if (values.length === 0) return `${name}: ${shift.statement} ${index}`;
  const newShare = recentCounts[unseenBin(binCount)]! / totalCount(recentCounts);
  const about = { name: null, unit: 'records' as const, newShare, nameOf: writtenValue(bins) };
  const statement = valuesStatement(values, about);
  const isNamed =
    shift.bin === unseenBin(binCount) ||
    values.some(({ value }) => value === valueNames(variable)[shift.bin]);
  return `${name} ${index}: ${isNamed ? '' : `${shift.statement}, `}${statement}`;
}

function effectOf({ referenceCounts, recentCounts }: DistributionStatistic): number {
  return jensenShannonDistance(referenceCounts, recentCounts) ** 2;
}

function stabilityIndexOf({ referenceCounts, recentCounts }: DistributionStatistic): number {
  return populationStabilityIndex(referenceCounts, recentCounts);
}

/** The PSI less its mean under sampling noise, (B − 1) (1 / n + 1 / m) for B bins in use. */
export function excessIndexOf(test: DistributionStatistic): number {
  const { degreesOfFreedom, records, referenceRecords, referenceCounts } = test;
  const bins = Math.max(degreesOfFreedom, referenceCounts.filter(count => count > 0).length - 1);
  return stabilityIndexOf(test) - bins * (1 / records + 1 / referenceRecords);
}

function shownIndex(test: DistributionStatistic): string {
  return String(Number(stabilityIndexOf(test).toPrecision(3)));
}
