import { Counter, Gauge } from 'prom-client';
import type { ServiceMetrics } from '../shared/metrics.ts';

/** Models beyond these have no gauges of their own: labels without a limit are the death of a Prometheus. */
const mostModels = 100;

export type DetectorMetrics = ReturnType<typeof detectorMetrics>;

export function detectorMetrics({ registry }: ServiceMetrics) {
  const registers = [registry];
  const evaluatedWindows = new Counter({
    name: 'driftloop_evaluated_windows_total',
    help: 'Windows judged, by status; a revision counts again',
    labelNames: ['status'],
    registers,
  });
  const driftEvents = new Counter({
    name: 'driftloop_drift_event_revisions_total',
    help: 'Revisions of drift events published',
    labelNames: ['cause', 'status'],
    registers,
  });
  const openDriftEvents = new Gauge({
    name: 'driftloop_open_drift_events',
    help: 'Drift events that are open, of the version of a model that was judged last',
    labelNames: ['model'],
    registers,
  });
  const watermarkAge = new Gauge({
    name: 'driftloop_watermark_age_seconds',
    help: 'Wall clock less the combined watermark when the model was judged last',
    labelNames: ['model'],
    registers,
  });
  const models = new Set<string>();
  return {
    evaluatedWindows,
    driftEvents,
    observeModel(model: string, openEvents: number, watermarkAgeMs: number): void {
      if (models.size >= mostModels && !models.has(model)) return;
      models.add(model);
      openDriftEvents.set({ model }, openEvents);
      if (Number.isFinite(watermarkAgeMs)) watermarkAge.set({ model }, watermarkAgeMs / 1000);
    },
  };
}
