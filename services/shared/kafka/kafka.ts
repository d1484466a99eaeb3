/*
 * The edge around kafkajs: clients and records. protocol/ replaces parts of it. Beside these files
 * batchConsumer.ts knows kafkajs's batches, kafkaCodecs.ts its codecs, topicIds.ts its connections,
 * and isTransientKafkaError.ts its errors.
 */
import type { IHeaders } from 'kafkajs';
import type { Logger } from 'pino';
import type { Environment } from '../config/environment.ts';
import { registerKafkaCodecs } from './kafkaCodecs.ts';
import { kafkaTls } from './kafkaTls.ts';
import { choosePartition } from './protocol/choosePartition.ts';
import type { KafkaHeaders } from './protocol/encodeRecord.ts';
import kafkajs from './protocol/kafkajs.ts';
import type { SetAsideBatch } from './protocol/recordSet.ts';

registerKafkaCodecs();

export type { KafkaHeaders };
export type Kafka = InstanceType<typeof kafkajs.Kafka>;
export type KafkaAdmin = ReturnType<Kafka['admin']>;
export type KafkaConsumer = ReturnType<Kafka['consumer']>;
export type KafkaProducer = ReturnType<Kafka['producer']>;
/** The kind of resource of a topic, for reading its configuration by the admin client. */
export const topicResource = kafkajs.ConfigResourceTypes.TOPIC;

export interface KafkaRecord {
  topic: string;
  partition: number;
  offset: number;
  key: Buffer | null;
  value: Buffer | null;
  headers: KafkaHeaders;
  timestampMs: number;
  /**
   * Present when this stands for a whole batch that is not read: the offset is that of its last
   * record, and the value has its bytes as Kafka stores them.
   */
  setAside?: SetAsideBatch;
}

export interface OutgoingRecord {
  topic: string;
  key: string | Buffer | null;
  value: Buffer | null;
  headers?: KafkaHeaders;
  /** Absent: chosen by the key. It is an error when the topic does not have it. */
  partition?: number;
}

/** TLS over a long way needs more than kafkajs's second. */
const connectionTimeoutMs = 10_000;
/**
 * A connection on which a request is not answered for two session timeouts is closed, see
 * `closeSilentConnections`. Requests that may take longer have a timeout of their own.
 */
const sessionsPerRequest = 2;
const minRequestTimeoutMs = 10_000;

export function connectKafka(environment: Environment, clientId: string, log?: Logger): Kafka {
  const { logLevel } = kafkajs;
  return new kafkajs.Kafka({
    clientId,
    brokers: environment.KAFKA_BROKERS.split(',').map(broker => broker.trim()),
    ssl: kafkaTls(environment),
    ...(environment.KAFKA_SASL_MECHANISM && {
      sasl: {
        mechanism: environment.KAFKA_SASL_MECHANISM as 'plain',
        username: environment.KAFKA_SASL_USERNAME!,
        password: environment.KAFKA_SASL_PASSWORD!,
      },
    }),
    logLevel: logLevel.WARN,
    logCreator: () => {
      return ({ level, log: entry, namespace }) => {
        const { message, timestamp: _, ...fields } = entry;
        const write = level <= logLevel.ERROR ? 'error' : 'warn';
        log?.[write]({ kafka: namespace, ...fields }, message);
      };
    },
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: Math.max(
      minRequestTimeoutMs,
      sessionsPerRequest * environment.DRIFTLOOP_SESSION_TIMEOUT_MS,
    ),
    retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries: 12 },
  });
}

/**
 * Connects a producer whose writes are acknowledged by all replicas and not duplicated by its own
 * retries, and that waits for a broker that is away.
 * @param retries of a write, also to a topic that is missing; without it, it waits for ever
 */
export async function connectProducer(
  kafka: Kafka,
  transactionalId?: string,
  retries = Number.MAX_SAFE_INTEGER,
): Promise<KafkaProducer> {
  const producer = kafka.producer({
    idempotent: true,
    transactionalId,
    // More than one request at a time would break the order within a transaction that is retried.
    maxInFlightRequests: transactionalId === undefined ? 5 : 1,
    retry: { initialRetryTime: 100, maxRetryTime: 5_000, retries },
    createPartitioner: choosePartition as unknown as typeof kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  return producer;
}

export async function sendRecords(
  producer: Pick<KafkaProducer, 'sendBatch'>,
  records: readonly OutgoingRecord[],
): Promise<void> {
  for (const batch of batchesOf(records)) {
    const byTopic = Map.groupBy(batch, record => record.topic);
    await producer.sendBatch({
      topicMessages: [...byTopic].map(([topic, messages]) => ({
        topic,
        messages: messages.map(({ key, value, headers, partition }) => ({
          key,
          value,
          ...(partition !== undefined && { partition }),
          // kafkajs's types do not know null headers; `encodeRecord` writes them.
          ...(headers && { headers: headers as IHeaders }),
        })),
      })),
    });
  }
}

/**
 * Less than the 1 MB that a broker takes as one batch by default. A larger record is a batch of its
 * own.
 */
const maxBatchBytes = 512 * 1024;
/** kafkajs needs time that is quadratic in the records of one partition of a request. */
const maxBatchRecords = 1_000;

function* batchesOf(records: readonly OutgoingRecord[]): Generator<OutgoingRecord[]> {
  let batch: OutgoingRecord[] = [];
  let batchBytes = 0;
  for (const record of records) {
    const bytes =
      (record.value?.length ?? 0) + (record.key?.length ?? 0) + headerBytes(record.headers);
    if (
      batch.length === maxBatchRecords ||
      (batch.length > 0 && batchBytes + bytes > maxBatchBytes)
    ) {
      yield batch;
      batch = [];
      batchBytes = 0;
    }
    batch.push(record);
    batchBytes += bytes;
  }
  if (batch.length > 0) yield batch;
}

/** Returns the size of names and values. */
export function headerBytes(headers: KafkaHeaders | undefined): number {
  let bytes = 0;
  for (const name in headers) {
    const value = headers[name];
    for (const one of Array.isArray(value) ? value : [value])
      bytes += name.length + (one?.length ?? 0);
  }
  return bytes;
}

/** Returns the text of a header, or undefined. When a header is repeated, its last value counts. */
export function headerText(headers: KafkaHeaders, name: string): string | undefined {
  const value = headers[name];
  return (Array.isArray(value) ? value.at(-1) : value)?.toString();
}
