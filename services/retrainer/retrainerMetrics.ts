import { Counter, Histogram } from 'prom-client';
import type { ServiceMetrics } from '../shared/service/metrics.ts';

export type RetrainerMetrics = ReturnType<typeof retrainerMetrics>;

export function retrainerMetrics({ registry }: ServiceMetrics) {
  const registers = [registry];
  const runs = new Counter({
    name: 'driftloop_training_runs_total',
    help: 'Training runs by how they ended',
    labelNames: ['status'],
    registers,
  });
  // Prometheus would not see the first increase of a series that does not begin at 0.
  for (const status of ['skipped', 'failed', 'approved', 'rejected']) runs.inc({ status }, 0);
  const versionRequests = new Counter({
    name: 'driftloop_version_requests_total',
    help: 'Requests for a change of a model version, by answer',
    labelNames: ['status'],
    registers,
  });
  for (const status of ['accepted', 'refused']) versionRequests.inc({ status }, 0);
  return {
    runs,
    versionRequests,
    runSeconds: new Histogram({
      name: 'driftloop_training_run_seconds',
      help: 'Duration of a training run',
      buckets: [0.1, 1, 10, 60, 300, 1800],
      registers,
    }),
  };
}
