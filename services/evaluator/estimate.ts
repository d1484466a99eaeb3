export const estimatedMetrics = ['accuracy', 'precision', 'recall', 'f1', 'auc'] as const;
export type EstimatedMetric = (typeof estimatedMetrics)[number];

/** What a metric of a window between 0 and 1 will probably be. */
export interface Estimate {
  value: number;
  /** Of an interval that holds the realised value in 95 % of the windows, if nothing but inputs changed. */
  lower: number;
  upper: number;
}

/** null: cannot be said. */
export type Estimates = Partial<Record<EstimatedMetric, Estimate | null>>;

const z95 = 1.959963984540054;

export function estimateWithin(value: number, variance: number): Estimate {
  const half = z95 * Math.sqrt(variance);
  const within = (bound: number) => Math.max(0, Math.min(1, bound));
  return { value: within(value), lower: within(value - half), upper: within(value + half) };
}
