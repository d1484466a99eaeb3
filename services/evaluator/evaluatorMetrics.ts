import { Counter } from 'prom-client';
import type { ServiceMetrics } from '../shared/service/metrics.ts';

export function evaluatorMetrics({ registry }: ServiceMetrics) {
  return {
    waitingFeedback: new Counter({
      name: 'driftloop_feedback_waiting_total',
      help: 'Ids of feedback whose prediction was not stored yet when it came',
      registers: [registry],
    }),
  };
}
