import { headerText, type KafkaRecord, type OutgoingRecord } from '../kafka/kafka.ts';
import type { Rejection } from '../records/decodeRecord.ts';

export interface DeadLetter {
  record: KafkaRecord;
  rejection: Rejection;
}

const prefix = '__connect.errors.';

/**
 * Returns the record for the topic dead-letters: the original key, value and headers, and headers
 * in the manner of Kafka Connect that say where the record came from and why it could not be used.
 */
export function deadLetterRecord(
  topic: string,
  service: string,
  { record, rejection }: DeadLetter,
): OutgoingRecord {
  return {
    topic,
    key: record.key,
    value: record.value,
    headers: {
      ...record.headers,
      [`${prefix}topic`]: record.topic,
      [`${prefix}partition`]: String(record.partition),
      [`${prefix}offset`]: String(record.offset),
      [`${prefix}connector.name`]: service,
      [`${prefix}stage`]: 'VALUE_CONVERTER',
      [`${prefix}exception.class.name`]: rejection.class,
      [`${prefix}exception.message`]: rejection.message,
      ...(rejection.model !== undefined && { [`${prefix}model`]: rejection.model }),
    },
  };
}

/** Says where a record of dead-letters came from, and which headers its producer sent. */
export interface DeadLetterOrigin {
  topic: string;
  partition: number;
  offset: number;
  class: string;
  model?: string;
  headers: KafkaRecord['headers'];
}

/**
 * Inverts `deadLetterRecord`. Returns null for a record that no service of Driftloop has written.
 */
export function deadLetterOrigin({ headers }: KafkaRecord): DeadLetterOrigin | null {
  const [topic, partition, offset, rejectionClass, model] = [
    'topic',
    'partition',
    'offset',
    'exception.class.name',
    'model',
  ].map(name => headerText(headers, prefix + name));
  if (topic === undefined || partition === undefined || offset === undefined) return null;
  return {
    topic,
    partition: Number(partition),
    offset: Number(offset),
    class: rejectionClass ?? '',
    model,
    headers: Object.fromEntries(
      Object.entries(headers).filter(([name]) => !name.startsWith(prefix)),
    ),
  };
}
