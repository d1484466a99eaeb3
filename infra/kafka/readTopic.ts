import { randomUUID } from 'node:crypto';
import type { Kafka, KafkaAdmin, KafkaRecord } from '../../services/shared/kafka/kafka.ts';
import { kafkaRecord } from '../../services/shared/kafka/kafkaRecord.ts';

/**
 * Reads the committed records of a topic, from the first one to the last one that it has at the
 * time of the call.
 * @param onRecords receives records of one partition in their order; the next ones are read when it
 *   has resolved
 * @throws what `onRecords` throws
 */
export async function readTopic(
  kafka: Kafka,
  admin: KafkaAdmin,
  topic: string,
  onRecords: (records: KafkaRecord[]) => Promise<void>,
): Promise<void> {
  const unread = new Map<number, number>();
  for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
    if (Number(high) > Number(low)) unread.set(partition, Number(high));
  }
  if (unread.size === 0) return;

  const groupId = `${topic}-reader-${randomUUID()}`;
  const consumer = kafka.consumer({ groupId, retry: { restartOnFailure: async () => false } });
  const end = Promise.withResolvers<void>();
  // The last record of a partition may be a control record of a transaction. Handlers do not get
  // those, but this event counts them.
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    if (Number(payload.lastOffset) + 1 >= (unread.get(payload.partition) ?? 0))
      unread.delete(payload.partition);
    if (unread.size === 0) end.resolve();
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => end.reject(payload.error));
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const { partition } = batch;
        const last = unread.get(partition);
        if (last === undefined) return;
        const records = batch.messages
          .filter(message => Number(message.offset) < last)
          .map(message => kafkaRecord(batch, message));
        // The consumer would only try again if this threw an error.
        await onRecords(records).catch(end.reject);
      },
    });
    await end.promise;
  } finally {
    await consumer.disconnect();
    // Kafka itself removes a group without members after a week, so the right to do it here is not
    // needed.
    await admin.deleteGroups([groupId]).catch(() => {});
  }
}
