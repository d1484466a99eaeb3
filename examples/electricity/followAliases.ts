import { randomUUID } from 'node:crypto';
import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import type { Kafka } from 'kafkajs';

const topic = 'model-aliases';

/**
 * The fields of model-aliases that a scorer needs. schemas/model-alias.avsc has all of them.
 */
export interface NamedVersion {
  /** Null if the alias names none now. */
  version: string | null;
  /** Null if Driftloop did not make the version. */
  artifactUri: string | null;
  artifactChecksum: string | null;
  /** Never falls. */
  sequence: number;
}

export interface FollowedAliases {
  /**
   * Reads to the end of the topic. Returns the version to serve and the one to log in shadow; null
   * if there was none yet.
   */
  latest(): Promise<{ champion: NamedVersion | null; challenger: NamedVersion | null }>;
  stop(): Promise<void>;
}

/**
 * Follows the champion and the challenger of a model, which are two keys of the topic. The topic is
 * compacted, so reading it from the beginning gives the present state.
 */
export async function followAliases(
  kafka: Kafka,
  registry: SchemaRegistry,
  model: string,
): Promise<FollowedAliases> {
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: `${model}-scorer-${randomUUID()}` });
  const named = new Map<string, NamedVersion>();
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
      const key = String(message.key);
      if (!key.startsWith(`${model}:`)) return;
      const record: NamedVersion = await registry.decode(message.value!);
      // A record that was delayed may come after a newer one.
      if (record.sequence >= (named.get(key)?.sequence ?? 0)) named.set(key, record);
    },
  });
  return {
    async latest() {
      // The topic has one partition, so its records are in order.
      const [partition] = await admin.fetchTopicOffsets(topic);
      while (nextOffset < Number(partition!.offset)) await batchRead.promise;
      return {
        champion: named.get(`${model}:champion`) ?? null,
        challenger: named.get(`${model}:challenger`) ?? null,
      };
    },
    async stop() {
      await Promise.all([consumer.disconnect(), admin.disconnect()]);
    },
  };
}
