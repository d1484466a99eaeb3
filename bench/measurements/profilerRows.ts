import { setTimeout as pause } from 'node:timers/promises';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import { type BenchInstallation, withInstallation } from '../harness/benchInstallation.ts';
import type { BenchServers } from '../harness/benchServers.ts';
import type { Measurement, Round } from '../harness/measurement.ts';
import { costAfterWarmUp } from '../harness/meteredRun.ts';
import { processCpuMs } from '../harness/processCpu.ts';
import { profilerRun } from '../harness/profilerRun.ts';
import { untilMerged } from '../harness/untilMerged.ts';
import { predictionStream } from '../streams/predictionStream.ts';
import { producePredictions } from '../streams/producePredictions.ts';

const pauseMs = 1_000;

/**
 * Measures the profiler with raw rows against ClickHouse's own Kafka engine, which stores raw rows
 * only.
 */
export const profilerRows: Measurement = {
  name: 'profiler-rows',
  async run({ quick, servers: start, onProgress }) {
    const records = quick ? 150_000 : 500_000;
    const servers = await start();
    return withInstallation(
      servers,
      'profiler_rows',
      'defaults: { window: 1m }\n',
      async installation => {
        await producePredictions(installation, predictionStream(), records);
        const rounds: Round[] = [];
        const shares: string[] = [];
        for (let round = 0; round < (quick ? 1 : 3); round++) {
          const { serviceMs, clickhouseMs } = await profiler(servers, installation, records);
          const baseline = secondsPerMillion(
            await kafkaEngine(servers, installation, records),
            records,
          );
          rounds.push({ value: secondsPerMillion(serviceMs + clickhouseMs, records), baseline });
          shares.push(
            `${secondsPerMillion(serviceMs, records).toFixed(1)} + ${secondsPerMillion(clickhouseMs, records).toFixed(1)}`,
          );
          onProgress(
            `service + ClickHouse: ${shares.at(-1)}, Kafka engine: ${baseline.toFixed(1)}`,
          );
        }
        return [
          {
            name: 'profiler with raw rows, service and ClickHouse; baseline: the Kafka table engine (AvroConfluent), raw rows alone',
            unit: 'CPU seconds per million events',
            rounds,
            target: { atMost: 0.5 },
            note: `service + ClickHouse: ${shares.join(', ')}`,
          },
        ];
      },
    );
  },
};

function secondsPerMillion(cpuMs: number, records: number): number {
  return (cpuMs * 1_000) / records;
}

async function profiler(
  { clickhousePid }: BenchServers,
  installation: BenchInstallation,
  records: number,
) {
  let before = 0;
  let after = 0;
  const readings = await profilerRun(installation, {
    rawRows: true,
    records,
    atStart: () => {
      before = processCpuMs(clickhousePid);
    },
    atEnd: async () => {
      await untilMerged(installation.clickhouse);
      after = processCpuMs(clickhousePid);
    },
  });
  const service = costAfterWarmUp(readings, records / 4);
  return { serviceMs: (service.cpuMs / service.records) * records, clickhouseMs: after - before };
}

/**
 * Measures the CPU time of ClickHouse from the creation of its consumer until all rows are merged.
 */
async function kafkaEngine(
  servers: BenchServers,
  installation: BenchInstallation,
  records: number,
): Promise<number> {
  const { clickhouse, environment } = installation;
  const before = processCpuMs(servers.clickhousePid);
  await clickhouse.command('CREATE TABLE raw_predictions AS predictions');
  await clickhouse.command(
    `CREATE TABLE kafka_predictions
     (id String, model String, version String, time DateTime64(3, 'UTC'),
      features Map(String, Variant(Bool, Float64, String)),
      prediction Variant(Bool, Float64, String), score Nullable(Float64),
      codeVersion Nullable(String), latencyMs Nullable(Float64))
     ENGINE = Kafka
     SETTINGS kafka_broker_list = '${servers.variables.KAFKA_BROKERS}',
              kafka_topic_list = '${prefixed(environment, topics.predictions)}',
              kafka_group_name = 'kafka-engine-${Date.now()}', kafka_format = 'AvroConfluent',
              format_avro_schema_registry_url = '${servers.variables.SCHEMA_REGISTRY_URL}'`,
  );
  await clickhouse.command(
    `CREATE MATERIALIZED VIEW raw_predictions_writer TO raw_predictions AS
     SELECT model, version, id, time AS event_time,
            mapFilter((name, value) -> value IS NOT NULL, mapApply((name, value) -> (name, variantElement(value, 'Float64')), features))
              ::Map(LowCardinality(String), Float64) AS numeric_features,
            mapFilter((name, value) -> value IS NOT NULL, mapApply((name, value) -> (name, variantElement(value, 'String')), features))
              ::Map(LowCardinality(String), String) AS categorical_features,
            toString(kafka_predictions.prediction) AS prediction,
            variantElement(kafka_predictions.prediction, 'Float64') AS prediction_value,
            score, ifNull(codeVersion, '') AS code_version, latencyMs AS latency_ms,
            _partition AS source_partition, _offset AS source_offset
     FROM kafka_predictions`,
  );
  for (;;) {
    const [row] = await clickhouse.select<{ stored: number }>(
      'SELECT count() AS stored FROM raw_predictions',
    );
    if (row!.stored >= records) break;
    await pause(pauseMs);
  }
  await untilMerged(clickhouse);
  const used = processCpuMs(servers.clickhousePid) - before;
  for (const table of ['raw_predictions_writer', 'kafka_predictions', 'raw_predictions']) {
    await clickhouse.command(`DROP TABLE ${table}`);
  }
  return used;
}
