import { randomInt } from 'node:crypto';
import { murmur2 } from './murmur2.ts';

interface PartitionChoice {
  topic: string;
  partitionMetadata: readonly { partitionId: number; leader: number }[];
  message: { key?: Buffer | string | null; partition?: number | null };
}

/**
 * Creates what chooses the partition of each record that a producer sends: the one that the record
 * names, else by the hash of its key as Kafka's Java clients do, else one after another.
 *
 * kafkajs's own partitioner needs time that is quadratic in the key, and kafkajs drops records for a
 * partition that the topic does not have, which is an error here.
 */
export function choosePartition(): (choice: PartitionChoice) => number {
  const counters = new Map<string, number>();
  return ({ topic, partitionMetadata, message: { key, partition } }) => {
    if (partition !== undefined && partition !== null) {
      if (partitionMetadata.some(({ partitionId }) => partitionId === partition)) return partition;
      throw new MissingPartitionError(topic, partition, partitionMetadata.length);
    }
    if (key !== undefined && key !== null) {
      const hash = murmur2(typeof key === 'string' ? Buffer.from(key) : key);
      return (hash & 0x7fffffff) % partitionMetadata.length;
    }
    const available = partitionMetadata.filter(({ leader }) => leader >= 0);
    const candidates = available.length > 0 ? available : partitionMetadata;
    const count = counters.get(topic) ?? randomInt(candidates.length);
    counters.set(topic, count + 1);
    return candidates[count % candidates.length]!.partitionId;
  };
}

/** Says that a record was meant for a partition that its topic does not have. */
export class MissingPartitionError extends Error {
  override readonly name = 'MissingPartitionError';
  /** Tells kafkajs that a repetition would not help. */
  readonly retriable = false;

  constructor(topic: string, partition: number, partitions: number) {
    super(`topic ${topic} has ${partitions} partitions, none of them is number ${partition}`);
  }
}
