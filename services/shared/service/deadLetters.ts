import {
  headerText,
  type KafkaHeaders,
  type KafkaRecord,
  type OutgoingRecord,
} from '../kafka/kafka.ts';
import type { BatchErrorClass } from '../kafka/protocol/batchError.ts';
import type { Rejection, RejectionClass } from '../records/decodeRecord.ts';

/** Why something was put among the dead letters: a record, or a batch of records as a whole. */
export type DeadLetterClass = RejectionClass | BatchErrorClass;

/** All classes in the order of docs/operators.md; the compiler keeps the list complete. */
const everyClass: Record<DeadLetterClass, true> = {
  'null-value': true,
  'too-large': true,
  'unknown-schema-id': true,
  'incompatible-schema': true,
  'malformed-avro': true,
  'malformed-json': true,
  'invalid-field': true,
  'implausible-time': true,
  'future-time': true,
  'too-many-features': true,
  'too-late': true,
  'batch-too-large': true,
  'malformed-batch': true,
};

export const deadLetterClasses = Object.keys(everyClass) as DeadLetterClass[];

export interface DeadLetter {
  record: KafkaRecord;
  rejection: Omit<Rejection, 'class'> & { class: DeadLetterClass };
}

const prefix = '__connect.errors.';

/**
 * Returns the record for the topic dead-letters: the original key, value and headers, and headers
 * in the manner of Kafka Connect that say where the record came from and why it could not be used.
 * A header of the producer whose name begins as these do is left out.
 *
 * The letter of a batch that is not read has the bytes of the batch as its value, the position of
 * its last record, and one more header with that of its first.
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
      ...producerHeaders(record.headers),
      [`${prefix}topic`]: record.topic,
      [`${prefix}partition`]: String(record.partition),
      [`${prefix}offset`]: String(record.offset),
      [`${prefix}connector.name`]: service,
      [`${prefix}stage`]: 'VALUE_CONVERTER',
      [`${prefix}exception.class.name`]: rejection.class,
      [`${prefix}exception.message`]: rejection.message,
      ...(rejection.model !== undefined && { [`${prefix}model`]: rejection.model }),
      ...(record.setAside && { [`${prefix}batch.first.offset`]: record.setAside.firstOffset }),
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
  /** Whether the letter is a whole batch of records, of which `offset` is the last one. */
  isBatch: boolean;
  headers: KafkaRecord['headers'];
}

/**
 * Inverts `deadLetterRecord`. Returns null for a record that no service of Driftloop has written.
 */
export function deadLetterOrigin({ headers }: KafkaRecord): DeadLetterOrigin | null {
  const [topic, partition, offset, rejectionClass, model, firstOffset] = [
    'topic',
    'partition',
    'offset',
    'exception.class.name',
    'model',
    'batch.first.offset',
  ].map(name => headerText(headers, prefix + name));
  if (topic === undefined || partition === undefined || offset === undefined) return null;
  return {
    topic,
    partition: Number(partition),
    offset: Number(offset),
    class: rejectionClass ?? '',
    model,
    isBatch: firstOffset !== undefined,
    headers: producerHeaders(headers),
  };
}

function producerHeaders(headers: KafkaHeaders): KafkaHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(prefix)));
}
