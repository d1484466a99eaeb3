import type { Task } from '../../shared/task.ts';

export const binaryMetrics = ['accuracy', 'precision', 'recall', 'f1', 'auc'] as const;
export const lossMetrics = ['mae', 'rmse'] as const;
export type BinaryMetric = (typeof binaryMetrics)[number];
export type LossMetric = (typeof lossMetrics)[number];
export type EstimatedMetric = BinaryMetric | LossMetric;

/** Those that are estimated of a task: columns of performance_windows. */
export function estimatedMetrics(task: Task): readonly EstimatedMetric[] {
  if (task === 'regression') return lossMetrics;
  return task === 'binary' ? binaryMetrics : binaryMetrics.filter(metric => metric !== 'auc');
}

/** What a metric of a window will probably be. */
export interface Estimate {
  value: number;
  /** Of an interval that holds the realised value in 95 % of the windows, if nothing but inputs changed. */
  lower: number;
  upper: number;
}

/** null: cannot be said. */
export type Estimates = Partial<Record<EstimatedMetric, Estimate | null>>;

const z95 = 1.959963984540054;

/** Of a metric between 0 and 1. */
export function estimateWithin(value: number, variance: number): Estimate {
  const half = z95 * Math.sqrt(variance);
  const within = (bound: number) => Math.max(0, Math.min(1, bound));
  return { value: within(value), lower: within(value - half), upper: within(value + half) };
}

/** Of a metric above 0 without an upper end: symmetric in its logarithm, as means of losses are skewed. */
export function estimateAbove(value: number, variance: number): Estimate {
  const factor = Math.exp((z95 * Math.sqrt(variance)) / value);
  return { value, lower: value / factor, upper: value * factor };
}
