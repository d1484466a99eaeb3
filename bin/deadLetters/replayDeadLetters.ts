import { readTopic } from '../../infra/kafka/readTopic.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import {
  connectProducer,
  type Kafka,
  type KafkaAdmin,
  type KafkaRecord,
} from '../../services/shared/kafka/kafka.ts';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import {
  type DeadLetterOrigin,
  deadLetterOrigin,
} from '../../services/shared/service/deadLetters.ts';

export interface DeadLetterFilter {
  class?: string;
  model?: string;
}

export interface DeadLetterReplay {
  /** Sent to their topics again. */
  replayed: number;
  /** Match the filter, but were sent again earlier. */
  replayedEarlier: number;
  /** Do not match the filter. */
  others: number;
}

const maxTransactionRecords = 100;

interface Letter {
  source: string;
  origin: DeadLetterOrigin;
  record: KafkaRecord;
}

/**
 * Sends dead letters to the partitions that they came from, with the key, value and headers that
 * their producers gave them.
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
  filter: DeadLetterFilter,
): Promise<DeadLetterReplay> {
  const marks = prefixed(environment, topics.deadLetterReplays);
  const producer = await connectProducer(
    kafka,
    prefixed(environment, 'driftloop-dead-letters-replay'),
  );
  const counts: DeadLetterReplay = { replayed: 0, replayedEarlier: 0, others: 0 };
  try {
    // Opening a transaction ends an unfinished one of an earlier run. From here on the marks are
    // final.
    await (await producer.transaction()).abort();
    const sent = new Set<string>();
    await readTopic(kafka, admin, marks, async records => {
      for (const { key } of records) sent.add(String(key));
    });
    await readTopic(kafka, admin, prefixed(environment, topics.deadLetters), async records => {
      const letters = lettersToSend(records, filter, sent, counts);
      for (let start = 0; start < letters.length; start += maxTransactionRecords) {
        const part = letters.slice(start, start + maxTransactionRecords);
        await sendMarked(producer, marks, part);
        counts.replayed += part.length;
      }
    });
  } finally {
    await producer.disconnect();
  }
  return counts;
}

/** Returns the letters that match and were not sent before, and adds them to `sent`. */
function lettersToSend(
  records: KafkaRecord[],
  filter: DeadLetterFilter,
  sent: Set<string>,
  counts: DeadLetterReplay,
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

async function sendMarked(
  producer: Awaited<ReturnType<typeof connectProducer>>,
  marks: string,
  letters: Letter[],
): Promise<void> {
  const transaction = await producer.transaction();
  try {
    for (const { source, origin, record } of letters) {
      const { key, value } = record;
      await transaction.send({
        topic: origin.topic,
        messages: [{ key, value, partition: origin.partition, headers: origin.headers }],
      });
      await transaction.send({
        topic: marks,
        messages: [{ key: source, value: new Date().toISOString() }],
      });
    }
    await transaction.commit();
  } catch (error) {
    if (transaction.isActive()) await transaction.abort();
    throw error;
  }
}
