import { sum } from 'simple-statistics';
import { type CountVector, totalCount, validCounts } from '../../shared/bins/countVector.ts';
import type { ChangedValue } from '../../shared/contracts.ts';
import { overdispersion } from '../../shared/statistics/overdispersion.ts';
import {
  type Rate,
  rateIncreaseLogPValue,
  rateIncreaseThreshold,
  rateOf,
} from '../../shared/statistics/rateIncrease.ts';
import type { Block } from '../blocks/block.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import { valueNames } from '../blocks/valueNames.ts';
import type { VariableKind } from '../blocks/windowObservation.ts';
import { type Comparison, pooledCounts } from '../reference/comparison.ts';
import { isOrdered, type NullModel } from '../significance/nullModel.ts';
import type { StreamNullModel } from '../significance/streamNullModel.ts';
import { changedValuesOf } from './changedValues.ts';
import { percent } from './evidence.ts';
import { binName } from './largestShift.ts';
import { minimumEffectOf } from './minimumEffect.ts';
import { defectCount, type RateMetric, rateMetrics, rateOverdispersion } from './qualityRates.ts';
import type { TestOptions } from './testFamily.ts';
import type { ResultDetail } from './testResult.ts';
import { valuesStatement, writtenValue } from './valuesStatement.ts';

/**
 * Part of the rise that matters which has to be exceeded significantly. It is smaller, because the
 * few records of one window may exceed the whole by chance.
 */
const toleratedPart = 1 / 2;
/** Rise of a rate that matters on its own. */
const largeRateIncrease = 0.2;

/** A class of which fewer records are expected may be missing by chance. */
const minExpectedOfVanished = 10;

/**
 * Returns by how much two counts vary between blocks beyond sampling, with nothing assumed, and
 * more where few blocks show it.
 */
function waveOf(blocks: readonly number[][]): number {
  const total = sum(blocks.map(counts => sum(counts)));
  const share = sum(blocks.map(([count]) => count!)) / total;
  const squares = blocks.map(counts => {
    const records = sum(counts);
    const expected = records * share;
    return records > 0 ? (counts[0]! - expected) ** 2 / (expected * (1 - share)) : 0;
  });
  const degrees = Math.max(1, blocks.length - 1);
  return (sum(squares) / degrees) * (1 + 2 * Math.sqrt(2 / degrees));
}

/** One defect of one variable. */
export interface QualityTest {
  feature: string;
  metric: string;
  value: number;
  referenceValue: number | null;
  records: number;
  referenceRecords: number;
  noiseWeight: number;
  /**
   * False for a test that has no value to report, because the values of the window were not all the
   * same.
   */
  isReported: boolean;
  /** Null if the test cannot say "changed" at the level of the family, for any number of tests. */
  notable: NotableDefect | null;
  detail(level: number): ResultDetail;
}

interface NotableDefect {
  logPValue: number;
  /** Rise of the rate, as a share of the records. */
  increase: number;
  large: boolean;
  /** Describes the defect; only those that are evidence need it. */
  describe(): DescribedDefect;
}

interface DescribedDefect {
  /** Says what changed and by how much, for a person. */
  summary: string;
  /** Values that are new or gone. */
  values: readonly ChangedValue[];
}

const defectNames: Record<RateMetric, string> = {
  missing_rate: 'is missing',
  wrong_type_rate: 'has the wrong type',
  non_finite_rate: 'is NaN or infinite',
  unseen_rate: 'has values that the reference never had',
  out_of_range_rate: 'lies far outside the range of the reference',
};

/** Returns the tests of all variables of a kind. */
export function qualityTests(
  comparison: Comparison,
  kind: VariableKind,
  stream: StreamNullModel,
  level: number,
  { frozen, newFeaturesMatter, detection }: TestOptions,
): QualityTest[] {
  const tests: QualityTest[] = [];
  const { defects } = minimumEffectOf(detection);
  for (const [key, variable] of frozen) {
    const recent = comparison.recent.variables.get(key);
    const reference = comparison.reference.variables.get(key);
    if (variable.kind !== kind || !recent || !reference || reference.blocks === 0) continue;
    const significance = stream.of(key);
    const recentTotal = totalCount(recent.counts);
    const referenceTotal = totalCount(reference.counts);
    for (const metric of rateMetrics(variable)) {
      const rates: RatePair = {
        recent: { hits: defectCount(recent, metric), total: recentTotal },
        reference: { hits: defectCount(reference, metric), total: referenceTotal },
        defects,
        minIncrease: minIncrease(
          metric,
          defects,
          significance,
          () => blocksWith(comparison, key, metric) > 1,
        ),
      };
      // Without a defect in the reference there is nothing to learn from.
      const learned = () =>
        rates.reference.hits === 0 ? 1 : rateOverdispersion(comparison, key, metric);
      const { noiseWeight } = significance;
      const about = { feature: variable.name, metric, noiseWeight };
      const describe = () =>
        (metric === 'unseen_rate' && describedNews(comparison, key, variable, rates)) ||
        describedRate(about, rates);
      tests.push(rateTest({ ...about, describe }, rates, learned, level));
    }
    tests.push(stuckTest(comparison, key, variable, significance));
    if (kind === 'output') tests.push(...vanishedTests(comparison, key, variable, significance));
  }
  if (kind === 'feature' && newFeaturesMatter)
    tests.push(...unknownFeatureTests(comparison, defects));
  return tests;
}

interface RatePair {
  recent: Rate;
  reference: Rate;
  /** Rise that matters by the settings. */
  defects: number;
  /** Rise below which a change does not matter. It is larger where more is usual. */
  minIncrease: number;
}

/**
 * Returns the smallest rise of a rate that matters. It is larger for absurd numbers if the stream
 * varies by more than sampling noise, because such a stream has new extremes now and then; and for
 * new categories if more than one block of the reference brought some.
 */
function minIncrease(
  metric: RateMetric,
  defects: number,
  { noiseWeight }: NullModel,
  bringsNews: () => boolean,
): number {
  const isUsual =
    (metric === 'out_of_range_rate' && isOrdered(noiseWeight)) ||
    (metric === 'unseen_rate' && isOrdered(noiseWeight) && bringsNews());
  return isUsual ? Math.max(largeRateIncrease, defects) : defects;
}

function blocksWith({ referenceBlocks }: Comparison, key: string, metric: RateMetric): number {
  return referenceBlocks.filter(({ variables }) => {
    const counts = variables.get(key);
    return counts !== undefined && defectCount(counts, metric) > 0;
  }).length;
}

/** Returns the rate that a recent one is tested against. */
function toleratedRate({ hits, total }: Rate, defects: number): Rate {
  return { hits: Math.min(total, hits + toleratedPart * defects * total), total };
}

/** Describes a defect by its rate. */
function describedRate(
  { feature, metric }: { feature: string; metric: RateMetric },
  { recent, reference }: RatePair,
): DescribedDefect {
  const [now, before] = [recent, reference].map(rate => percent(rateOf(rate)));
  const summary = `${feature} ${defectNames[metric]} in ${now} of the records, up from ${before}`;
  return { summary, values: [] };
}

/** Describes values that the reference never had by their names; null if these are not known. */
function describedNews(
  comparison: Comparison,
  key: string,
  { name, bins, ...frozen }: FrozenVariable,
  { recent }: RatePair,
): DescribedDefect | null {
  const values = changedValuesOf(comparison, key, { ...frozen, name, bins });
  if (!values.some(({ share }) => share > 0)) return null;
  const summary = valuesStatement(values, {
    name,
    unit: 'records',
    newShare: rateOf(recent),
    nameOf: writtenValue(bins),
  });
  return { summary, values };
}

function rateTest(
  {
    describe,
    ...about
  }: Pick<QualityTest, 'feature' | 'metric' | 'noiseWeight'> & Pick<NotableDefect, 'describe'>,
  rates: RatePair,
  learned: () => number,
  level: number,
): QualityTest {
  const { recent, reference } = rates;
  return {
    ...about,
    value: rateOf(recent),
    referenceValue: rateOf(reference),
    records: recent.total,
    referenceRecords: reference.total,
    isReported: true,
    notable: notableIncrease(describe, rates, learned, level),
    detail: ofLevel => rateDetail(rates, learned(), ofLevel),
  };
}

function notableIncrease(
  describe: NotableDefect['describe'],
  { recent, reference, defects, minIncrease }: RatePair,
  learned: () => number,
  level: number,
): NotableDefect | null {
  const increase = rateOf(recent) - rateOf(reference);
  if (recent.hits === 0 || increase < minIncrease) return null;
  const tolerated = toleratedRate(reference, defects);
  // The dispersion only makes the p-value larger. If the p-value is too large already, the
  // dispersion need not be computed.
  if (rateIncreaseLogPValue(tolerated, recent, 1) > Math.log(level)) return null;
  return {
    logPValue: rateIncreaseLogPValue(tolerated, recent, learned()),
    increase,
    large: increase >= largeRateIncrease,
    describe,
  };
}

function rateDetail(
  { recent, reference, defects, minIncrease }: RatePair,
  dispersion: number,
  level: number,
): ResultDetail {
  const tolerated = toleratedRate(reference, defects);
  const significant = rateIncreaseThreshold(tolerated, recent.total, dispersion, level);
  return {
    pValue: Math.exp(rateIncreaseLogPValue(tolerated, recent, dispersion)),
    threshold: Math.max(significant, rateOf(reference) + minIncrease),
    overdispersion: dispersion,
  };
}

/**
 * Tests for a stuck sensor. All n values of the last block are the same, although two values of one
 * block of the reference lie in the same bin with a probability of s at most. p = s^(n − 1).
 */
function stuckTest(
  comparison: Comparison,
  key: string,
  variable: FrozenVariable,
  { noiseWeight }: NullModel,
): QualityTest {
  const run = constantRun(comparison, key);
  const values = run?.values ?? 0;
  const logPValueOf = ({ logShare }: ConstantRun) => (values - 1) * logShare;
  return {
    feature: variable.name,
    metric: 'constant_records',
    value: values,
    referenceValue: null,
    records: values,
    referenceRecords: run?.referenceValues ?? 0,
    noiseWeight,
    isReported: run !== null,
    notable: run && {
      logPValue: logPValueOf(run),
      increase: 1 - Math.exp(run.logShare),
      large: true,
      describe: () => describedRun(variable, comparison.recentBlocks.at(-1)!, key, values),
    },
    detail: level => ({
      pValue: run ? Math.exp(logPValueOf(run)) : 1,
      threshold: run ? 1 + Math.log(level) / run.logShare : Number.POSITIVE_INFINITY,
      overdispersion: null,
    }),
  };
}

/** Says how often a value came in a row, and which one if it has a bin to itself. */
function describedRun(
  frozen: FrozenVariable,
  { variables }: Block,
  key: string,
  values: number,
): DescribedDefect {
  const counts = validCounts(variables.get(key)!.counts);
  const name = valueNames(frozen)[counts.findIndex(count => count > 0)];
  const named = name ? ` (${writtenValue(frozen.bins)(name)})` : '';
  const summary = `${frozen.name} had one and the same value ${values} times${named}`;
  return { summary, values: [] };
}

interface ConstantRun {
  values: number;
  referenceValues: number;
  /**
   * Natural logarithm of the probability that two values of a block lie in the same bin, of the
   * block in which that is most probable.
   */
  logShare: number;
}

/** Blocks with fewer values do not show how values repeat. */
const minValuesOfBlock = 20;

/**
 * Returns the run of equal values in the last block; null if the block is not constant, or if that
 * is no surprise.
 */
function constantRun(
  { scale, recentBlocks, referenceBlocks, reference }: Comparison,
  key: string,
): ConstantRun | null {
  const last = recentBlocks.at(-1)!.variables.get(key);
  if (scale !== 1 || !last?.constant) return null;
  const counted = referenceBlocks
    .map(block => block.variables.get(key))
    .filter(counts => counts !== undefined);
  if (counted.some(({ constant }) => constant)) return null;
  const values = sum(validCounts(last.counts));
  const referenceValues = sum(validCounts(reference.variables.get(key)!.counts));
  const shares = counted.map(({ counts }) => repeatedShare(validCounts(counts)));
  const share = Math.max(0, ...shares);
  if (values < 2 || !(share > 0 && share < 1)) return null;
  return { values, referenceValues, logShare: Math.log(share) };
}

/** Returns the probability that two values of a block lie in the same bin; 0 for a small block. */
function repeatedShare(counts: readonly number[]): number {
  const values = sum([...counts]);
  if (values < minValuesOfBlock) return 0;
  return counts.reduce((total, count) => total + (count / values) ** 2, 0);
}

/**
 * Tests for a class that is no longer predicted: none of n values has it, although it had a share s
 * of the reference. p = (1 − s)^(n / φ).
 */
function vanishedTests(
  comparison: Comparison,
  key: string,
  frozen: FrozenVariable,
  { noiseWeight }: NullModel,
): QualityTest[] {
  const { recent, reference, referenceBlocks, scale } = comparison;
  const { name, type, binCount } = frozen;
  if (type !== 'categorical') return [];
  const ofClasses = (counts: CountVector) => counts.slice(0, binCount);
  const before = ofClasses(reference.variables.get(key)!.counts);
  const now = ofClasses(recent.variables.get(key)!.counts);
  const nameOf = (bin: number) => binName(frozen, bin);
  const changed = () => changedValuesOf(comparison, key, frozen);
  const blocks = () =>
    pooledCounts(referenceBlocks, scale, block => {
      const counts = block.variables.get(key);
      return counts ? ofClasses(counts.counts) : null;
    });
  const about = { feature: name, noiseWeight, nameOf, changed };
  return [vanishedTest(about, before, now, blocks)];
}

interface VanishingClasses extends Pick<QualityTest, 'feature' | 'noiseWeight'> {
  nameOf(bin: number): string;
  /** Returns the classes that are new or gone. */
  changed(): ChangedValue[];
}

/**
 * Tests for the most frequent class of the reference that the recent records do not have.
 * @param blocksOf the reference, pooled as the recent records are
 */
export function vanishedTest(
  { nameOf, changed, ...about }: VanishingClasses,
  before: readonly number[],
  now: readonly number[],
  blocksOf: () => number[][],
): QualityTest {
  const earlier = sum([...before]);
  const records = sum([...now]);
  const share = (bin: number) => before[bin]! / earlier;
  const gone = [...before.keys()].filter(bin => now[bin] === 0 && before[bin]! > 0);
  const vanished = gone.reduce<number | null>(
    (most, bin) => (most === null || before[bin]! > before[most]! ? bin : most),
    null,
  );
  const dispersionOf = (bin: number) => {
    const blocks = blocksOf().map(counts => [counts[bin]!, sum(counts) - counts[bin]!]);
    const shrunken = overdispersion(blocks);
    return isOrdered(about.noiseWeight) ? Math.max(shrunken, waveOf(blocks)) : shrunken;
  };
  const isExpected =
    vanished !== null &&
    records * share(vanished) >= minExpectedOfVanished &&
    blocksOf().every(counts => counts[vanished]! > 0 || sum(counts) < records / 2);
  const logPValueOf = (bin: number) =>
    (records * Math.log1p(-Math.min(share(bin), 1 - 1e-9))) / dispersionOf(bin);
  return {
    ...about,
    metric: 'vanished_rate',
    value: isExpected ? share(vanished) : 0,
    referenceValue: null,
    records,
    referenceRecords: earlier,
    isReported: isExpected,
    notable: isExpected
      ? {
          logPValue: logPValueOf(vanished),
          increase: share(vanished),
          large: true,
          describe: () => ({
            summary: `${about.feature} no longer has ${nameOf(vanished)}, which was ${percent(share(vanished))} of the records before`,
            values: changed(),
          }),
        }
      : null,
    detail: level => ({
      pValue: isExpected ? Math.exp(logPValueOf(vanished)) : 1,
      threshold: isExpected ? -Math.expm1((Math.log(level) * dispersionOf(vanished)) / records) : 1,
      overdispersion: isExpected ? dispersionOf(vanished) : null,
    }),
  };
}

/**
 * Returns a test for each feature that the reference never had. Such a feature is worth a warning,
 * because a person changed what is logged.
 */
function unknownFeatureTests({ recent, reference }: Comparison, defects: number): QualityTest[] {
  return Array.from(recent.unknownFeatures, ([feature, hits]) => {
    const rates: RatePair = {
      recent: { hits, total: recent.records },
      reference: {
        hits: reference.unknownFeatures.get(feature) ?? 0,
        total: reference.records,
      },
      defects,
      minIncrease: defects,
    };
    const now = rateOf(rates.recent);
    const increase = now - rateOf(rates.reference);
    const tolerated = toleratedRate(rates.reference, defects);
    return {
      feature,
      metric: 'unseen_rate',
      value: now,
      referenceValue: rateOf(rates.reference),
      records: recent.records,
      referenceRecords: reference.records,
      noiseWeight: 1,
      isReported: true,
      notable:
        increase < defects
          ? null
          : {
              logPValue: rateIncreaseLogPValue(tolerated, rates.recent, 1),
              increase,
              large: false,
              describe: () => ({
                summary: `feature ${feature} appeared, in ${percent(now)} of the records`,
                values: [],
              }),
            },
      detail: level => rateDetail(rates, 1, level),
    };
  });
}
