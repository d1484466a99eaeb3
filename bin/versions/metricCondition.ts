/** What a figure of the gates must be. */
export interface MetricCondition {
  metric: string;
  operator: '<' | '<=' | '>' | '>=' | '=';
  value: number;
}

/**
 * Reads a condition on a metric, or returns null if the text is none.
 * @example metricCondition('challengerLoss<0.2') // { metric: 'challengerLoss', operator: '<', value: 0.2 }
 */
export function metricCondition(text: string): MetricCondition | null {
  const match = /^\s*([^<>=\s]+)\s*(<=|>=|<|>|=)\s*(\S+)\s*$/.exec(text);
  const value = Number(match?.[3]);
  if (!match || !Number.isFinite(value)) return null;
  return { metric: match[1]!, operator: match[2] as MetricCondition['operator'], value };
}
