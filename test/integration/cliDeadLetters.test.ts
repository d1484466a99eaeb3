import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTopic } from '../../infra/kafka/readTopic.ts';
import { ensureTopics } from '../../infra/kafka/topics.ts';
import { type Environment, readEnvironment } from '../../services/shared/config/environment.ts';
import {
  connectKafka,
  connectProducer,
  type Kafka,
  type KafkaAdmin,
  type KafkaProducer,
  type KafkaRecord,
  sendRecords,
} from '../../services/shared/kafka/kafka.ts';
import type { RejectionClass } from '../../services/shared/records/decodeRecord.ts';
import { deadLetterRecord } from '../../services/shared/service/deadLetters.ts';
import { driftloop, ownInstallation } from '../commands.ts';

let variables: Record<string, string>;
let environment: Environment;
let kafka: Kafka;
let admin: KafkaAdmin;
let producer: KafkaProducer;
const topic = (name: string) => environment.DRIFTLOOP_TOPIC_PREFIX + name;

beforeAll(async () => {
  variables = ownInstallation();
  environment = readEnvironment(variables);
  kafka = connectKafka(environment, 'test');
  admin = kafka.admin();
  await admin.connect();
  await ensureTopics(admin, environment);
  producer = await connectProducer(kafka);
});
afterAll(async () => {
  await producer.disconnect();
  await admin.disconnect();
});

/** Puts a record on dead-letters as a service does. */
async function bury(
  offset: number,
  rejectionClass: RejectionClass,
  model: string | undefined,
  value: string,
): Promise<void> {
  const record: KafkaRecord = {
    topic: topic('predictions'),
    partition: offset % 4,
    offset,
    key: Buffer.from(`key-${offset}`),
    value: Buffer.from(value),
    headers: { trace: Buffer.from('abc') },
    timestampMs: 0,
  };
  const rejection = { class: rejectionClass, message: 'why', model };
  await sendRecords(producer, [
    deadLetterRecord(topic('dead-letters'), 'profiler', { record, rejection }),
  ]);
}

async function recordsOf(name: string): Promise<KafkaRecord[]> {
  const records: KafkaRecord[] = [];
  await readTopic(kafka, admin, topic(name), async some => void records.push(...some));
  return records;
}

describe('driftloop dead-letters replay', () => {
  it('sends every letter once to its partition, unchanged, even if the filters of several calls overlap', async () => {
    await bury(1, 'unknown-schema-id', undefined, 'one');
    await bury(2, 'invalid-field', 'churn', 'two');
    await bury(3, 'invalid-field', 'price', 'three');
    // A service that is killed between writing and committing writes the same dead letter again.
    await bury(2, 'invalid-field', 'churn', 'two');

    const replay = async (...args: string[]) =>
      (await driftloop(variables, 'dead-letters', 'replay', ...args)).output;
    expect(await replay('--class', 'unknown-schema-id')).toBe(
      'sent again: 1; already sent earlier: 0; other classes or models: 3\n',
    );
    expect(await replay('--model', 'churn')).toBe(
      'sent again: 1; already sent earlier: 1; other classes or models: 2\n',
    );
    expect(await replay()).toBe(
      'sent again: 1; already sent earlier: 3; other classes or models: 0\n',
    );
    expect(await replay()).toBe(
      'sent again: 0; already sent earlier: 4; other classes or models: 0\n',
    );

    const sent = await recordsOf('predictions');
    expect(sent.map(({ key, value, partition }) => `${key} ${value} ${partition}`).sort()).toEqual([
      'key-1 one 1',
      'key-2 two 2',
      'key-3 three 3',
    ]);
    for (const { headers } of sent) expect(headers).toEqual({ trace: Buffer.from('abc') });
    expect(await recordsOf('dead-letter-replays')).toHaveLength(3);
  });
});

describe('driftloop dead-letters replay, where topics have changed', () => {
  it('sends letters by key where their partition is gone, and marks none whose topic is gone', async () => {
    const own = ownInstallation();
    const ofOwn = (name: string) => `${own.DRIFTLOOP_TOPIC_PREFIX}${name}`;
    expect((await driftloop(own, 'dead-letters', 'replay')).errors).toContain(
      'lacks Driftloop topics',
    );
    await admin.createTopics({
      topics: [
        { topic: ofOwn('predictions'), numPartitions: 2 },
        { topic: ofOwn('dead-letters'), numPartitions: 1 },
        { topic: ofOwn('dead-letter-replays'), numPartitions: 1 },
      ],
    });
    const letterOf = (name: string, offset: number) =>
      deadLetterRecord(ofOwn('dead-letters'), 'profiler', {
        record: {
          ...{ topic: ofOwn(name), partition: offset % 4, offset, timestampMs: 0 },
          ...{ key: Buffer.from(`key-${offset}`), value: Buffer.from('x'), headers: { a: null } },
        },
        rejection: { class: 'malformed-json', message: 'why' },
      });
    await sendRecords(producer, [
      ...[0, 1, 2, 3].map(offset => letterOf('predictions', offset)),
      letterOf('feedback', 0),
    ]);
    const replay = await driftloop(own, 'dead-letters', 'replay');
    expect([replay.exitCode, replay.output]).toEqual([
      1,
      `sent again: 4; already sent earlier: 0; other classes or models: 0
sent by key, because their partition does not exist any more: 2
not sent: 1; topic ${ofOwn('feedback')} does not exist
`,
    ]);
    const records: KafkaRecord[] = [];
    const collect = async (some: KafkaRecord[]) => void records.push(...some);
    await readTopic(kafka, admin, ofOwn('predictions'), collect);
    expect(records.map(({ key }) => String(key)).sort()).toEqual(
      [0, 1, 2, 3].map(offset => `key-${offset}`),
    );
    for (const { headers } of records) expect({ ...headers }).toEqual({ a: null });
    expect((await driftloop(own, 'dead-letters', 'replay')).output).toMatch(
      /^sent again: 0; already sent earlier: 4;/,
    );
  });
});

describe('sendRecords', () => {
  it('sends more records at once than a broker takes as one batch', async () => {
    const value = Buffer.alloc(900_000, 'x');
    await sendRecords(
      producer,
      Array.from({ length: 12 }, (_, index) => ({
        topic: topic('feedback'),
        key: `${index}`,
        value,
      })),
    );
    expect(await recordsOf('feedback')).toHaveLength(12);
  });
});

describe('readTopic', () => {
  it('ends at once for a topic without records', async () => {
    expect(await recordsOf('alerts')).toEqual([]);
  });

  it('rejects with the error of its reader', async () => {
    await sendRecords(producer, [
      { topic: topic('drift-events'), key: null, value: Buffer.from('x') },
    ]);
    await expect(
      readTopic(kafka, admin, topic('drift-events'), async () => {
        throw new Error('unreadable');
      }),
    ).rejects.toThrow('unreadable');
  });
});
