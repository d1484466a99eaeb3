import type { KafkaMessage } from 'kafkajs';
import type { KafkaRecord } from './kafka.ts';
import type { FetchedMessage } from './protocol/recordSet.ts';

/**
 * Returns a message of kafkajs as a record.
 * @param base position of offset 0, see partitionStart.ts
 */
export function kafkaRecord(
  { topic, partition }: { topic: string; partition: number },
  message: KafkaMessage,
  base = 0,
): KafkaRecord {
  const { setAside, hiddenKey } = message as KafkaMessage & Partial<FetchedMessage>;
  return {
    topic,
    partition,
    offset: base + Number(message.offset),
    key: hiddenKey ?? message.key,
    value: message.value,
    headers: message.headers ?? {},
    timestampMs: Number(message.timestamp),
    ...(setAside && {
      setAside: { ...setAside, firstOffset: String(base + Number(setAside.firstOffset)) },
    }),
  };
}
