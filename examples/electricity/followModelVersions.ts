import { randomUUID } from 'node:crypto';
import type { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import type { Kafka } from 'kafkajs';

const topic = 'model-versions';

/**
 * What a scorer needs from a record of model-versions. schemas/model-version.avsc has all fields.
 */
export interface ApprovedVersion {
  version: string;
  artifactUri: string;
  artifactChecksum: string;
}

export interface ModelVersions {
  /** Reads to the end of the topic. @returns the version that was approved last, or null */
  latestApproved(): Promise<ApprovedVersion | null>;
  stop(): Promise<void>;
}

/**
 * Follows the versions of a model. The topic is compacted, so reading it from the beginning gives
 * the present state.
 */
export async function followModelVersions(
  kafka: Kafka,
  registry: SchemaRegistry,
  model: string,
): Promise<ModelVersions> {
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: `${model}-scorer-${randomUUID()}` });
  let approved: ApprovedVersion | null = null;
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
      const record = await registry.decode(message.value!);
      if (record.model === model && record.status === 'approved') approved = record;
    },
  });
  return {
    async latestApproved() {
      // The topic has one partition, so its records are in order.
      const [partition] = await admin.fetchTopicOffsets(topic);
      while (nextOffset < Number(partition!.offset)) await batchRead.promise;
      return approved;
    },
    async stop() {
      await Promise.all([consumer.disconnect(), admin.disconnect()]);
    },
  };
}
