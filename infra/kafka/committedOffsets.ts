import type { KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { retryTransient } from '../../services/shared/retryTransient.ts';

/** Errors of a broker that loads the offsets of a group, or hands them to another broker. */
const coordinatorIsBusy = [
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
];
const maxWaitMs = 30_000;

/**
 * Reads the offsets that a consumer group has committed, by topic and partition. -1 means none.
 * It waits for a broker that is still loading them, as one does that has just started.
 */
export async function committedOffsets(
  admin: KafkaAdmin,
  groupId: string,
  topics: string[],
): Promise<Map<string, Map<number, number>>> {
  const deadlineMs = Date.now() + maxWaitMs;
  const found = await retryTransient(
    () => admin.fetchOffsets({ groupId, topics }),
    error =>
      Date.now() < deadlineMs &&
      coordinatorIsBusy.includes((error as { type?: string }).type ?? ''),
  );
  return new Map(
    found.map(({ topic, partitions }) => [
      topic,
      new Map(partitions.map(({ partition, offset }) => [partition, Number(offset)])),
    ]),
  );
}
