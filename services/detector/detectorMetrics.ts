import { Counter, Gauge, Histogram } from 'prom-client';
import type { ServiceMetrics } from '../shared/service/metrics.ts';
import type { WatchedVersion } from './judging/watchedVersion.ts';
import { combinedWatermarkMs } from './judging/windowReadiness.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * Registers the metrics of the detector, and returns those that it counts itself. None has a label
 * per model, because there may be thousands of models and Prometheus needs a bounded number of
 * series. `driftloop status` and the tables tell the models apart.
 * @param held returns the versions in memory; called at each scrape
 */
export function detectorMetrics(
  { registry, observeCaches }: ServiceMetrics,
  held: () => Iterable<WatchedVersion>,
  now: () => number,
) {
  const registers = [registry];
  observeCaches(() => ({ versions: [...held()].length }));
  new Histogram({
    name: 'driftloop_watermark_age_seconds',
    help: 'Versions in memory by wall clock minus watermark at the scrape: a snapshot, no running total',
    buckets: [minute, 5 * minute, 15 * minute, hour, 3 * hour, 6 * hour, 12 * hour, day, 7 * day],
    registers,
    collect() {
      this.reset();
      this.zero({});
      for (const { readiness, settings } of held()) {
        const ageMs = now() - combinedWatermarkMs(readiness, now(), settings.idleMs);
        if (Number.isFinite(ageMs)) this.observe(ageMs / 1000);
      }
    },
  });
  new Gauge({
    name: 'driftloop_open_drift_events',
    help: 'Drift events of the versions in memory that are open, by cause',
    labelNames: ['cause'],
    registers,
    collect() {
      this.reset();
      for (const { events } of held())
        for (const { status, cause } of events.values()) if (status === 'open') this.inc({ cause });
    },
  });
  return {
    judgedWindows: new Counter({
      name: 'driftloop_evaluated_windows_total',
      help: 'Windows judged, by status; a revision counts again',
      labelNames: ['status'],
      registers,
    }),
    driftEvents: new Counter({
      name: 'driftloop_drift_event_revisions_total',
      help: 'Revisions of drift events published',
      labelNames: ['cause', 'status'],
      registers,
    }),
  };
}
