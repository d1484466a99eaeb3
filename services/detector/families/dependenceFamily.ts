import { benjaminiHochberg } from '../../shared/statistics/benjaminiHochberg.ts';
import type { FeaturePair } from '../blocks/featurePairs.ts';
import { type Comparison, minimumReferenceBlocks } from '../reference/comparison.ts';
import { levelOfFamily } from '../significance/tailHistory.ts';
import {
  changeOf,
  type DependenceStatistic,
  dependenceThreshold,
  isNotable,
  judgeDependence,
  type MeasuredDependence,
  measureDependence,
  measuredOf,
} from './dependenceStatistic.ts';
import { type Evidence, evidenceOf, shares, shown } from './evidence.ts';
import {
  correctedLevel,
  type FamilyContext,
  type FamilyResult,
  type TestFamily,
  type TestResult,
} from './testFamily.ts';

/** Change of a correlation that matters on its own. */
const largeChange = 0.5;

/** Tests whether two features depend on each other in another way than before. */
export const dependenceFamily: TestFamily = {
  name: 'dependence',
  question: 'Do two features depend on each other in another way than before?',
  metrics: { correlation_change: 'change of the correlation of two features, by their grades' },
  cause: 'data_drift',
  keepsHistory: true,
  hasData: (comparison, { pairs }) => hasDependence(comparison, pairs),
  test: testDependence,
};

/** Returns whether the pairs were counted in enough blocks of the reference. */
function hasDependence({ reference }: Comparison, pairs: readonly FeaturePair[]): boolean {
  return pairs.length > 0 && reference.pairBlocks >= minimumReferenceBlocks;
}

/** Tests all pairs by Simes, as `testDistributions` tests the features. */
function testDependence(
  comparison: Comparison,
  { stream, level, options: { pairs } }: FamilyContext,
): FamilyResult | null {
  if (!hasDependence(comparison, pairs)) return null;
  const { scale } = comparison;
  const measured = pairs.flatMap((pair, index) => measureDependence(comparison, pair, index) ?? []);
  if (measured.length === 0) return null;
  const judgementOf = (one: MeasuredDependence) =>
    judgeDependence(one, comparison, stream.of(one.pair.key));
  const tests = measured.filter(isNotable).map(judgementOf);
  const others = new Array<number>(measured.length - tests.length).fill(1);
  const adjusted = benjaminiHochberg([...tests.map(({ pValue }) => pValue), ...others]);
  const strongest = tests.reduce<DependenceStatistic | null>(
    (left, right) => (left && left.logPValue <= right.logPValue ? left : right),
    null,
  );
  const leadingWeight = strongest ? stream.of(strongest.pair.key).noiseWeight : 1;
  const tail = stream.tail('dependence', scale);
  const familyLevel = levelOfFamily(tail, scale, leadingWeight, level);
  const changed = tests.filter((_, index) => adjusted[index]! <= familyLevel);
  const resultOf = (one: MeasuredDependence): TestResult => {
    const notable = tests.find(({ pair }) => pair === one.pair);
    const isChanged = notable !== undefined && changed.includes(notable);
    const ofPair = correctedLevel(familyLevel, changed.length, measured.length, isChanged);
    return {
      family: 'dependence',
      kind: 'feature',
      feature: one.pair.names.join(' × '),
      metric: 'correlation_change',
      scale,
      value: changeOf(one),
      referenceValue: one.referenceValue,
      records: one.records,
      referenceRecords: one.referenceRecords,
      cycle: null,
      noiseWeight: stream.of(one.pair.key).noiseWeight,
      familyLevel,
      level: ofPair,
      changed: isChanged,
      logPValue: notable?.logPValue ?? 0,
      detail: () => {
        const test = notable ?? judgementOf(one);
        const { pValue, overdispersion } = test;
        return { pValue, overdispersion, threshold: dependenceThreshold(test, ofPair) };
      },
    };
  };
  const results = measured.map(resultOf);
  const isOf = (test: MeasuredDependence) => (_: TestResult, index: number) =>
    measured[index]!.pair === test.pair;
  return {
    results,
    measured: new Map(measured.map(one => [one.pair.key, measuredOf(one)])),
    logPValue: strongest ? Math.max(strongest.logPValue, Math.log(Math.min(...adjusted))) : 0,
    evidence:
      changed.length > 0
        ? evidenceOfPairs(changed, measured.length, test => results.find(isOf(test))!)
        : null,
  };
}

function evidenceOfPairs(
  changed: readonly DependenceStatistic[],
  tested: number,
  resultOf: (test: DependenceStatistic) => TestResult,
): Evidence {
  const ranked = changed.toSorted(
    (left, right) => changeOf(right) - changeOf(left) || (left.pair.key < right.pair.key ? -1 : 1),
  );
  const [largest] = ranked as [DependenceStatistic, ...DependenceStatistic[]];
  const { pair, value, referenceValue } = largest;
  const effects = new Map<string, number>();
  for (const test of ranked)
    for (const name of test.pair.names)
      effects.set(name, (effects.get(name) ?? 0) + changeOf(test));
  const features = [...effects].sort(([, left], [, right]) => right - left);
  return evidenceOf(resultOf(largest), {
    feature: features[0]![0],
    large: changeOf(largest) >= largeChange,
    contributions: shares(features),
    summary:
      `${changed.length} of ${tested} pairs of features depend on each other in another way, ` +
      `most of all ${pair.names.join(' and ')}: their correlation went from ` +
      `${shown(referenceValue)} to ${shown(value)}`,
  });
}
