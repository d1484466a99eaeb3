import { createCluster } from './createCluster.ts';
import type { Kafka } from './kafka.ts';

interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  addMultipleTargetTopics(topics: readonly string[]): Promise<void>;
  findTopicPartitionMetadata(topic: string): { partitionId: number }[];
  fetchTopicsOffset(
    topics: { topic: string; partitions: { partition: number }[]; fromBeginning: boolean }[],
  ): Promise<{ topic: string; partitions: { partition: number; offset: string }[] }[]>;
}

export interface PartitionEnd {
  topic: string;
  partition: number;
  /** Offset behind the last record that a consumer may read. */
  offset: number;
}

const readCommitted = 1;

/**
 * Asks Kafka up to where the partitions of topics can be read now. Records of a transaction that is
 * open, and those behind them, do not count; kafkajs's admin client would count them.
 * @throws when Kafka does not answer the first attempt
 */
export async function committedEnds(
  kafka: Kafka,
  topics: readonly string[],
): Promise<PartitionEnd[]> {
  const cluster = createCluster<Cluster>(kafka, {
    isolationLevel: readCommitted,
    allowAutoTopicCreation: false,
    metadataMaxAge: 300_000,
    retry: { retries: 0 },
  });
  try {
    await cluster.connect();
    await cluster.addMultipleTargetTopics(topics);
    const found = await cluster.fetchTopicsOffset(
      topics.map(topic => ({
        topic,
        partitions: cluster
          .findTopicPartitionMetadata(topic)
          .map(({ partitionId }) => ({ partition: partitionId })),
        fromBeginning: false,
      })),
    );
    return found.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => ({ topic, partition, offset: Number(offset) })),
    );
  } finally {
    await cluster.disconnect();
  }
}
