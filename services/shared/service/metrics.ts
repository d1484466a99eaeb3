import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { deadLetterClasses } from './deadLetters.ts';
import { LoopHealth } from './loopHealth.ts';
import type { BreakReason } from './partitionStart.ts';
import { UnflushedRecords } from './unflushedRecords.ts';
import { Waits } from './waits.ts';

const breakReasons: readonly BreakReason[] = ['recreated', 'truncated', 'deleted'];

/**
 * Lets the counters of topics begin at 0. Prometheus would not see the first increase of a series
 * that begins with another value.
 */
export function beginCounters(metrics: ServiceMetrics, topics: readonly string[]): void {
  for (const topic of topics) {
    metrics.records.inc({ topic }, 0);
    metrics.lostRecords.inc({ topic }, 0);
    for (const reason of breakReasons) metrics.topicBreaks.inc({ topic, reason }, 0);
    for (const one of deadLetterClasses) metrics.deadLetters.inc({ topic, class: one }, 0);
  }
}

export type ServiceMetrics = ReturnType<typeof createMetrics>;

/**
 * Creates the metrics that every service has. Their names and what to do about them are in
 * docs/operators.md.
 */
export function createMetrics(service: string) {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    unflushed: new UnflushedRecords(registers),
    loop: loopHealth(registers),
    waits: new Waits(registers),
    ...cacheMetrics(registers),
    ...consumerMetrics(registers),
    ...topicMetrics(registers),
    ...outputMetrics(registers),
  };
}

function loopHealth(registers: Registry[]): LoopHealth {
  const loop = new LoopHealth(() => performance.now());
  new Gauge({
    name: 'driftloop_loop_age_seconds',
    help: 'Time since the consumer loop last ended a turn or got an answer of ClickHouse',
    registers,
    collect() {
      this.set(loop.silentMs() / 1000);
    },
  });
  return loop;
}

/** What a service holds in memory. */
function cacheMetrics(registers: Registry[]) {
  return {
    cacheEvictions: new Counter({
      name: 'driftloop_cache_evictions_total',
      help: 'Entries that left memory because a limit was reached, by cache; they are read again when they are needed',
      labelNames: ['cache'],
      registers,
    }),
    /**
     * Shows the sizes of what a service holds in memory, by cache. They are asked for at each
     * scrape.
     */
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
  };
}

/** How the service gets on with reading Kafka. */
function consumerMetrics(registers: Registry[]) {
  return {
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
    rebalances: new Counter({
      name: 'driftloop_rebalances_total',
      help: 'Times the consumer joined its group',
      registers,
    }),
    commitFailures: new Counter({
      name: 'driftloop_commit_failures_total',
      help: 'Commits of offsets that Kafka refused; the records are delivered again',
      registers,
    }),
    stuckPartitions: new Counter({
      name: 'driftloop_stuck_partitions_total',
      help: 'Times that records waited while the consumer did nothing, so that it began again',
      registers,
    }),
    flushSeconds: new Histogram({
      name: 'driftloop_flush_seconds',
      help: 'Time to make taken records durable',
      buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 30],
      registers,
    }),
  };
}

/** What was found wrong with topics and their records. */
function topicMetrics(registers: Registry[]) {
  return {
    deadLetters: new Counter({
      name: 'driftloop_dead_letters_total',
      help: 'Records that could not be used',
      labelNames: ['topic', 'class'],
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
  };
}

/** How the service gets on with ClickHouse and the schema registry. */
function outputMetrics(registers: Registry[]) {
  return {
    rows: new Counter({
      name: 'driftloop_rows_total',
      help: 'Rows written to ClickHouse',
      labelNames: ['table'],
      registers,
    }),
    retries: new Counter({
      name: 'driftloop_clickhouse_retries_total',
      help: 'Repeated ClickHouse requests',
      registers,
    }),
    clickhouseWaiting: new Gauge({
      name: 'driftloop_clickhouse_waiting_requests',
      help: 'ClickHouse requests that failed and are being repeated',
      registers,
    }),
    clockDifference: new Gauge({
      name: 'driftloop_clock_difference_seconds',
      help: "ClickHouse's clock minus that of this machine",
      registers,
    }),
    registryRetries: new Counter({
      name: 'driftloop_schema_registry_retries_total',
      help: 'Repeated requests to the schema registry',
      registers,
    }),
  };
}
