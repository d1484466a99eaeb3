import type { Environment } from '../../services/shared/config/environment.ts';
import type { KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { prefixed } from '../../services/shared/kafka/topics.ts';
import { consumerGroup, type ServiceName, serviceFlow } from './serviceFlow.ts';

export interface PartitionLag {
  topic: string;
  partition: number;
  /** Offset of the next record to be written. */
  endOffset: number;
  /** Records that the service has not committed. */
  lag: number;
}

/**
 * What a service still has to commit, per partition of its topics. The end offsets are read after the committed ones, so a lag of 0 means
 * that everything up to that end was processed, and that what the service made of it was written before.
 */
export async function groupLag(
  admin: KafkaAdmin,
  environment: Environment,
  service: ServiceName,
): Promise<PartitionLag[]> {
  const topics = serviceFlow
    .find(({ name }) => name === service)!
    .consumes.map(topic => prefixed(environment, topic));
  const groupId = consumerGroup(environment, service);
  const committed = new Map<string, number>();
  for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics })) {
    for (const { partition, offset } of partitions)
      committed.set(`${topic}/${partition}`, Number(offset));
  }
  const lags: PartitionLag[] = [];
  for (const topic of topics) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      const commit = committed.get(`${topic}/${partition}`) ?? -1;
      // A group that has committed nothing (-1) starts at the lowest offset that retention has left; a commit beyond the end
      // speaks of records that are gone, and of none that are there.
      const next = Math.max(commit > Number(high) ? -1 : commit, Number(low));
      lags.push({
        topic,
        partition,
        endOffset: Number(high),
        lag: Math.max(0, Number(high) - next),
      });
    }
  }
  return lags;
}
