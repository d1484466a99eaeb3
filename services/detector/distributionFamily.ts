import { sum } from 'simple-statistics';
import { benjaminiHochberg } from '../shared/statistics/benjaminiHochberg.ts';
import { jensenShannonDistance } from '../shared/statistics/jensenShannonDistance.ts';
import { populationStabilityIndex } from '../shared/statistics/populationStabilityIndex.ts';
import { chiSquaredThreshold } from './chiSquaredThreshold.ts';
import type { Comparison } from './comparison.ts';
import { type DistributionTest, distributionTest } from './distributionTest.ts';
import { type Evidence, shares, shown } from './evidence.ts';
import type { FrozenVariable } from './frozenVariable.ts';
import type { VariableKind } from './windowObservation.ts';

/** "Major shift" by the convention of credit scoring (Siddiqi, "Credit Risk Scorecards", 2006). */
export const largePopulationStabilityIndex = 0.25;

/**
 * Did the distributions of the features (or outputs) change? Simes over them at `level`: fires when the i-th smallest
 * of d p-values is at most level · i / d for some i, which is when Benjamini and Hochberg's smallest adjusted one is.
 */
export function distributionEvidence(
  comparison: Comparison,
  frozen: ReadonlyMap<string, FrozenVariable>,
  kind: VariableKind,
  level: number,
): Evidence | null {
  const tests: { name: string; test: DistributionTest }[] = [];
  for (const [key, variable] of frozen) {
    if (variable.kind !== kind) continue;
    const test = distributionTest(comparison, key, variable, level);
    if (test) tests.push({ name: variable.name, test });
  }
  if (!tests.some(({ test }) => test.pValue <= level)) return null;
  const adjusted = benjaminiHochberg(tests.map(({ test }) => test.pValue));
  const changed = tests.filter((_, index) => adjusted[index]! <= level).map(withEffect);
  if (changed.length === 0) return null;
  changed.sort((left, right) => right.effect - left.effect || (left.name < right.name ? -1 : 1));
  return evidenceOf(comparison, changed, tests.length, kind, level);
}

function withEffect({ name, test }: { name: string; test: DistributionTest }) {
  return { name, test, effect: jensenShannonDistance(test.referenceCounts, test.recentCounts) ** 2 };
}

function evidenceOf(
  { scale }: Comparison,
  changed: ReturnType<typeof withEffect>[],
  tested: number,
  kind: VariableKind,
  level: number,
): Evidence {
  const { name, test } = changed[0]!;
  const threshold = chiSquaredThreshold(test.degreesOfFreedom, (level * changed.length) / tested);
  const index = populationStabilityIndex(test.referenceCounts, test.recentCounts);
  // A score sharpens while a model learns; only what it answers tells whether a change of its outputs is large.
  const decisive = kind === 'output' ? changed.find(({ name }) => name === 'prediction')?.test : test;
  const decisiveIndex = decisive ? populationStabilityIndex(decisive.referenceCounts, decisive.recentCounts) : 0;
  const records = sum(test.recentCounts);
  const referenceRecords = sum(test.referenceCounts);
  return {
    family: kind === 'feature' ? 'features' : 'predictions',
    scale,
    feature: name,
    metric: 'likelihood_ratio',
    value: test.statistic,
    threshold,
    pValue: test.pValue,
    logPValue: test.logPValue,
    records,
    referenceRecords,
    large: decisiveIndex >= largePopulationStabilityIndex,
    contributions: shares(changed.map(({ name, effect }) => [name, effect])),
    statement:
      `${changed.length} of ${tested} ${kind}s changed, most of all ${name} (likelihood ratio ${shown(test.statistic)}, ` +
      `threshold ${shown(threshold)}, p ${shown(test.pValue)}, PSI ${shown(index)}; ${records} records against ${referenceRecords})`,
  };
}
