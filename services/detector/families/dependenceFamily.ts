import { benjaminiHochberg } from '../../shared/statistics/benjaminiHochberg.ts';
import type { FeaturePair } from '../blocks/featurePairs.ts';
import type { Comparison } from '../reference/comparison.ts';
import type { StreamSignificance } from '../significance/streamSignificance.ts';
import { levelOfFamily } from '../significance/tailHistory.ts';
import {
  changeOf,
  type DependenceTest,
  dependenceThreshold,
  hasDependence,
  isNotable,
  judgeDependence,
  measureDependence,
  measuredOf,
} from './dependenceTest.ts';
import { type Evidence, shares, shown } from './evidence.ts';
import type { FamilyResult } from './familyResult.ts';

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
  const measured = pairs.flatMap((pair, index) => measureDependence(comparison, pair, index) ?? []);
  if (measured.length === 0) return null;
  const tests = measured
    .filter(isNotable)
    .map(notable => judgeDependence(notable, comparison, stream.of(notable.pair.key)));
  const others = new Array<number>(measured.length - tests.length).fill(1);
  const adjusted = benjaminiHochberg([...tests.map(({ pValue }) => pValue), ...others]);
  const strongest = tests.reduce<DependenceTest | null>(
    (left, right) => (left && left.logPValue <= right.logPValue ? left : right),
    null,
  );
  const noiseWeight = strongest ? stream.of(strongest.pair.key).noiseWeight : 1;
  const needed = levelOfFamily(stream.tail('dependence', scale), scale, noiseWeight, level);
  const changed = tests.filter((_, index) => adjusted[index]! <= needed);
  return {
    family: 'dependence',
    tests: new Map(measured.map(one => [one.pair.key, measuredOf(one)])),
    logPValue: strongest ? Math.max(strongest.logPValue, Math.log(Math.min(...adjusted))) : 0,
    evidence: changed.length > 0 ? evidenceOf(comparison, changed, measured.length, needed) : null,
  };
}

function evidenceOf(
  { scale }: Comparison,
  changed: DependenceTest[],
  tested: number,
  level: number,
): Evidence {
  changed.sort(
    (left, right) => changeOf(right) - changeOf(left) || (left.pair.key < right.pair.key ? -1 : 1),
  );
  const [largest] = changed as [DependenceTest, ...DependenceTest[]];
  const {
    pair,
    value,
    referenceValue,
    pValue,
    logPValue,
    records,
    referenceRecords,
    overdispersion,
  } = largest;
  const threshold = dependenceThreshold(largest, (level * changed.length) / tested);
  const effects = new Map<string, number>();
  for (const test of changed)
    for (const name of test.pair.names)
      effects.set(name, (effects.get(name) ?? 0) + changeOf(test));
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
    predictionContributions: {},
    statement:
      `the dependence of ${changed.length} of ${tested} pairs of features changed, most of all of ${pair.names.join(' and ')} ` +
      `(correlation ${shown(referenceValue)} before, ${shown(value)} now; change ${shown(changeOf(largest))}, ` +
      `threshold ${shown(threshold)}, p ${shown(pValue)}, dispersion ${shown(overdispersion)}; ${records} sampled records against ${referenceRecords})`,
  };
}
