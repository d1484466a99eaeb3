import type { Task } from '../../../shared/task.ts';

export const binaryMetrics = ['accuracy', 'precision', 'recall', 'f1', 'auc'] as const;
const lossMetrics = ['mae', 'rmse'] as const;
export type BinaryMetric = (typeof binaryMetrics)[number];
/** Metrics of a multiclass model. Precision, recall and F1 are macro averages. */
export type ClassMetric = Exclude<BinaryMetric, 'auc'>;
export type LossMetric = (typeof lossMetrics)[number];
export type EstimatedMetric = BinaryMetric | LossMetric;

/** Returns the metrics that are estimated for a task. They are columns of performance_windows. */
export function estimatedMetrics(task: Task): readonly EstimatedMetric[] {
  if (task === 'regression') return lossMetrics;
  return task === 'binary' ? binaryMetrics : binaryMetrics.filter(metric => metric !== 'auc');
}

/** An estimate of a metric of a window. */
export interface Estimate {
  value: number;
  /**
   * Lower end of an interval that holds the realised value in 95 % of the windows, if only inputs
   * change.
   */
  lower: number;
  /** Upper end of the same interval. */
  upper: number;
}

/** Estimates by metric; null for a metric that cannot be estimated. */
export type Estimates = Partial<Record<EstimatedMetric, Estimate | null>>;

const z95 = 1.959963984540054;

/** Returns the estimate of a metric between 0 and 1. */
export function estimateWithin(value: number, variance: number): Estimate {
  const half = z95 * Math.sqrt(variance);
  const within = (bound: number) => Math.max(0, Math.min(1, bound));
  return { value: within(value), lower: within(value - half), upper: within(value + half) };
}

/**
 * Returns the estimate of a metric above 0 that has no upper end. The interval is symmetric in the
 * logarithm, because means of losses are skewed.
 */
export function estimateAbove(value: number, variance: number): Estimate {
  const factor = Math.exp((z95 * Math.sqrt(variance)) / value);
  return { value, lower: value / factor, upper: value * factor };
}
