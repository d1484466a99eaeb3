import {
  headerBytes,
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
  'malformed-protobuf': true,
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

/** Largest record that the topic dead-letters takes. */
export const maxDeadLetterBytes = 8 * 1024 * 1024;
/** Room for what the letter adds, and for the batch around it. */
const addedBytes = 64 * 1024;

/**
 * Returns the record for the topic dead-letters: the original key, value and headers, and headers
 * in the manner of Kafka Connect that say where the record came from and why it could not be used.
 * A header of the producer whose name begins as these do is left out.
 *
 * The letter of a batch that is not read has the bytes of the batch as its value, the position of
 * its last record, and one more header with that of its first.
 *
 * Topics of producers may take larger records than dead-letters does. Of these the letter leaves out
 * the value, and what else is too large, and says so.
 */
export function deadLetterRecord(
  topic: string,
  service: string,
  { record, rejection }: DeadLetter,
): OutgoingRecord {
  const { key, value, headers, left } = withinLimit(record);
  return {
    topic,
    key,
    value,
    headers: {
      ...headers,
      [`${prefix}topic`]: record.topic,
      [`${prefix}partition`]: String(record.partition),
      [`${prefix}offset`]: String(record.offset),
      [`${prefix}connector.name`]: service,
      [`${prefix}stage`]: 'VALUE_CONVERTER',
      [`${prefix}exception.class.name`]: rejection.class,
      [`${prefix}exception.message`]: rejection.message,
      ...(rejection.model !== undefined && { [`${prefix}model`]: rejection.model }),
      ...(left.length > 0 && { [leftOutHeader]: left.join(', ') }),
      ...(record.setAside && { [`${prefix}batch.first.offset`]: record.setAside.firstOffset }),
    },
  };
}

const leftOutHeader = `${prefix}left.out`;

/** Returns what of a record a letter can hold, and what it leaves out. */
function withinLimit({ key, value, headers }: KafkaRecord) {
  let leftBytes = maxDeadLetterBytes - addedBytes;
  const left: string[] = [];
  const fits = (name: string, bytes: number) => {
    if (bytes > leftBytes) {
      left.push(`${name} of ${bytes} bytes`);
      return false;
    }
    leftBytes -= bytes;
    return true;
  };
  const kept = producerHeaders(headers);
  return {
    key: key !== null && fits('key', key.length) ? key : null,
    // Names and values, and a few bytes of lengths for each.
    headers: fits('headers', headerBytes(kept) + 16 * Object.keys(kept).length) ? kept : {},
    value: value !== null && fits('value', value.length) ? value : null,
    left,
  };
}

/** Says where a record of dead-letters came from, and which headers its producer sent. */
export interface DeadLetterOrigin {
  topic: string;
  partition: number;
  offset: number;
  class: string;
  model?: string;
  /** What the letter does not have because it was too large, or null. */
  leftOut: string | null;
  /** Whether the letter is a whole batch of records, of which `offset` is the last one. */
  isBatch: boolean;
  headers: KafkaRecord['headers'];
}

/**
 * Inverts `deadLetterRecord`. Returns null for a record that no service of Driftloop has written.
 */
export function deadLetterOrigin({ headers }: KafkaRecord): DeadLetterOrigin | null {
  const [topic, partition, offset, rejectionClass, model, firstOffset, leftOut] = [
    'topic',
    'partition',
    'offset',
    'exception.class.name',
    'model',
    'batch.first.offset',
    'left.out',
  ].map(name => headerText(headers, prefix + name));
  if (topic === undefined || partition === undefined || offset === undefined) return null;
  return {
    topic,
    partition: Number(partition),
    offset: Number(offset),
    class: rejectionClass ?? '',
    model,
    isBatch: firstOffset !== undefined,
    leftOut: leftOut ?? null,
    headers: producerHeaders(headers),
  };
}

function producerHeaders(headers: KafkaHeaders): KafkaHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(prefix)));
}
