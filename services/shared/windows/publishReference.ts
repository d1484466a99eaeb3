import type { Clickhouse } from '../clickhouse/clickhouse.ts';
import type { WindowUpdate } from '../contracts.ts';
import { type KafkaProducer, sendRecords } from '../kafka/kafka.ts';
import type { ReferenceProfiles } from '../profile/referenceProfiles.ts';
import { insertReference, type ReferenceOf } from './referenceStore.ts';
import { versionUpdate } from './versionUpdate.ts';

export interface ReferenceTarget {
  clickhouse: Clickhouse;
  producer: KafkaProducer;
  /** Topic of windows, with its prefix. */
  topic: string;
  /** Encodes a value of that topic. */
  encode: (update: WindowUpdate) => Buffer;
}

/**
 * Stores a reference and announces it to the detector, which compares the version with it from its
 * first window on.
 */
export async function publishReference(
  reference: ReferenceProfiles,
  of: ReferenceOf & { windowSizeMs: number },
  { clickhouse, producer, topic, encode }: ReferenceTarget,
): Promise<void> {
  await insertReference(clickhouse, reference, of);
  const update = versionUpdate('reference', of, of.windowSizeMs);
  await sendRecords(producer, [{ topic, key: of.model, value: encode(update) }]);
}
