import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type ServiceMetrics = ReturnType<typeof createMetrics>;

/** The metrics that every service has. Names and what to do about them: docs/operators.md. */
export function createMetrics(service: string) {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    records: new Counter({
      name: 'driftloop_records_total',
      help: 'Records taken from Kafka',
      labelNames: ['topic'],
      registers,
    }),
    lag: new Gauge({
      name: 'driftloop_lag_records',
      help: 'Records between the last one taken and the end of the partition',
      labelNames: ['topic', 'partition'],
      registers,
    }),
    flushSeconds: new Histogram({
      name: 'driftloop_flush_seconds',
      help: 'Time to make taken records durable',
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30],
      registers,
    }),
    rows: new Counter({
      name: 'driftloop_rows_total',
      help: 'Rows written to ClickHouse',
      labelNames: ['table'],
      registers,
    }),
    deadLetters: new Counter({
      name: 'driftloop_dead_letters_total',
      help: 'Records that could not be used',
      labelNames: ['topic', 'class'],
      registers,
    }),
    rebalances: new Counter({
      name: 'driftloop_rebalances_total',
      help: 'Times the consumer joined its group',
      registers,
    }),
    topicBreaks: new Counter({
      name: 'driftloop_topic_breaks_total',
      help: 'Partitions whose history turned out to be broken, by reason',
      labelNames: ['topic', 'reason'],
      registers,
    }),
    lostRecords: new Counter({
      name: 'driftloop_lost_records_total',
      help: 'Records that Kafka no longer had when they were to be read',
      labelNames: ['topic'],
      registers,
    }),
    retries: new Counter({
      name: 'driftloop_clickhouse_retries_total',
      help: 'Repeated ClickHouse requests',
      registers,
    }),
  };
}
