import type { Clickhouse } from '../clickhouse/clickhouse.ts';
import {
  headerText,
  type KafkaProducer,
  type KafkaRecord,
  type OutgoingRecord,
  sendRecords,
} from '../kafka/kafka.ts';
import type { Rejection } from '../records/decodeRecord.ts';
import type { ServiceMetrics } from './metrics.ts';

export interface DeadLetter {
  record: KafkaRecord;
  rejection: Rejection;
}

const prefix = '__connect.errors.';

/** The original key, value and headers, and headers in the manner of Kafka Connect that say why and where from. */
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

/** Where a record of dead-letters came from, and what the producer sent. */
export interface DeadLetterOrigin {
  topic: string;
  partition: number;
  offset: number;
  class: string;
  model?: string;
  headers: KafkaRecord['headers'];
}

/** The inverse of `deadLetterRecord`, or null for a record that no service of Driftloop has put there. */
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

export interface DeadLetterSink {
  add(letter: DeadLetter): void;
  clear(): void;
  /** Writes and sends what was added; part of a service's flush. */
  flush(): Promise<void>;
}

/** Collects the records of a service that cannot be used, until its next flush. */
export function deadLetterSink(options: {
  topic: string;
  service: string;
  producer: KafkaProducer;
  clickhouse: Clickhouse;
  metrics: ServiceMetrics;
}): DeadLetterSink {
  const { topic, service, producer, clickhouse, metrics } = options;
  let letters: DeadLetter[] = [];
  return {
    add(letter) {
      letters.push(letter);
      metrics.deadLetters.inc({ topic: letter.record.topic, class: letter.rejection.class });
    },
    clear() {
      letters = [];
    },
    async flush() {
      const flushed = letters;
      letters = [];
      await sendRecords(
        producer,
        flushed.map(letter => deadLetterRecord(topic, service, letter)),
      );
      await clickhouse.insert(
        'dead_letters',
        flushed.map(({ record, rejection }) => ({
          source_topic: record.topic,
          source_partition: record.partition,
          source_offset: record.offset,
          service,
          class: rejection.class,
          // A shortened quotation may end in the middle of a character.
          message: rejection.message.toWellFormed(),
          model: rejection.model ?? '',
          version: rejection.version ?? '',
        })),
      );
    },
  };
}
