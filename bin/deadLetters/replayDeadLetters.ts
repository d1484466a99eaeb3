import { readTopic } from '../../infra/kafka/readTopic.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import {
  connectProducer,
  type Kafka,
  type KafkaAdmin,
  type KafkaRecord,
  type OutgoingRecord,
  sendRecords,
} from '../../services/shared/kafka/kafka.ts';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import {
  type DeadLetterOrigin,
  deadLetterOrigin,
} from '../../services/shared/service/deadLetters.ts';
import { missingTopicsError } from '../servers/withServers.ts';
import { recordsOfBatch } from './recordsOfBatch.ts';

export interface DeadLetterFilter {
  class?: string;
  model?: string;
}

export interface DeadLetterReplayOptions extends DeadLetterFilter {
  /** Bytes after decompression up to which a batch is read that was set aside whole. */
  maxBatchBytes: number;
}

export interface DeadLetterReplay {
  /** Sent to their topics again. A batch that was set aside counts as one. */
  replayed: number;
  /** Of those, how many went to the partition of their key, because theirs does not exist. */
  sentByKey: number;
  /** Match the filter, but were sent again earlier. */
  replayedEarlier: number;
  /** Do not match the filter. */
  others: number;
  /** Why letters were left where they are, with the number of letters; they are not marked. */
  left: Map<string, number>;
}

const maxTransactionLetters = 100;

interface Letter {
  source: string;
  origin: DeadLetterOrigin;
  record: KafkaRecord;
}

/**
 * Sends dead letters to the partitions that they came from, with the key, value and headers that
 * their producers gave them. The records of a batch that was set aside whole are sent one by one.
 *
 * Each source record (topic, partition, offset) is sent exactly once. The record and its mark on
 * topic dead-letter-replays are written in one Kafka transaction: a run that is killed leaves both
 * or neither, and the transactional id lets only the latest of two runs write. Committed offsets
 * cannot serve as marks, because a filter skips letters that a later run with another filter must
 * still find.
 */
export async function replayDeadLetters(
  kafka: Kafka,
  admin: KafkaAdmin,
  environment: Environment,
  options: DeadLetterReplayOptions,
): Promise<DeadLetterReplay> {
  const marks = prefixed(environment, topics.deadLetterReplays);
  const deadLetters = prefixed(environment, topics.deadLetters);
  const existing = new Set(await admin.listTopics());
  if (![marks, deadLetters].every(topic => existing.has(topic)))
    throw missingTopicsError(environment);
  const partitionsOf = partitionCounts(admin, existing);
  const producer = await connectProducer(
    kafka,
    prefixed(environment, 'driftloop-dead-letters-replay'),
  );
  const result: DeadLetterReplay = {
    replayed: 0,
    sentByKey: 0,
    replayedEarlier: 0,
    others: 0,
    left: new Map(),
  };
  try {
    // Opening a transaction ends an unfinished one of an earlier run. From here on the marks are
    // final.
    await (await producer.transaction()).abort();
    const sent = new Set<string>();
    await readTopic(kafka, admin, marks, async records => {
      for (const { key } of records) sent.add(String(key));
    });
    await readTopic(kafka, admin, deadLetters, async records => {
      const letters = lettersToSend(records, options, sent, result);
      for (let start = 0; start < letters.length; start += maxTransactionLetters) {
        const part = letters.slice(start, start + maxTransactionLetters);
        await sendMarked(producer, marks, await outgoing(part, partitionsOf, options, result));
      }
    });
  } finally {
    await producer.disconnect();
  }
  return result;
}

/** Returns what tells the number of partitions of a topic, 0 if the topic does not exist. */
function partitionCounts(
  admin: KafkaAdmin,
  existing: ReadonlySet<string>,
): (topic: string) => Promise<number> {
  const known = new Map<string, number>();
  return async topic => {
    let count = known.get(topic);
    if (count === undefined) {
      count = existing.has(topic) ? (await admin.fetchTopicOffsets(topic)).length : 0;
      known.set(topic, count);
    }
    return count;
  };
}

/** Returns the letters that match and were not sent before, and adds them to `sent`. */
function lettersToSend(
  records: KafkaRecord[],
  filter: DeadLetterFilter,
  sent: Set<string>,
  counts: Pick<DeadLetterReplay, 'others' | 'replayedEarlier'>,
): Letter[] {
  const letters: Letter[] = [];
  for (const record of records) {
    const origin = deadLetterOrigin(record);
    if (!origin || !matches(origin, filter)) {
      counts.others++;
      continue;
    }
    const source = `${origin.topic}/${origin.partition}/${origin.offset}`;
    if (sent.has(source)) {
      counts.replayedEarlier++;
      continue;
    }
    sent.add(source);
    letters.push({ source, origin, record });
  }
  return letters;
}

function matches(origin: DeadLetterOrigin, filter: DeadLetterFilter): boolean {
  return (
    (filter.class === undefined || filter.class === origin.class) &&
    (filter.model === undefined || filter.model === origin.model)
  );
}

interface MarkedRecords {
  source: string;
  records: OutgoingRecord[];
}

/** Returns what to send for each letter, and counts in `result` those that are left. */
async function outgoing(
  letters: readonly Letter[],
  partitionsOf: (topic: string) => Promise<number>,
  { maxBatchBytes }: DeadLetterReplayOptions,
  result: DeadLetterReplay,
): Promise<MarkedRecords[]> {
  const marked: MarkedRecords[] = [];
  const leave = (reason: string) => result.left.set(reason, (result.left.get(reason) ?? 0) + 1);
  for (const { source, origin, record } of letters) {
    const { topic, partition, headers, isBatch } = origin;
    if (origin.leftOut !== null) {
      leave(`the letter lacks the ${origin.leftOut}`);
      continue;
    }
    const partitions = await partitionsOf(topic);
    if (partitions === 0) {
      leave(`topic ${topic} does not exist`);
      continue;
    }
    const { records, failure } = isBatch
      ? recordsOfBatch(record.value, maxBatchBytes)
      : { records: [{ key: record.key, value: record.value, headers }] };
    if (records === undefined) {
      leave(failure);
      continue;
    }
    const hasPartition = partition < partitions;
    result.replayed++;
    if (!hasPartition) result.sentByKey++;
    marked.push({
      source,
      records: records.map(one => ({ topic, ...one, ...(hasPartition && { partition }) })),
    });
  }
  return marked;
}

async function sendMarked(
  producer: Awaited<ReturnType<typeof connectProducer>>,
  marks: string,
  letters: readonly MarkedRecords[],
): Promise<void> {
  if (letters.length === 0) return;
  const transaction = await producer.transaction();
  try {
    await sendRecords(
      transaction,
      letters.flatMap(({ records }) => records),
    );
    await sendRecords(
      transaction,
      letters.map(({ source }) => ({
        topic: marks,
        key: source,
        value: Buffer.from(new Date().toISOString()),
      })),
    );
    await transaction.commit();
  } catch (error) {
    if (transaction.isActive()) await transaction.abort();
    throw error;
  }
}
