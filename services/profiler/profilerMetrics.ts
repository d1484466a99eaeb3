import { Counter, Gauge } from 'prom-client';
import type { ServiceMetrics } from '../shared/service/metrics.ts';
import type { CountResult } from './counting/profiler.ts';
import type { Tally } from './counting/tally.ts';

/** Number of predictions by what became of them. The names are values of the label `verdict`. */
export type ResultCounts = Record<Extract<CountResult, string> | 'too_late' | 'shadow', number>;

export function noResults(): ResultCounts {
  return { on_time: 0, late: 0, too_late: 0, duplicate: 0, replayed: 0, shadow: 0 };
}

export function addResult(counts: ResultCounts, result: CountResult): void {
  counts[typeof result === 'object' ? 'too_late' : result]++;
}

/** Values of the label `limit`, and what the tally calls them. */
const limits: readonly [label: string, key: keyof Tally][] = [
  ['feature_names', 'foldedNames'],
  ['segment_values', 'foldedSegmentValues'],
  ['deduplication_ids', 'idsForgottenEarly'],
];

export type ProfilerMetrics = ReturnType<typeof profilerMetrics>;

/** @param heldBytes is called at each scrape */
export function profilerMetrics({ registry }: ServiceMetrics, heldBytes: () => number) {
  const registers = [registry];
  new Gauge({
    name: 'driftloop_cache_bytes',
    help: 'Memory that the versions in memory took at the last flush: ids and windows',
    registers,
    collect() {
      this.set(heldBytes());
    },
  });
  const predictions = new Counter({
    name: 'driftloop_predictions_total',
    help: 'Usable predictions by what became of them; a record that is delivered again counts again, as replayed',
    labelNames: ['verdict'],
    registers,
  });
  const limitHits = new Counter({
    name: 'driftloop_limit_hits_total',
    help: 'Values counted under (other) and ids forgotten before their time, because a limit was reached',
    labelNames: ['limit'],
    registers,
  });
  // Prometheus would not see the first increase of a series that does not begin at 0.
  for (const [limit] of limits) limitHits.inc({ limit }, 0);
  return {
    /** Adds what was counted since the last flush. */
    add(results: ResultCounts, tally: Tally): void {
      for (const [verdict, count] of Object.entries(results))
        if (count > 0) predictions.inc({ verdict }, count);
      for (const [limit, key] of limits) if (tally[key] > 0) limitHits.inc({ limit }, tally[key]);
    },
  };
}
