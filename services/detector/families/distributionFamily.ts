import { benjaminiHochberg } from '../../shared/statistics/benjaminiHochberg.ts';
import { jensenShannonDistance } from '../../shared/statistics/jensenShannonDistance.ts';
import { populationStabilityIndex } from '../../shared/statistics/populationStabilityIndex.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import type { VariableKind } from '../blocks/windowObservation.ts';
import type { Comparison } from '../reference/comparison.ts';
import type { OutputModel } from '../reference/outputModel.ts';
import { earlierRecords, type Measured } from '../significance/bestTest.ts';
import type { Family } from '../significance/family.ts';
import { type TestKey, trendKey } from '../significance/streamHistory.ts';
import type { StreamSignificance } from '../significance/streamSignificance.ts';
import { levelOfFamily } from '../significance/tailHistory.ts';
import {
  type DistributionTest,
  distributionTest,
  distributionThreshold,
  trendTest,
} from './distributionTest.ts';
import { type Evidence, shares, shown } from './evidence.ts';
import type { FamilyResult } from './familyResult.ts';
import { movementStatement, predictionContributions } from './outputMovement.ts';

/** "Major shift" by the convention of credit scoring (Siddiqi, "Credit Risk Scorecards", 2006). */
export const largePopulationStabilityIndex = 0.25;

export const distributionFamilies: Record<VariableKind, Family> = {
  feature: 'features',
  output: 'predictions',
};

/** A variable with the tests that can say something of it in a comparison: one or two. */
export interface TestedVariable {
  /** `variableKey`. */
  key: string;
  name: string;
  tests: readonly VariableTest[];
}

export interface VariableTest {
  metric: 'likelihood_ratio' | 'likelihood_ratio_trend';
  test: DistributionTest;
  noiseWeight: number;
}

/**
 * The variables of a kind for which there are enough records, and what was measured of them. Whether there are depends on how often each
 * value occurs in both samples together, not on how they differ; so the others need not be paid for (Tarone, Biometrics 46(2), 1990).
 */
export function testVariables(
  comparison: Comparison,
  frozen: ReadonlyMap<string, FrozenVariable>,
  kind: VariableKind,
  stream: StreamSignificance,
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
      // An ordered stream goes up and down anyway.
      const decides = metric === 'likelihood_ratio' || noiseWeight >= 0.5;
      if (decides && test.degreesOfFreedom > 0) tests.push({ metric, test, noiseWeight });
    }
    if (tests.length > 0) tested.push({ key, name: variable.name, tests });
  }
  return { tested, measured };
}

const testsOfVariable = [
  {
    metric: 'likelihood_ratio',
    historyKey: (variable: string) => variable,
    testOf: distributionTest,
  },
  { metric: 'likelihood_ratio_trend', historyKey: trendKey, testOf: trendTest },
] as const;

/**
 * Did the distributions of the features (or outputs) change? Simes over them at the family's level: fires when the i-th
 * smallest of d p-values is at most level · i / d for some i, which is when Benjamini and Hochberg's smallest adjusted one is.
 * The p-value of a variable with two tests is twice the smaller one (Bonferroni).
 *
 * @param level of the family, before its own tail raises it: `levelOfFamily`
 * @param outputModel says what changed features do to the outputs; it has no part in the test
 */
export function testDistributions(
  comparison: Comparison,
  frozen: ReadonlyMap<string, FrozenVariable>,
  kind: VariableKind,
  stream: StreamSignificance,
  level: number,
  outputModel: OutputModel | null,
): FamilyResult | null {
  const { tested, measured } = testVariables(comparison, frozen, kind, stream);
  if (tested.length === 0) return null;
  const variables = tested.map(({ key, name, tests }) => ({
    key,
    name,
    tries: tests.length,
    ...tests.reduce(stronger),
  }));
  const adjusted = benjaminiHochberg(
    variables.map(({ test, tries }) => Math.min(1, test.pValue * tries)),
  );
  const strongest = variables.reduce(stronger);
  const family = distributionFamilies[kind];
  const needed = levelOfFamily(
    stream.tail(family, comparison.scale),
    comparison.scale,
    strongest.noiseWeight,
    level,
  );
  const changed = variables.filter((_, index) => adjusted[index]! <= needed).map(withEffect);
  changed.sort((left, right) => right.effect - left.effect || (left.name < right.name ? -1 : 1));
  const levelOfChanged = (needed * changed.length) / variables.length;
  return {
    family,
    tests: measured,
    logPValue: Math.max(strongest.test.logPValue, Math.log(Math.min(...adjusted))),
    evidence:
      changed.length > 0
        ? evidenceOf(comparison, changed, kind, frozen, levelOfChanged, outputModel)
        : null,
  };
}

/** Of two tests the one that shows the change better. */
export function stronger<T extends VariableTest>(left: T, right: T): T {
  return right.test.logPValue < left.test.logPValue ? right : left;
}

interface ChangedVariable extends VariableTest {
  key: string;
  name: string;
  tries: number;
}

function withEffect(changed: ChangedVariable) {
  const { test } = changed;
  return {
    ...changed,
    effect: jensenShannonDistance(test.referenceCounts, test.recentCounts) ** 2,
  };
}

function evidenceOf(
  comparison: Comparison,
  changed: ReturnType<typeof withEffect>[],
  kind: VariableKind,
  frozen: ReadonlyMap<string, FrozenVariable>,
  level: number,
  outputModel: OutputModel | null,
): Evidence {
  const { name, metric, test, tries } = changed[0]!;
  const known = [...frozen.values()].filter(
    variable => variable.kind === kind && !variable.growing,
  ).length;
  const threshold = distributionThreshold(test, level / tries);
  const index = populationStabilityIndex(test.referenceCounts, test.recentCounts);
  // A score sharpens while a model learns; only what it answers tells whether a change of its outputs is large.
  const decisive =
    kind === 'output' ? changed.find(({ name }) => name === 'prediction')?.test : test;
  const decisiveIndex = decisive
    ? populationStabilityIndex(decisive.referenceCounts, decisive.recentCounts)
    : 0;
  const margins = changed.map(({ key, name, test }) => ({ key, name, ...test }));
  const movements = outputModel ? predictionContributions(outputModel, margins) : {};
  return {
    family: distributionFamilies[kind],
    scale: comparison.scale,
    feature: name,
    metric,
    value: test.statistic,
    threshold,
    pValue: test.pValue,
    logPValue: test.logPValue,
    records: test.records,
    referenceRecords: Math.round(test.referenceRecords),
    large: decisiveIndex >= largePopulationStabilityIndex,
    contributions: shares(changed.map(({ name, effect }) => [name, effect])),
    predictionContributions: movements,
    statement:
      `${changed.length} of ${known} ${kind}s changed, most of all ${name} (${metric.replaceAll('_', ' ')} ${shown(test.statistic)}, ` +
      `threshold ${shown(threshold)}, p ${shown(test.pValue)}, dispersion ${shown(test.overdispersion)}, PSI ${shown(index)}; ${test.records} records against ${earlierRecords(test)})` +
      (outputModel ? movementStatement(outputModel, movements, changed.length) : ''),
  };
}
