import type { SchemaClient } from '../avro/schemaRegistry.ts';
import type { Clickhouse } from '../clickhouse/clickhouse.ts';
import type { Settings } from '../config/settings.ts';
import type { WindowUpdate } from '../contracts.ts';
import { type KafkaProducer, sendRecords } from '../kafka/kafka.ts';

/** Of one announcement, which must fit into a record. */
const mostWindows = 10_000;

export interface AnnounceOptions {
  clickhouse: Clickhouse;
  producer: KafkaProducer;
  schemas: SchemaClient;
  settings: Settings;
  /** Topic of windows, with its prefix. */
  topic: string;
  /** Windows that start before are left out. */
  fromMs?: number;
  /** Table with keys of windows that are no longer there, whose verdicts must go, too. */
  formerWindows?: string;
}

/**
 * Announces windows that are stored as the profiler did when it wrote them: the evaluator joins and computes them again, the detector judges
 * them again, and what comes out as before changes nothing.
 */
export async function announceWindows(options: AnnounceOptions): Promise<void> {
  const { clickhouse, producer, schemas, settings, topic, fromMs, formerWindows } = options;
  const key = 'model, version, source_partition, window_start, window_end';
  const former = formerWindows === undefined ? '' : `UNION ALL SELECT ${key} FROM ${formerWindows}`;
  const encode = await schemas.encoder<WindowUpdate>('WindowUpdate', topic);
  const rows = await clickhouse.select<{
    model: string;
    version: string;
    source_partition: number;
    window_ms: number;
    starts: number[];
    max_ms: number | null;
  }>(
    `SELECT w.model AS model, w.version AS version, w.source_partition AS source_partition, window_ms, starts, max_ms
     FROM
     (
         SELECT model, version, source_partition, toUnixTimestamp64Milli(window_end) - toUnixTimestamp64Milli(window_start) AS window_ms,
                arraySort(groupUniqArray(toUnixTimestamp64Milli(window_start))) AS starts
         FROM
         (
             SELECT ${key} FROM window_profiles WHERE {all:Bool} OR window_start >= fromUnixTimestamp64Milli({fromMs:Int64})
             ${former}
         )
         GROUP BY model, version, source_partition, window_ms
     ) AS w
     LEFT JOIN
     (
         SELECT model, version, source_partition, toNullable(toUnixTimestamp64Milli(max_event_time)) AS max_ms
         FROM stream_progress FINAL WHERE predictions > 0
     ) AS p ON p.model = w.model AND p.version = w.version AND p.source_partition = w.source_partition
     ORDER BY model, version, source_partition`,
    { all: fromMs === undefined, fromMs: fromMs ?? 0 },
  );
  const updates = rows.flatMap(
    ({ model, version, source_partition, window_ms, starts, max_ms }) => {
      const { windowSizeMs, outOfOrdernessMs } = settings.of(model);
      // Windows of another size are from before the setting was changed, and nobody judges them.
      if (window_ms !== windowSizeMs) return [];
      const watermark = max_ms === null ? null : max_ms - outOfOrdernessMs;
      return portionsOf(starts).map(
        (windowStarts): WindowUpdate => ({
          kind: 'profile',
          model,
          version,
          sourcePartition: source_partition,
          watermark,
          windowSizeMs,
          windowStarts,
        }),
      );
    },
  );
  await sendRecords(
    producer,
    updates.map(update => ({ topic, key: update.model, value: encode(update) })),
  );
}

function portionsOf(starts: readonly number[]): number[][] {
  const portions: number[][] = [];
  for (let from = 0; from < starts.length; from += mostWindows)
    portions.push(starts.slice(from, from + mostWindows));
  return portions;
}
