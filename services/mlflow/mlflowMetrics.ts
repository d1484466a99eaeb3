import { Counter } from 'prom-client';
import type { ServiceMetrics } from '../shared/service/metrics.ts';

export type MlflowMetrics = ReturnType<typeof mlflowMetrics>;

export function mlflowMetrics({ registry }: ServiceMetrics) {
  const registers = [registry];
  return {
    retries: new Counter({
      name: 'driftloop_mlflow_retries_total',
      help: 'Attempts to bring something into MLflow that failed and were repeated',
      registers,
    }),
    refusals: new Counter({
      name: 'driftloop_mlflow_refusals_total',
      help: 'What MLflow refuses for its content, and therefore does not have',
      registers,
    }),
  };
}
