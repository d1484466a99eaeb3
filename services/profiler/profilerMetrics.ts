import { Counter, Gauge } from 'prom-client';
import type { ServiceMetrics } from '../shared/service/metrics.ts';
import type { Tally, VersionState } from './counting/profiler.ts';

/** Labels, and where the tally has their figure. */
const verdicts = entries({
  on_time: 'onTime',
  late: 'late',
  too_late: 'tooLate',
  duplicate: 'duplicates',
  replayed: 'replayed',
});
const limits = entries({
  feature_names: 'foldedNames',
  segment_values: 'foldedSegmentValues',
  deduplication_ids: 'idsForgottenEarly',
});

function entries(keyByLabel: Record<string, keyof Tally>): [label: string, key: keyof Tally][] {
  return Object.entries(keyByLabel);
}

/** @param heldBytes asked for at each scrape */
export function profilerMetrics({ registry }: ServiceMetrics, heldBytes: () => number) {
  new Gauge({
    name: 'driftloop_cache_bytes',
    help: 'Bytes that what is held of versions took at the last flush: ids, windows',
    registers: [registry],
    collect() {
      this.set(heldBytes());
    },
  });
  const predictions = new Counter({
    name: 'driftloop_predictions_total',
    help: 'Usable predictions by what became of them; a record that is delivered again counts again, as replayed',
    labelNames: ['verdict'],
    registers: [registry],
  });
  const limitHits = new Counter({
    name: 'driftloop_limit_hits_total',
    help: 'Values counted under (other) and ids forgotten before their time, because a limit was reached',
    labelNames: ['limit'],
    registers: [registry],
  });
  return {
    /** Takes over what a version counted since the last time. */
    count({ tally }: VersionState): void {
      for (const [verdict, key] of verdicts)
        if (tally[key] > 0) predictions.inc({ verdict }, tally[key]);
      for (const [limit, key] of limits) if (tally[key] > 0) limitHits.inc({ limit }, tally[key]);
      for (const [, key] of [...verdicts, ...limits]) tally[key] = 0;
    },
  };
}
