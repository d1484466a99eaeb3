import { sum } from 'simple-statistics';
import { totalCount, validCounts } from '../../shared/bins/countVector.ts';
import { overdispersion } from '../../shared/statistics/overdispersion.ts';
import {
  type Rate,
  rateIncreaseLogPValue,
  rateIncreaseThreshold,
  rateOf,
} from '../../shared/statistics/rateIncrease.ts';
import type { FrozenVariable } from '../blocks/frozenVariable.ts';
import type { VariableKind } from '../blocks/windowObservation.ts';
import type { Comparison } from '../reference/comparison.ts';
import type { NullModel } from '../significance/nullModel.ts';
import type { StreamNullModel } from '../significance/streamNullModel.ts';
import { percent } from './evidence.ts';
import { defectCount, type RateMetric, rateMetrics, rateOverdispersion } from './qualityRates.ts';
import type { TestOptions } from './testFamily.ts';
import type { ResultDetail } from './testResult.ts';

/** Rise of a rate below which a change does not matter, for any number of records. */
const minRateIncrease = 0.01;
/**
 * Rise that has to be exceeded significantly. It is smaller than the rise that matters, because the
 * few records of one window may exceed that one by chance.
 */
const toleratedRateIncrease = minRateIncrease / 2;
/** Rise of a rate that matters on its own. */
const largeRateIncrease = 0.2;

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
  /** Says what changed and by how much, for a person. */
  summary: string;
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
  { frozen, newFeaturesMatter }: TestOptions,
): QualityTest[] {
  const tests: QualityTest[] = [];
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
        minIncrease: minIncrease(metric, significance),
      };
      // Without a defect in the reference there is nothing to learn from.
      const learned = () =>
        rates.reference.hits === 0 ? 1 : rateOverdispersion(comparison, key, metric);
      const { noiseWeight } = significance;
      tests.push(rateTest({ feature: variable.name, metric, noiseWeight }, rates, learned, level));
    }
    // Constant predictions are prediction drift, not a defect of the data.
    if (kind === 'feature') tests.push(stuckTest(comparison, key, variable, significance));
  }
  if (kind === 'feature' && newFeaturesMatter) tests.push(...unknownFeatureTests(comparison));
  return tests;
}

interface RatePair {
  recent: Rate;
  reference: Rate;
  /** Rise below which a change does not matter. */
  minIncrease: number;
}

/**
 * Returns the smallest rise of a rate that matters. It is larger for new values if the stream
 * varies by more than sampling noise, because such a stream has new values now and then.
 */
function minIncrease(metric: RateMetric, { noiseWeight }: NullModel): number {
  const isNovelty = metric === 'unseen_rate' || metric === 'out_of_range_rate';
  return isNovelty && noiseWeight < 0.5 ? largeRateIncrease : minRateIncrease;
}

/** Returns the rate that a recent one is tested against. */
function toleratedRate({ hits, total }: Rate): Rate {
  return { hits: Math.min(total, hits + toleratedRateIncrease * total), total };
}

function rateTest(
  about: Pick<QualityTest, 'feature' | 'noiseWeight'> & { metric: RateMetric },
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
    notable: notableIncrease(about, rates, learned, level),
    detail: ofLevel => rateDetail(rates, learned(), ofLevel),
  };
}

function notableIncrease(
  { feature, metric }: { feature: string; metric: RateMetric },
  { recent, reference, minIncrease }: RatePair,
  learned: () => number,
  level: number,
): NotableDefect | null {
  const increase = rateOf(recent) - rateOf(reference);
  if (recent.hits === 0 || increase < minIncrease) return null;
  const tolerated = toleratedRate(reference);
  // The dispersion only makes the p-value larger. If the p-value is too large already, the
  // dispersion need not be computed.
  if (rateIncreaseLogPValue(tolerated, recent, 1) > Math.log(level)) return null;
  return {
    logPValue: rateIncreaseLogPValue(tolerated, recent, learned()),
    increase,
    large: increase >= largeRateIncrease,
    summary: `${feature} ${defectNames[metric]} in ${percent(rateOf(recent))} of the records, up from ${percent(rateOf(reference))}`,
  };
}

function rateDetail(
  { recent, reference, minIncrease }: RatePair,
  dispersion: number,
  level: number,
): ResultDetail {
  const tolerated = toleratedRate(reference);
  const significant = rateIncreaseThreshold(tolerated, recent.total, dispersion, level);
  return {
    pValue: Math.exp(rateIncreaseLogPValue(tolerated, recent, dispersion)),
    threshold: Math.max(significant, rateOf(reference) + minIncrease),
    overdispersion: dispersion,
  };
}

/**
 * Tests for a stuck sensor. All n values of the last block are the same, although the fullest bin
 * of the reference holds only a share s and no block of it was constant. p = s^((n − 1) / φ).
 */
function stuckTest(
  comparison: Comparison,
  key: string,
  variable: FrozenVariable,
  { noiseWeight }: NullModel,
): QualityTest {
  const run = constantRun(comparison, key);
  const values = run?.values ?? 0;
  const logPValueOf = ({ dispersion, logShare }: ConstantRun) =>
    ((values - 1) / dispersion) * logShare;
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
      summary: `${variable.name} had one and the same value ${values} times`,
    },
    detail: level => ({
      pValue: run ? Math.exp(logPValueOf(run)) : 1,
      threshold: run
        ? 1 + (run.dispersion * Math.log(level)) / run.logShare
        : Number.POSITIVE_INFINITY,
      overdispersion: run?.dispersion ?? null,
    }),
  };
}

interface ConstantRun {
  values: number;
  referenceValues: number;
  /** Natural logarithm of the share of the fullest bin of the reference. */
  logShare: number;
  dispersion: number;
}

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
  const referenceCounts = validCounts(reference.variables.get(key)!.counts);
  const referenceValues = sum(referenceCounts);
  const fullestShare = Math.max(...referenceCounts) / referenceValues;
  if (values < 2 || !(fullestShare < 1)) return null;
  return {
    values,
    referenceValues,
    logShare: Math.log(fullestShare),
    dispersion: overdispersion(counted.map(({ counts }) => validCounts(counts))),
  };
}

/**
 * Returns a test for each feature that the reference never had. Such a feature is worth a warning,
 * because a person changed what is logged.
 */
function unknownFeatureTests({ recent, reference }: Comparison): QualityTest[] {
  return Array.from(recent.unknownFeatures, ([feature, hits]) => {
    const rates: RatePair = {
      recent: { hits, total: recent.records },
      reference: {
        hits: reference.unknownFeatures.get(feature) ?? 0,
        total: reference.records,
      },
      minIncrease: minRateIncrease,
    };
    const now = rateOf(rates.recent);
    const increase = now - rateOf(rates.reference);
    const tolerated = toleratedRate(rates.reference);
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
        increase < minRateIncrease
          ? null
          : {
              logPValue: rateIncreaseLogPValue(tolerated, rates.recent, 1),
              increase,
              large: false,
              summary: `feature ${feature} appeared, in ${percent(now)} of the records`,
            },
      detail: level => rateDetail(rates, 1, level),
    };
  });
}
