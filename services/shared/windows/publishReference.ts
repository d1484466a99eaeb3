import { type Clickhouse, clickhouseTime } from '../clickhouse/clickhouse.ts';
import type { WindowUpdate } from '../contracts.ts';
import { type KafkaProducer, sendRecords } from '../kafka/kafka.ts';
import type { ReferenceProfiles } from '../profile/referenceProfiles.ts';
import { versionUpdate } from './versionUpdate.ts';

export interface ReferenceOf {
  model: string;
  version: string;
  source: 'training' | 'upload';
  windowSizeMs: number;
}

export interface ReferenceTarget {
  clickhouse: Clickhouse;
  producer: KafkaProducer;
  /** The topic windows, and the encoder of its values. */
  topic: string;
  encode: (update: WindowUpdate) => Buffer;
}

/** Stores a reference and tells the detector, which compares the version with it from its first window on. */
export async function publishReference(
  reference: ReferenceProfiles,
  { model, version, source, windowSizeMs }: ReferenceOf,
  { clickhouse, producer, topic, encode }: ReferenceTarget,
): Promise<void> {
  await clickhouse.insert(
    'reference_profiles',
    reference.rows.map(row => ({
      ...row,
      reference_id: reference.id,
      model,
      version,
      source,
      window_start: clickhouseTime(row.window_start),
      window_end: clickhouseTime(row.window_end),
    })),
  );
  const update = versionUpdate('reference', { model, version }, windowSizeMs);
  await sendRecords(producer, [{ topic, key: model, value: encode(update) }]);
}
