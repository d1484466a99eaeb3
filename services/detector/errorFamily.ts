import { logNormalSurvival } from '../shared/statistics/normalSurvival.ts';
import { overdispersion } from '../shared/statistics/overdispersion.ts';
import type { Block } from './block.ts';
import { chiSquaredThreshold } from './chiSquaredThreshold.ts';
import { type Comparison, minimumReferenceBlocks, pooledCounts } from './comparison.ts';
import { type Evidence, percent, shown } from './evidence.ts';
import { rateIncreaseLogPValue, rateIncreaseThreshold } from './rateIncrease.ts';
import type { WindowPerformance } from './windowObservation.ts';

/** Blocks' worth of belief that losses are independent, as in `overdispersion`. */
const priorBlocks = 20;

export interface ErrorTest {
  /** Mean loss: the share of wrong classes, or the mean absolute error. */
  value: number;
  referenceValue: number;
  threshold: number;
  logPValue: number;
  overdispersion: number;
  records: number;
  referenceRecords: number;
}

export interface ErrorTestOptions {
  minimumRecords: number;
  /** Rise that is too small to matter: in points of accuracy, or for regression as a share of the mean absolute error. */
  performanceDrop: number;
  level: number;
}

/** Whether the reference has enough labelled predictions. */
export function hasErrors({ reference }: Comparison): boolean {
  return reference.labelledBlocks >= minimumReferenceBlocks && reference.performance !== null;
}

/** Whether the mean loss has risen, one-sided; null when too few predictions are labelled. */
export function errorTest(comparison: Comparison, options: ErrorTestOptions): ErrorTest | null {
  const recent = comparison.recent.performance;
  const reference = comparison.reference.performance;
  if (!hasErrors(comparison) || !recent || !reference) return null;
  if (Math.min(recent.labelled, reference.labelled) < options.minimumRecords) return null;
  return recent.task === 'regression'
    ? meanLossTest(comparison, reference, recent, options)
    : errorRateTest(comparison, reference, recent, options);
}

function errorRateTest(
  { referenceBlocks, scale }: Comparison,
  reference: WindowPerformance,
  recent: WindowPerformance,
  { performanceDrop, level }: ErrorTestOptions,
): ErrorTest {
  const before = { hits: reference.lossSum, total: reference.labelled };
  const now = { hits: recent.lossSum, total: recent.labelled };
  const learned = overdispersion(
    pooledCounts(referenceBlocks, scale, ({ performance }) =>
      performance && performance.labelled > 0
        ? [performance.lossSum, performance.labelled - performance.lossSum]
        : null,
    ),
  );
  return {
    value: now.hits / now.total,
    referenceValue: before.hits / before.total,
    threshold: rateIncreaseThreshold(before, now.total, learned, level, performanceDrop),
    logPValue: rateIncreaseLogPValue(before, now, learned),
    overdispersion: learned,
    records: now.total,
    referenceRecords: before.total,
  };
}

/**
 * Welch's test on the means (Biometrika 34, 1947), with the variance between blocks learned from the reference. Losses
 * are skewed to the right, where its statistic is conservative: a single huge loss raises the variance with the mean.
 */
function meanLossTest(
  { referenceBlocks, scale }: Comparison,
  reference: WindowPerformance,
  recent: WindowPerformance,
  { performanceDrop, level }: ErrorTestOptions,
): ErrorTest {
  const before = meanAndVariance(reference);
  const now = meanAndVariance(recent);
  const learned = lossOverdispersion(referenceBlocks, scale, before);
  const standardError = Math.sqrt(learned * (before.variance / reference.labelled + now.variance / recent.labelled));
  const rise = now.mean - before.mean;
  const floor = before.mean * performanceDrop;
  const quantile = standardError > 0 ? Math.sqrt(chiSquaredThreshold(1, 2 * level)) * standardError : 0;
  return {
    value: now.mean,
    referenceValue: before.mean,
    threshold: before.mean + Math.max(floor, quantile),
    logPValue: rise <= 0 ? 0 : standardError > 0 ? logNormalSurvival(rise / standardError) : Number.NEGATIVE_INFINITY,
    overdispersion: learned,
    records: recent.labelled,
    referenceRecords: reference.labelled,
  };
}

function meanAndVariance({ labelled, lossSum, lossSquareSum }: WindowPerformance): { mean: number; variance: number } {
  const mean = lossSum / labelled;
  return { mean, variance: Math.max(0, lossSquareSum / labelled - mean * mean) };
}

/** As `overdispersion`, for means: Σ n (block mean − mean)² / variance over m − 1, shrunken towards 1. At least 1. */
function lossOverdispersion(
  blocks: readonly Block[],
  scale: number,
  { mean, variance }: { mean: number; variance: number },
): number {
  const pooled = pooledCounts(blocks, scale, ({ performance }) =>
    performance && performance.labelled > 0 ? [performance.labelled, performance.lossSum] : null,
  );
  if (pooled.length < 2 || variance === 0) return 1;
  const squares = pooled.reduce((total, [count, loss]) => total + count! * (loss! / count! - mean) ** 2, 0);
  return Math.max(1, (squares / variance + priorBlocks) / (pooled.length - 1 + priorBlocks));
}

/** Has the model become worse, by more than is too small to matter? */
export function errorEvidence(comparison: Comparison, options: ErrorTestOptions): Evidence | null {
  const test = errorTest(comparison, options);
  if (!test || test.value < test.threshold) return null;
  const regression = comparison.recent.performance!.task === 'regression';
  const text = (value: number) => (regression ? shown(value) : percent(value));
  return {
    family: 'error',
    scale: comparison.scale,
    feature: null,
    metric: 'error',
    value: test.value,
    threshold: test.threshold,
    pValue: Math.exp(test.logPValue),
    logPValue: test.logPValue,
    records: test.records,
    referenceRecords: test.referenceRecords,
    large: true,
    contributions: {},
    statement:
      `the ${regression ? 'mean absolute error' : 'error rate'} rose from ${text(test.referenceValue)} to ${text(test.value)} ` +
      `(threshold ${text(test.threshold)}, p ${shown(Math.exp(test.logPValue))}; ${test.records} labels against ${test.referenceRecords})`,
  };
}
