import { randomUUID } from 'node:crypto';
import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import type { Kafka } from 'kafkajs';

const topic = 'model-aliases';

/**
 * The fields of model-aliases that a scorer needs. schemas/model-alias.avsc has all of them.
 */
export interface Champion {
  version: string;
  /** Null if Driftloop did not make the version. */
  artifactUri: string | null;
  artifactChecksum: string | null;
  /** Never falls. */
  sequence: number;
}

export interface FollowedChampion {
  /** Reads to the end of the topic. @returns the champion, or null if there was none yet */
  latest(): Promise<Champion | null>;
  stop(): Promise<void>;
}

/**
 * Follows the champion of a model, which is one key of the topic. The topic is compacted, so reading
 * it from the beginning gives the present state.
 */
export async function followChampion(
  kafka: Kafka,
  registry: SchemaRegistry,
  model: string,
): Promise<FollowedChampion> {
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: `${model}-scorer-${randomUUID()}` });
  let champion: Champion | null = null;
  let nextOffset = 0;
  let batchRead = Promise.withResolvers<void>();
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    nextOffset = Number(payload.lastOffset) + 1;
    batchRead.resolve();
    batchRead = Promise.withResolvers();
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) batchRead.reject(payload.error);
  });
  await Promise.all([admin.connect(), consumer.connect()]);
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      if (String(message.key) !== `${model}:champion`) return;
      const record: Champion = await registry.decode(message.value!);
      // A record that was delayed may come after a newer one.
      if (record.sequence >= (champion?.sequence ?? 0)) champion = record;
    },
  });
  return {
    async latest() {
      // The topic has one partition, so its records are in order.
      const [partition] = await admin.fetchTopicOffsets(topic);
      while (nextOffset < Number(partition!.offset)) await batchRead.promise;
      return champion;
    },
    async stop() {
      await Promise.all([consumer.disconnect(), admin.disconnect()]);
    },
  };
}
