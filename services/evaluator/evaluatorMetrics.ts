import { Counter } from 'prom-client';
import type { ServiceMetrics } from '../shared/service/metrics.ts';

/** Creates the metrics that only the evaluator has. */
export function evaluatorMetrics({ registry }: ServiceMetrics) {
  return {
    waitingFeedback: new Counter({
      name: 'driftloop_feedback_waiting_total',
      help: 'Feedback ids whose prediction was not stored yet when the feedback came',
      registers: [registry],
    }),
  };
}
