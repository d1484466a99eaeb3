import { connectSchemaRegistry } from '../../services/shared/avro/schemaRegistry.ts';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import type { Settings } from '../../services/shared/config/settings.ts';
import type { WindowUpdate } from '../../services/shared/contracts.ts';
import { type KafkaProducer, sendRecords } from '../../services/shared/kafka/kafka.ts';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import { versionUpdate } from '../../services/shared/windows/versionUpdate.ts';

/**
 * Tells the detector that the streams of all versions are over, so that it judges their last
 * windows.
 */
export async function sendStreamEnd(
  producer: KafkaProducer,
  clickhouse: Clickhouse,
  environment: Environment,
  settings: Settings,
): Promise<void> {
  const topic = prefixed(environment, topics.windows);
  const encode = await connectSchemaRegistry(environment).encoder<WindowUpdate>(
    'WindowUpdate',
    topic,
  );
  const versions = await clickhouse.select<{ model: string; version: string }>(
    'SELECT DISTINCT model, version FROM stream_progress ORDER BY model, version',
  );
  await sendRecords(
    producer,
    versions.map(name => {
      const update = versionUpdate('end', name, settings.of(name.model).windowSizeMs);
      return { topic, key: name.model, value: encode(update) };
    }),
  );
}
