import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { KafkaRecord } from '../kafka/kafka.ts';

export type ServiceMetrics = ReturnType<typeof createMetrics>;

/** The metrics that every service has. Names and what to do about them: docs/operators.md. */
export function createMetrics(service: string) {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const unflushed = unflushedRecords(registers);
  return {
    registry,
    unflushed,
    cacheEvictions: new Counter({
      name: 'driftloop_cache_evictions_total',
      help: 'Entries that left memory because a limit was reached, by cache; they are read again when they are needed',
      labelNames: ['cache'],
      registers,
    }),
    /** Sizes of what a service holds in memory, by cache, asked for at each scrape. */
    observeCaches(entries: () => Record<string, number>): void {
      new Gauge({
        name: 'driftloop_cache_entries',
        help: 'Entries held in memory, by cache',
        labelNames: ['cache'],
        registers,
        collect() {
          for (const [cache, count] of Object.entries(entries())) this.set({ cache }, count);
        },
      });
    },
    commitFailures: new Counter({
      name: 'driftloop_commit_failures_total',
      help: 'Commits of offsets that Kafka refused; the records are delivered again',
      registers,
    }),
    clickhouseWaiting: new Gauge({
      name: 'driftloop_clickhouse_waiting_requests',
      help: 'ClickHouse requests that failed and are being repeated',
      registers,
    }),
    registryRetries: new Counter({
      name: 'driftloop_schema_registry_retries_total',
      help: 'Repeated requests to the schema registry',
      registers,
    }),
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

/** What was taken from Kafka and is not durable yet: bounded, or the service would run out of memory. */
function unflushedRecords(registers: Registry[]) {
  let records = 0;
  let bytes = 0;
  let sinceMs = 0;
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  gauge('driftloop_unflushed_records', 'Records taken that are not durable yet', () => records);
  gauge(
    'driftloop_unflushed_bytes',
    'Bytes of keys and values of records that are not durable yet',
    () => bytes,
  );
  gauge(
    'driftloop_unflushed_age_seconds',
    'Time since the first record was taken that is not durable yet',
    () => (records === 0 ? 0 : (Date.now() - sinceMs) / 1000),
  );
  return {
    add(taken: readonly KafkaRecord[]): void {
      if (records === 0) sinceMs = Date.now();
      records += taken.length;
      for (const { key, value } of taken) bytes += (key?.length ?? 0) + (value?.length ?? 0);
    },
    records: () => records,
    bytes: () => bytes,
    clear(): void {
      records = 0;
      bytes = 0;
    },
  };
}
