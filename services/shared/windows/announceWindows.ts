import type { SchemaClient } from '../avro/schemaRegistry.ts';
import { chunk } from '../chunk.ts';
import type { Clickhouse } from '../clickhouse/clickhouse.ts';
import type { Settings } from '../config/settings.ts';
import type { WindowUpdate } from '../contracts.ts';
import { type KafkaProducer, sendRecords } from '../kafka/kafka.ts';
import { type StoredWindowsOptions, storedWindows } from './windowStore.ts';

/** Windows of one announcement, which must fit into a record. */
const maxWindowsPerUpdate = 10_000;

export interface AnnounceOptions extends StoredWindowsOptions {
  clickhouse: Clickhouse;
  producer: KafkaProducer;
  schemas: SchemaClient;
  settings: Settings;
  /** Topic of windows, with its prefix. */
  topic: string;
}

/**
 * Announces stored windows as the profiler did when it wrote them. The evaluator joins and computes
 * them again, the detector judges them again, and results that are as before change nothing. The
 * verdicts of `formerWindows` disappear.
 */
export async function announceWindows(options: AnnounceOptions): Promise<void> {
  const { clickhouse, producer, schemas, settings, topic } = options;
  const encode = await schemas.encoder<WindowUpdate>('WindowUpdate', topic);
  const updates: WindowUpdate[] = [];
  for (const windows of await storedWindows(clickhouse, options)) {
    const { model, version, sourcePartition, maxEventTimeMs } = windows;
    const { windowSizeMs, outOfOrdernessMs } = settings.of(model);
    // Windows of another size are from before the setting was changed, and no service judges them.
    if (windows.windowSizeMs !== windowSizeMs) continue;
    const watermark = maxEventTimeMs === null ? null : maxEventTimeMs - outOfOrdernessMs;
    for (const windowStarts of chunk(windows.startsMs, maxWindowsPerUpdate)) {
      updates.push({
        kind: 'profile',
        model,
        version,
        sourcePartition,
        watermark,
        windowSizeMs,
        windowStarts,
      });
    }
  }
  await sendRecords(
    producer,
    updates.map(update => ({ topic, key: update.model, value: encode(update) })),
  );
}
