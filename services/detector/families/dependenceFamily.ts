import { benjaminiHochberg } from '../../shared/statistics/benjaminiHochberg.ts';
import type { FeaturePair } from '../blocks/featurePairs.ts';
import { type Comparison, minReferenceBlocks } from '../reference/comparison.ts';
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
import type { FamilyContext, FamilyResult, TestFamily } from './testFamily.ts';
import { correctedLevel, type TestResult } from './testResult.ts';

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
  return pairs.length > 0 && reference.pairBlocks >= minReferenceBlocks;
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
  const toResult = (one: MeasuredDependence): PairResult => {
    const test = tests.find(({ pair }) => pair === one.pair) ?? null;
    const isChanged = test !== null && changed.includes(test);
    const ofPair = correctedLevel(familyLevel, changed.length, measured.length, isChanged);
    return {
      ...resultOf(one, () => test ?? judgementOf(one), ofPair),
      scale,
      noiseWeight: stream.of(one.pair.key).noiseWeight,
      familyLevel,
      changed: isChanged,
      logPValue: test?.logPValue ?? 0,
      test,
    };
  };
  const results = measured.map(toResult);
  return {
    results,
    measured: new Map(measured.map(one => [one.pair.key, measuredOf(one)])),
    logPValue: strongest ? Math.max(strongest.logPValue, Math.log(Math.min(...adjusted))) : 0,
    evidence: evidenceOfPairs(results),
  };
}

interface PairResult extends TestResult {
  /** null for a pair whose correlation changed too little to be judged. */
  test: DependenceStatistic | null;
}

function resultOf(
  one: MeasuredDependence,
  judged: () => DependenceStatistic,
  level: number,
): Omit<TestResult, 'scale' | 'noiseWeight' | 'familyLevel' | 'changed' | 'logPValue'> {
  return {
    family: 'dependence',
    kind: 'feature',
    feature: one.pair.names.join(' × '),
    metric: 'correlation_change',
    value: changeOf(one),
    referenceValue: one.referenceValue,
    records: one.records,
    referenceRecords: one.referenceRecords,
    cycle: null,
    level,
    detail: () => {
      const test = judged();
      const { pValue, overdispersion } = test;
      return { pValue, overdispersion, threshold: dependenceThreshold(test, level) };
    },
  };
}

function evidenceOfPairs(results: readonly PairResult[]): Evidence | null {
  const changed = results.flatMap(result =>
    result.changed && result.test ? [{ result, test: result.test }] : [],
  );
  const ranked = changed.toSorted(
    ({ test: left }, { test: right }) =>
      changeOf(right) - changeOf(left) || (left.pair.key < right.pair.key ? -1 : 1),
  );
  const [largest] = ranked;
  if (!largest) return null;
  const { pair, value, referenceValue } = largest.test;
  const effects = new Map<string, number>();
  for (const { test } of ranked)
    for (const name of test.pair.names)
      effects.set(name, (effects.get(name) ?? 0) + changeOf(test));
  const features = [...effects].sort(([, left], [, right]) => right - left);
  return evidenceOf(largest.result, {
    feature: features[0]![0],
    large: changeOf(largest.test) >= largeChange,
    contributions: shares(features),
    summary:
      `${changed.length} of ${results.length} pairs of features depend on each other in another ` +
      `way, most of all ${pair.names.join(' and ')}: their correlation went from ` +
      `${shown(referenceValue)} to ${shown(value)}`,
  });
}
