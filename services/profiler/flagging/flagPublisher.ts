import type { Flag } from '../../shared/contracts.ts';
import { cloudEvent } from '../../shared/kafka/cloudEvent.ts';
import { sendRecords } from '../../shared/kafka/kafka.ts';
import { topics } from '../../shared/kafka/topics.ts';
import type { ServiceContext } from '../../shared/service/service.ts';

/** Returns what sends flags to their topic, and is done when the brokers have them. */
export async function flagPublisher({
  schemas,
  producer,
  topic: named,
}: Pick<ServiceContext, 'schemas' | 'producer' | 'topic'>): Promise<
  (flags: readonly Flag[]) => Promise<void>
> {
  const topic = named(topics.flags);
  const encode = await schemas.encoder<Flag>('Flag', topic);
  return flags =>
    sendRecords(
      producer,
      flags.map(flag =>
        cloudEvent({
          topic,
          key: flag.id,
          type: 'io.driftloop.flag',
          source: 'profiler',
          identity: [flag.model, flag.version, flag.id, flag.rule],
          subject: flag.model,
          timeMs: flag.time,
          value: encode(flag),
        }),
      ),
    );
}
