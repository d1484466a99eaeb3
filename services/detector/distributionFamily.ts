import { benjaminiHochberg } from '../shared/statistics/benjaminiHochberg.ts';
import { jensenShannonDistance } from '../shared/statistics/jensenShannonDistance.ts';
import { populationStabilityIndex } from '../shared/statistics/populationStabilityIndex.ts';
import { earlierRecords } from './bestTest.ts';
import type { Comparison } from './comparison.ts';
import { type DistributionTest, distributionTest, distributionThreshold } from './distributionTest.ts';
import { type Evidence, shares, shown } from './evidence.ts';
import type { FamilyResult } from './familyResult.ts';
import type { FrozenVariable } from './frozenVariable.ts';
import type { OutputModel } from './outputModel.ts';
import { movementStatement, predictionContributions } from './outputMovement.ts';
import type { StreamSignificance } from './streamSignificance.ts';
import { levelOfFamily } from './tailHistory.ts';
import type { VariableKind } from './windowObservation.ts';

/** "Major shift" by the convention of credit scoring (Siddiqi, "Credit Risk Scorecards", 2006). */
export const largePopulationStabilityIndex = 0.25;

/**
 * Did the distributions of the features (or outputs) change? Simes over them at the family's level: fires when the i-th
 * smallest of d p-values is at most level · i / d for some i, which is when Benjamini and Hochberg's smallest adjusted one is.
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
  const tests: NamedTest[] = [];
  for (const [key, variable] of frozen) {
    if (variable.kind !== kind) continue;
    const significance = stream.of(key);
    const test = distributionTest(comparison, key, variable, significance);
    if (test) tests.push({ key, name: variable.name, test, noiseWeight: significance.noiseWeight });
  }
  if (tests.length === 0) return null;
  const adjusted = benjaminiHochberg(tests.map(({ test }) => test.pValue));
  const strongest = tests.reduce((left, right) => (right.test.logPValue < left.test.logPValue ? right : left));
  const family = kind === 'feature' ? 'features' : 'predictions';
  const needed = levelOfFamily(stream.tail(family, comparison.scale), comparison.scale, strongest.noiseWeight, level);
  const changed = tests.filter((_, index) => adjusted[index]! <= needed).map(withEffect);
  changed.sort((left, right) => right.effect - left.effect || (left.name < right.name ? -1 : 1));
  return {
    family,
    tests: new Map(tests.map(({ key, test }) => [key, test.measured])),
    logPValue: Math.max(strongest.test.logPValue, Math.log(Math.min(...adjusted))),
    evidence: changed.length > 0 ? evidenceOf(comparison, changed, tests.length, kind, needed, outputModel) : null,
  };
}

interface NamedTest {
  key: string;
  name: string;
  test: DistributionTest;
  noiseWeight: number;
}

function withEffect(named: NamedTest) {
  const { test } = named;
  return { ...named, effect: jensenShannonDistance(test.referenceCounts, test.recentCounts) ** 2 };
}

function evidenceOf(
  comparison: Comparison,
  changed: ReturnType<typeof withEffect>[],
  tested: number,
  kind: VariableKind,
  level: number,
  outputModel: OutputModel | null,
): Evidence {
  const { name, test } = changed[0]!;
  const threshold = distributionThreshold(test, (level * changed.length) / tested);
  const index = populationStabilityIndex(test.referenceCounts, test.recentCounts);
  // A score sharpens while a model learns; only what it answers tells whether a change of its outputs is large.
  const decisive = kind === 'output' ? changed.find(({ name }) => name === 'prediction')?.test : test;
  const decisiveIndex = decisive ? populationStabilityIndex(decisive.referenceCounts, decisive.recentCounts) : 0;
  const margins = changed.map(({ key, name, test }) => ({ key, name, ...test }));
  const movements = outputModel ? predictionContributions(outputModel, margins) : {};
  return {
    family: kind === 'feature' ? 'features' : 'predictions',
    scale: comparison.scale,
    feature: name,
    metric: 'likelihood_ratio',
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
      `${changed.length} of ${tested} ${kind}s changed, most of all ${name} (likelihood ratio ${shown(test.statistic)}, ` +
      `threshold ${shown(threshold)}, p ${shown(test.pValue)}, dispersion ${shown(test.overdispersion)}, PSI ${shown(index)}; ${test.records} records against ${earlierRecords(test)})` +
      (outputModel ? movementStatement(outputModel, movements, changed.length) : ''),
  };
}
