import { sum } from 'simple-statistics';
import { benjaminiHochberg } from '../../shared/statistics/benjaminiHochberg.ts';
import { overdispersion } from '../../shared/statistics/overdispersion.ts';
import {
  type Rate,
  rateIncreaseLogPValue,
  rateIncreaseThreshold,
  rateOf,
} from '../../shared/statistics/rateIncrease.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import type { VariableCounts } from '../blocks/variableCounts.ts';
import type { VariableKind } from '../blocks/windowObservation.ts';
import { type Comparison, pooledCounts } from '../reference/comparison.ts';
import type { Significance } from '../significance/significance.ts';
import type { StreamSignificance } from '../significance/streamSignificance.ts';
import { validCounts } from './distributionTest.ts';
import { type Evidence, percent, shares, shown } from './evidence.ts';

/** A smaller rise of a rate does not matter, however many records show it. */
const smallestRateIncrease = 0.01;
/** A rise that has to be exceeded for certain: a few records of one window may well rise by more than matters. */
const toleratedRateIncrease = smallestRateIncrease / 2;
/** A rise that is large on its own. */
const largeRateIncrease = 0.2;

/** The rate that a recent one is tested against. */
export function toleratedRate({ hits, total }: Rate): Rate {
  return { hits: Math.min(total, hits + toleratedRateIncrease * total), total };
}

/** The rise of a rate that matters. A stream that is not sampling noise shows values now and then that it did not have before. */
export function smallestIncrease(metric: QualityMetric, { noiseWeight }: Significance): number {
  const isNews = metric === 'unseen_rate' || metric === 'out_of_range_rate';
  return isNews && noiseWeight < 0.5 ? largeRateIncrease : smallestRateIncrease;
}

export type QualityMetric =
  | 'missing_rate'
  | 'wrong_type_rate'
  | 'non_finite_rate'
  | 'unseen_rate'
  | 'out_of_range_rate';

/** The quality metrics that a variable of its type has. Never-seen numbers are no mistake, never-seen categories may be. */
export function qualityMetrics({ type, growing }: FrozenVariable): readonly QualityMetric[] {
  const both = ['missing_rate', 'wrong_type_rate', 'non_finite_rate'] as const;
  if (growing) return both;
  return type === 'numeric' ? [...both, 'out_of_range_rate'] : [...both, 'unseen_rate'];
}

/** How many of the records of a block, or of a sum of blocks, have the defect. */
export function qualityRate(
  { binCount }: FrozenVariable,
  { counts, outOfRange }: Pick<VariableCounts, 'counts' | 'outOfRange'>,
  metric: QualityMetric,
): Rate {
  const total = sum(counts);
  switch (metric) {
    case 'unseen_rate':
      return { hits: counts[binCount]!, total };
    case 'non_finite_rate':
      return { hits: counts[binCount + 1]!, total };
    case 'wrong_type_rate':
      return { hits: counts[binCount + 2]!, total };
    case 'missing_rate':
      return { hits: counts[binCount + 3]!, total };
    case 'out_of_range_rate':
      return { hits: outOfRange, total };
  }
}

/** How much the rate of a defect varies between the blocks of the reference. */
export function rateOverdispersion(
  { referenceBlocks, scale }: Comparison,
  key: string,
  variable: FrozenVariable,
  metric: QualityMetric,
): number {
  return overdispersion(
    pooledCounts(referenceBlocks, scale, block => {
      const counts = block.variables.get(key);
      if (!counts) return null;
      const { hits, total } = qualityRate(variable, counts, metric);
      return [hits, total - hits];
    }),
  );
}

interface QualityTest {
  feature: string;
  metric: string;
  value: number;
  logPValue: number;
  /** Rise of the rate, in shares of the records. */
  increase: number;
  records: number;
  referenceRecords: number;
  /** Value at which it would alarm, tested at this level. */
  threshold(level: number): number;
  statement: string;
  large: boolean;
}

/** Tests that could say something; all others have p = 1, and count in `tested`. */
interface QualityTests {
  tested: number;
  notable: QualityTest[];
}

/**
 * Did defects become more frequent in the inputs (or outputs): missing, wrong type, non-finite, unseen, absurd or stuck
 * values, unknown features?
 */
export function dataQualityEvidence(
  comparison: Comparison,
  frozen: ReadonlyMap<string, FrozenVariable>,
  kind: VariableKind,
  stream: StreamSignificance,
  level: number,
  newFeaturesMatter: boolean,
): Evidence | null {
  const all: QualityTests = { tested: 0, notable: [] };
  for (const [key, variable] of frozen) {
    if (variable.kind === kind) testVariable(all, comparison, key, variable, stream.of(key), level);
  }
  if (kind === 'feature' && newFeaturesMatter) testUnknownFeatures(all, comparison);
  const pValues = all.notable.map(({ logPValue }) => Math.exp(logPValue));
  if (!pValues.some(pValue => pValue <= level)) return null;
  const others = new Array<number>(all.tested - pValues.length).fill(1);
  const adjusted = benjaminiHochberg([...pValues, ...others]);
  const changed = all.notable.filter((_, index) => adjusted[index]! <= level);
  if (changed.length === 0) return null;
  changed.sort(
    (left, right) => right.increase - left.increase || (left.feature < right.feature ? -1 : 1),
  );
  return evidenceOf(comparison, changed, kind, (level * changed.length) / all.tested);
}

function evidenceOf(
  { scale }: Comparison,
  changed: QualityTest[],
  kind: VariableKind,
  level: number,
): Evidence {
  const { feature, metric, value, logPValue, records, referenceRecords, threshold } = changed[0]!;
  const increases = new Map<string, number>();
  for (const test of changed)
    increases.set(test.feature, (increases.get(test.feature) ?? 0) + test.increase);
  const limit = threshold(level);
  return {
    family: kind === 'feature' ? 'data_quality' : 'output_quality',
    scale,
    feature,
    metric,
    value,
    threshold: limit,
    pValue: Math.exp(logPValue),
    logPValue,
    records,
    referenceRecords,
    large: changed.some(test => test.large),
    contributions: shares([...increases]),
    predictionContributions: {},
    statement: `${changed[0]!.statement} (threshold ${shown(limit)}, p ${shown(Math.exp(logPValue))}; ${records} records against ${referenceRecords})${alsoNamed(changed)}`,
  };
}

function alsoNamed([, ...others]: QualityTest[]): string {
  const named = others.slice(0, 3).map(({ statement }) => `, ${statement}`);
  return `${named.join('')}${others.length > 3 ? `, and ${others.length - 3} more` : ''}`;
}

function testVariable(
  tests: QualityTests,
  comparison: Comparison,
  key: string,
  variable: FrozenVariable,
  significance: Significance,
  level: number,
): void {
  const recentSums = comparison.recent.variables.get(key);
  const referenceSums = comparison.reference.variables.get(key);
  if (!recentSums || !referenceSums || referenceSums.blocks === 0) return;
  for (const metric of qualityMetrics(variable)) {
    tests.tested += 1;
    const recent = qualityRate(variable, recentSums, metric);
    if (recent.hits === 0) continue;
    const reference = qualityRate(variable, referenceSums, metric);
    const increase = rateOf(recent) - rateOf(reference);
    const floor = smallestIncrease(metric, significance);
    if (increase < floor) continue;
    if (rateIncreaseLogPValue(toleratedRate(reference), recent, 1) > Math.log(level)) continue;
    const learned = rateOverdispersion(comparison, key, variable, metric);
    tests.notable.push(rateTest(variable.name, metric, reference, recent, learned, floor));
  }
  // A model that answers the same to everything is no broken sensor: its predictions have drifted.
  if (variable.kind === 'output') return;
  tests.tested += 1;
  const stuck = stuckTest(comparison, key, variable);
  if (stuck) tests.notable.push(stuck);
}

function rateTest(
  feature: string,
  metric: QualityMetric,
  reference: Rate,
  recent: Rate,
  learned: number,
  floor: number,
): QualityTest {
  const increase = rateOf(recent) - rateOf(reference);
  const tolerated = toleratedRate(reference);
  return {
    feature,
    metric,
    value: rateOf(recent),
    logPValue: rateIncreaseLogPValue(tolerated, recent, learned),
    increase,
    records: recent.total,
    referenceRecords: reference.total,
    threshold: level =>
      Math.max(
        rateIncreaseThreshold(tolerated, recent.total, learned, level),
        rateOf(reference) + floor,
      ),
    statement: `${metric} of ${feature} rose from ${percent(rateOf(reference))} to ${percent(rateOf(recent))}`,
    large: increase >= largeRateIncrease,
  };
}

/**
 * A sensor that is stuck: all n values of the last block are one, though the reference's fullest bin holds only a share
 * s of them and no block of it was constant. p = s^((n − 1) / φ).
 */
function stuckTest(
  comparison: Comparison,
  key: string,
  variable: FrozenVariable,
): QualityTest | null {
  const last = comparison.recentBlocks.at(-1)!.variables.get(key);
  if (comparison.scale !== 1 || !last?.constant) return null;
  const counted = comparison.referenceBlocks
    .map(block => block.variables.get(key))
    .filter(counts => counts !== undefined);
  if (counted.some(({ constant }) => constant)) return null;
  const values = sum(validCounts(variable, last.counts));
  const reference = validCounts(variable, comparison.reference.variables.get(key)!.counts);
  const fullestShare = Math.max(...reference) / sum(reference);
  if (values < 2 || !(fullestShare < 1)) return null;
  const learned = overdispersion(counted.map(({ counts }) => validCounts(variable, counts)));
  return {
    feature: variable.name,
    metric: 'constant_records',
    value: values,
    logPValue: ((values - 1) / learned) * Math.log(fullestShare),
    increase: 1 - fullestShare,
    records: values,
    referenceRecords: sum(reference),
    threshold: level => 1 + (learned * Math.log(level)) / Math.log(fullestShare),
    statement: `${variable.name} had one and the same value ${values} times`,
    large: true,
  };
}

/** A feature that the reference never had is worth a warning: somebody changed what is logged. */
function testUnknownFeatures(tests: QualityTests, { recent, reference }: Comparison): void {
  for (const [name, carried] of recent.unknownFeatures) {
    tests.tested += 1;
    const before = { hits: reference.unknownFeatures.get(name) ?? 0, total: reference.records };
    const now = { hits: carried, total: recent.records };
    if (rateOf(now) - rateOf(before) < smallestRateIncrease) continue;
    const test = rateTest(name, 'unseen_rate', before, now, 1, smallestRateIncrease);
    tests.notable.push({
      ...test,
      large: false,
      statement: `feature ${name} appeared, in ${percent(rateOf(now))} of the records`,
    });
  }
}
