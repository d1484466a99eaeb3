import { effectiveCount } from '../../shared/statistics/effectiveCount.ts';
import { likelihoodRatio, rateReaching } from '../../shared/statistics/rateIncrease.ts';
import type { WindowPerformance } from '../blocks/windowObservation.ts';
import { type Comparison, minimumReferenceBlocks } from '../reference/comparison.ts';
import {
  type BestTest,
  bestTest,
  earlierRecords,
  type ReferenceMeasurement,
  type TestSignificance,
} from '../significance/bestTest.ts';
import type { Judgement } from '../significance/significance.ts';
import { statisticThreshold } from '../significance/statisticThreshold.ts';
import { errorKey } from '../significance/streamHistory.ts';
import type { StreamSignificance } from '../significance/streamSignificance.ts';
import { levelOfFamily } from '../significance/tailHistory.ts';
import { type Evidence, percent, shown } from './evidence.ts';
import type { FamilyResult } from './familyResult.ts';

export interface ErrorTest
  extends MeasuredError,
    Judgement,
    Pick<BestTest<MeasuredError>, 'cycle' | 'measured'> {
  /** Of so large a statistic, if the loss rose. */
  judgementOf(statistic: number): Judgement;
}

interface MeasuredError extends ReferenceMeasurement {
  /** Mean loss: the share of wrong classes, or the mean absolute error. */
  value: number;
  referenceValue: number;
  /** Rise that is too small to matter, on the scale of `value`. */
  floor: number;
  /** The value that belongs to a statistic. */
  valueAt(statistic: number): number;
}

export interface ErrorTestOptions {
  minimumRecords: number;
  /** Rise that is too small to matter: in points of accuracy, or for regression as a share of the mean absolute error. */
  performanceDrop: number;
}

/** Whether the reference has enough labelled predictions. */
export function hasErrors({ reference }: Comparison): boolean {
  return reference.labelledBlocks >= minimumReferenceBlocks && reference.performance !== null;
}

/** Whether the mean loss has risen, one-sided; null when too few predictions are labelled. */
export function errorTest(
  comparison: Comparison,
  options: ErrorTestOptions,
  significance: TestSignificance,
): ErrorTest | null {
  const recent = comparison.recent.performance;
  const reference = comparison.reference.performance;
  if (!hasErrors(comparison) || !recent || !reference) return null;
  if (Math.min(recent.labelled, reference.labelled) < options.minimumRecords) return null;
  const measure = recent.task === 'regression' ? meanLoss : errorRate;
  const best = bestTest(comparison, significance, reference => {
    const performance = reference.performance();
    if (!performance) return null;
    const measured = measure(performance, recent, options);
    return { ...measured, fell: measured.value < measured.referenceValue };
  });
  return best && riseTest(best);
}

/** One side of the test: half of the p-value if the loss rose by more than is too small to matter, 1 if not. */
function riseTest({ test, cycle, measured, judgementOf }: BestTest<MeasuredError>): ErrorTest {
  const rise = (statistic: number) => halved(judgementOf(statistic));
  const judgement = rise(test.statistic);
  const matters = test.value - test.referenceValue >= test.floor;
  return {
    ...test,
    cycle,
    measured,
    judgementOf: rise,
    ...judgement,
    ...(!matters && { pValue: 1, logPValue: 0 }),
  };
}

function halved(judgement: Judgement): Judgement {
  return { ...judgement, pValue: judgement.pValue / 2, logPValue: judgement.logPValue - Math.LN2 };
}

function errorRate(
  reference: WindowPerformance,
  recent: WindowPerformance,
  options: ErrorTestOptions,
): MeasuredError {
  const before = { hits: reference.lossSum, total: reference.labelled };
  const now = { hits: recent.lossSum, total: recent.labelled };
  return {
    ...sizes(reference, recent),
    value: now.hits / now.total,
    referenceValue: before.hits / before.total,
    floor: options.performanceDrop,
    statistic: likelihoodRatio(before, now),
    valueAt: statistic => rateReaching(before, now.total, statistic),
  };
}

/**
 * Welch's statistic of the means, squared (Biometrika 34, 1947). Losses are skewed to the right, where it is conservative: a
 * single huge loss raises the variance with the mean.
 */
function meanLoss(
  reference: WindowPerformance,
  recent: WindowPerformance,
  options: ErrorTestOptions,
): MeasuredError {
  const before = meanAndVariance(reference);
  const now = meanAndVariance(recent);
  const variance = before.variance / reference.labelled + now.variance / recent.labelled;
  const rise = now.mean - before.mean;
  return {
    ...sizes(reference, recent),
    value: now.mean,
    referenceValue: before.mean,
    floor: before.mean * options.performanceDrop,
    statistic: variance > 0 ? rise ** 2 / variance : rise === 0 ? 0 : Number.MAX_VALUE,
    valueAt: statistic => before.mean + Math.sqrt(statistic * variance),
  };
}

function sizes({ labelled: before }: WindowPerformance, { labelled: now }: WindowPerformance) {
  return {
    degreesOfFreedom: 1,
    size: effectiveCount(before, now),
    records: now,
    referenceRecords: before,
  };
}

function meanAndVariance({ labelled, lossSum, lossSquareSum }: WindowPerformance): {
  mean: number;
  variance: number;
} {
  const mean = lossSum / labelled;
  return { mean, variance: Math.max(0, lossSquareSum / labelled - mean * mean) };
}

/** The mean loss that would alarm. */
export function errorThreshold(test: ErrorTest, level: number): number {
  const needed = statisticThreshold(test.judgementOf, level);
  return Math.max(test.valueAt(needed), test.referenceValue + test.floor);
}

/** Has the model become worse, by more than is too small to matter? */
export function testErrors(
  comparison: Comparison,
  options: ErrorTestOptions,
  stream: StreamSignificance,
  level: number,
): FamilyResult | null {
  const { scale } = comparison;
  const significance = stream.of(errorKey);
  const test = errorTest(comparison, options, significance);
  if (!test) return null;
  const needed = levelOfFamily(stream.tail('error', scale), scale, significance.noiseWeight, level);
  return {
    family: 'error',
    tests: new Map([[errorKey, test.measured]]),
    logPValue: test.logPValue,
    evidence: test.pValue <= needed ? evidenceOf(comparison, test, needed) : null,
  };
}

function evidenceOf(comparison: Comparison, test: ErrorTest, level: number): Evidence {
  const regression = comparison.recent.performance!.task === 'regression';
  const text = (value: number) => (regression ? shown(value) : percent(value));
  const threshold = errorThreshold(test, level);
  return {
    family: 'error',
    scale: comparison.scale,
    feature: null,
    metric: 'error',
    value: test.value,
    threshold,
    pValue: test.pValue,
    logPValue: test.logPValue,
    records: test.records,
    referenceRecords: Math.round(test.referenceRecords),
    large: true,
    rise: regression ? Number.POSITIVE_INFINITY : test.value - test.referenceValue,
    contributions: {},
    predictionContributions: {},
    statement:
      `the ${regression ? 'mean absolute error' : 'error rate'} rose from ${text(test.referenceValue)} to ${text(test.value)} ` +
      `(threshold ${text(threshold)}, p ${shown(test.pValue)}, dispersion ${shown(test.overdispersion)}; ` +
      `${test.records} labels against ${earlierRecords(test)})`,
  };
}
