import { Counter, Gauge } from 'prom-client';
import type { ServiceMetrics } from '../shared/service/metrics.ts';

/** Creates the metrics that only the evaluator has. */
export function evaluatorMetrics({ registry }: ServiceMetrics) {
  return {
    waitingFeedback: new Counter({
      name: 'driftloop_feedback_waiting_total',
      help: 'Feedback ids whose prediction was not stored yet when the feedback came',
      registers: [registry],
    }),
    setApart: new Gauge({
      name: 'driftloop_outcomes_set_apart',
      help: 'Labelled predictions that do not fit, in the newest windows of the versions that this replica has computed',
      registers: [registry],
    }),
  };
}
