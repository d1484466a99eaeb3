import { effectiveCount } from '../../shared/statistics/effectiveCount.ts';
import { likelihoodRatio, rateReaching } from '../../shared/statistics/rateIncrease.ts';
import type { WindowPerformance } from '../blocks/windowObservation.ts';
import type { Comparison } from '../reference/comparison.ts';
import { type Judgement, oneSided } from '../significance/nullModel.ts';
import { statisticThreshold } from '../significance/statisticThreshold.ts';
import {
  type BestReferenceTest,
  type ReferenceMeasurement,
  type TestNullModel,
  testBestReference,
} from '../significance/testBestReference.ts';
import { type PerformanceDrop, toleratedRise } from './toleratedRise.ts';

export interface ErrorStatistic
  extends MeasuredError,
    Judgement,
    Pick<BestReferenceTest<MeasuredError>, 'cycle' | 'measured'> {
  /** Returns the judgement of a statistic of that size, for a loss that rose. */
  judgementOf(statistic: number): Judgement;
}

interface MeasuredError extends ReferenceMeasurement {
  /** Mean loss: the share of wrong classes, or the mean absolute error. */
  value: number;
  referenceValue: number;
  /** Rise up to which the loss counts as unchanged, in the unit of `value`. */
  floor: number;
  /** Returns the mean loss that belongs to a statistic. */
  valueAt(statistic: number): number;
}

export interface ErrorOptions {
  minimumRecords: number;
  /** Rise up to which the loss counts as unchanged. */
  performanceDrop: PerformanceDrop;
}

/**
 * Tests whether the mean loss has risen, one-sided. Returns null when too few predictions are
 * labelled.
 */
export function errorStatistic(
  comparison: Comparison,
  options: ErrorOptions,
  significance: TestNullModel,
): ErrorStatistic | null {
  const recent = comparison.recent.performance;
  const reference = comparison.reference.performance;
  if (!recent || !reference) return null;
  if (Math.min(recent.labelled, reference.labelled) < options.minimumRecords) return null;
  const measure = recent.task === 'regression' ? meanLoss : errorRate;
  const best = testBestReference(comparison, significance, reference => {
    const performance = reference.performance();
    if (!performance) return null;
    const measured = measure(performance, recent, options);
    return { ...measured, fell: measured.value < measured.referenceValue };
  });
  return best && riseTest(best);
}

/**
 * Makes the test one-sided. The p-value is half of the two-sided one if the loss rose by enough to
 * matter, and 1 if it did not.
 */
function riseTest({
  test,
  cycle,
  measured,
  judgementOf,
}: BestReferenceTest<MeasuredError>): ErrorStatistic {
  const rise = (statistic: number) => oneSided(judgementOf(statistic));
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

function errorRate(
  reference: WindowPerformance,
  recent: WindowPerformance,
  options: ErrorOptions,
): MeasuredError {
  const before = { hits: reference.lossSum, total: reference.labelled };
  const now = { hits: recent.lossSum, total: recent.labelled };
  return {
    ...sizes(reference, recent),
    value: now.hits / now.total,
    referenceValue: before.hits / before.total,
    floor: toleratedRise(options.performanceDrop, before.hits / before.total, 'absolute'),
    statistic: likelihoodRatio(before, now),
    valueAt: statistic => rateReaching(before, now.total, statistic),
  };
}

/**
 * Returns the square of Welch's statistic (Biometrika 34, 1947) of the logarithms of the means,
 *
 *     ln(ȳ / ȳ₀)² / (s² / (n ȳ²) + s₀² / (n₀ ȳ₀²)),
 *
 * because losses vary in proportion to their mean. Where one of the means is 0 it is that of the
 * means themselves. Losses are skewed to the right, where the statistic is conservative, because a
 * single huge loss raises the variance together with the mean.
 */
function meanLoss(
  reference: WindowPerformance,
  recent: WindowPerformance,
  options: ErrorOptions,
): MeasuredError {
  const before = meanAndVariance(reference);
  const now = meanAndVariance(recent);
  const isRatio = before.mean > 0 && now.mean > 0;
  const scaled = ({ mean, variance }: typeof now) => (isRatio ? variance / mean ** 2 : variance);
  const variance = scaled(before) / reference.labelled + scaled(now) / recent.labelled;
  const difference = isRatio ? Math.log(now.mean / before.mean) : now.mean - before.mean;
  return {
    ...sizes(reference, recent),
    value: now.mean,
    referenceValue: before.mean,
    floor: toleratedRise(options.performanceDrop, before.mean, 'relative'),
    statistic: variance > 0 ? difference ** 2 / variance : difference === 0 ? 0 : Number.MAX_VALUE,
    valueAt(statistic) {
      const needed = Math.sqrt(statistic * variance);
      return isRatio ? before.mean * Math.exp(needed) : before.mean + needed;
    },
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

/** Returns the mean, and the variance as a share of its square. */
function meanAndVariance({ labelled, lossSum, lossSquareSum }: WindowPerformance): {
  mean: number;
  variance: number;
} {
  const mean = lossSum / labelled;
  return { mean, variance: Math.max(0, lossSquareSum / labelled - mean * mean) };
}

/** Returns the mean loss at which the test says that the model became worse. */
export function errorThreshold(test: ErrorStatistic, level: number): number {
  const needed = statisticThreshold(test.judgementOf, level);
  return Math.max(test.valueAt(needed), test.referenceValue + test.floor);
}
