import type { Environment } from '../../services/shared/config/environment.ts';
import { type InputKind, topicsOfKind } from '../../services/shared/config/inputs.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import type { KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import {
  consumedTopics,
  consumerGroup,
  type ServiceName,
} from '../../services/shared/kafka/serviceFlow.ts';
import { prefixed } from '../../services/shared/kafka/topics.ts';
import { committedOffsets } from './committedOffsets.ts';

export interface PartitionLag {
  topic: string;
  partition: number;
  /** Offset of the next record to be written. */
  endOffset: number;
  /** Records that the service has not committed. */
  lag: number;
}

/**
 * Reads what a service still has to commit, per partition of its topics. The end offsets are read
 * after the committed ones. So a lag of 0 means that the service has processed everything up to
 * that end, and that it had written what follows from it before.
 */
export async function groupLag(
  admin: KafkaAdmin,
  environment: Environment,
  service: ServiceName,
): Promise<PartitionLag[]> {
  const topics = topicsOfService(environment, service);
  const committed = await committedOffsets(admin, consumerGroup(environment, service), topics);
  const lags: PartitionLag[] = [];
  for (const topic of topics) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      const commit = committed.get(topic)?.get(partition) ?? -1;
      // A group that has committed nothing (-1) starts at the lowest offset that retention has
      // left. A commit beyond the end belongs to records that are gone, so it counts as nothing.
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

/**
 * Returns the full names of the topics that a service consumes, those of the setting `inputs` as
 * well.
 */
export function topicsOfService(environment: Environment, service: ServiceName): string[] {
  const own = consumedTopics(service).map(topic => prefixed(environment, topic));
  return [...new Set([...own, ...otherTopics(environment, service)])];
}

const kinds: Partial<Record<ServiceName, InputKind>> = {
  profiler: 'prediction',
  evaluator: 'feedback',
};

/** Returns the topics of the setting `inputs` that a service consumes. */
function otherTopics({ DRIFTLOOP_CONFIG }: Environment, service: ServiceName): string[] {
  const kind = kinds[service];
  return kind === undefined ? [] : topicsOfKind(readSettings(DRIFTLOOP_CONFIG).inputs, kind);
}
