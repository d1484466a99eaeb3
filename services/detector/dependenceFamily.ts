import { benjaminiHochberg } from '../shared/statistics/benjaminiHochberg.ts';
import type { Comparison } from './comparison.ts';
import { type DependenceTest, dependenceTest, dependenceThreshold, hasDependence } from './dependenceTest.ts';
import { type Evidence, shares, shown } from './evidence.ts';
import type { FamilyResult } from './familyResult.ts';
import type { FeaturePair } from './featurePairs.ts';
import type { StreamSignificance } from './streamSignificance.ts';
import { levelOfFamily } from './tailHistory.ts';

/** A change of a correlation that is large on its own. */
const largeChange = 0.5;

/** Do two features depend on each other otherwise than before? Simes over the pairs, as `testDistributions` does over the features. */
export function testDependence(
  comparison: Comparison,
  pairs: readonly FeaturePair[],
  stream: StreamSignificance,
  level: number,
): FamilyResult | null {
  if (!hasDependence(comparison, pairs)) return null;
  const { scale } = comparison;
  const tests = pairs.flatMap((pair, index) => dependenceTest(comparison, pair, index, stream.of(pair.key)) ?? []);
  if (tests.length === 0) return null;
  const adjusted = benjaminiHochberg(tests.map(({ pValue }) => pValue));
  const strongest = tests.reduce((left, right) => (right.logPValue < left.logPValue ? right : left));
  const { noiseWeight } = stream.of(strongest.pair.key);
  const needed = levelOfFamily(stream.tail('dependence', scale), scale, noiseWeight, level);
  const changed = tests.filter((_, index) => adjusted[index]! <= needed);
  return {
    family: 'dependence',
    tests: new Map(tests.map(({ pair, measured }) => [pair.key, measured])),
    logPValue: Math.max(strongest.logPValue, Math.log(Math.min(...adjusted))),
    evidence: changed.length > 0 ? evidenceOf(comparison, changed, tests.length, needed) : null,
  };
}

function evidenceOf({ scale }: Comparison, changed: DependenceTest[], tested: number, level: number): Evidence {
  changed.sort((left, right) => changeOf(right) - changeOf(left) || (left.pair.key < right.pair.key ? -1 : 1));
  const [largest] = changed as [DependenceTest, ...DependenceTest[]];
  const { pair, value, referenceValue, pValue, logPValue, records, referenceRecords, overdispersion } = largest;
  const threshold = dependenceThreshold(largest, (level * changed.length) / tested);
  const effects = new Map<string, number>();
  for (const test of changed)
    for (const name of test.pair.names) effects.set(name, (effects.get(name) ?? 0) + changeOf(test));
  const ranked = [...effects].sort(([, left], [, right]) => right - left);
  return {
    family: 'dependence',
    scale,
    feature: ranked[0]![0],
    metric: 'correlation_change',
    value: changeOf(largest),
    threshold,
    pValue,
    logPValue,
    records,
    referenceRecords,
    large: changeOf(largest) >= largeChange,
    contributions: shares(ranked),
    statement:
      `the dependence of ${changed.length} of ${tested} pairs of features changed, most of all of ${pair.names.join(' and ')} ` +
      `(correlation ${shown(referenceValue)} before, ${shown(value)} now; change ${shown(changeOf(largest))}, ` +
      `threshold ${shown(threshold)}, p ${shown(pValue)}, dispersion ${shown(overdispersion)}; ${records} sampled records against ${referenceRecords})`,
  };
}

function changeOf({ value, referenceValue }: DependenceTest): number {
  return Math.abs(value - referenceValue);
}
