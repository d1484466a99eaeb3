import { zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { groupLag } from '../../infra/kafka/groupLag.ts';
import { readTopic } from '../../infra/kafka/readTopic.ts';
import { committedEnds } from '../../services/shared/kafka/committedEnds.ts';
import {
  connectProducer,
  type KafkaRecord,
  sendRecords,
} from '../../services/shared/kafka/kafka.ts';
import { batchLimits } from '../../services/shared/kafka/protocol/batchLimits.ts';
import { driftloop } from '../commands.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';
import { type BatchToEncode, encodeBatch } from '../kafkaProtocol/encodeBatch.ts';
import { produceBatch } from '../kafkaProtocol/produceBatch.ts';

let installation: Installation;
beforeAll(async () => {
  installation = await freshInstallation();
});
afterAll(() => installation[Symbol.asyncDispose]());

const topic = (name: string) => `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}${name}`;

function predictionText(id: string, model: string, padding = ''): string {
  const features = { amount: 1, ...(padding && { padding }) };
  return JSON.stringify({ id, model, version: '1', time: Date.now(), features, prediction: 'a' });
}

/** Sends a batch as it is to a partition of predictions. */
async function produce(partition: number, batch: BatchToEncode): Promise<void> {
  const target = { broker: installation.environment.KAFKA_BROKERS, topic: topic('predictions') };
  const firstTimestampMs = Date.now();
  const error = await produceBatch(
    { ...target, partition },
    encodeBatch({ firstTimestampMs, ...batch }),
  );
  expect(error).toBe(0);
}

async function countedPredictions(model: string): Promise<number> {
  const [row] = await installation.clickhouse.select<{ count: number }>(
    'SELECT toUInt32(count()) AS count FROM predictions FINAL WHERE model = {model:String}',
    { model },
  );
  return row!.count;
}

async function lettersOf(partition: number): Promise<KafkaRecord[]> {
  const letters: KafkaRecord[] = [];
  const { kafka, admin } = installation;
  await readTopic(kafka, admin, topic('dead-letters'), async some => void letters.push(...some));
  return letters.filter(
    ({ headers }) => String(headers['__connect.errors.partition']) === String(partition),
  );
}

describe('a batch as raw Kafka protocol', () => {
  it('with any headers, keys and size stops neither its own partition nor another one', async () => {
    await installation.startService('profiler');
    await installation.startService('profiler');
    const bad = (headers: object, key: string | null = null) => ({
      key,
      value: 'nope',
      headers: headers as Record<string, string>,
    });
    const good = (id: string) => ({ key: id, value: predictionText(id, 'hostile') });
    const prototypeHeader = JSON.parse('{"__proto__": "x"}');
    const manyHeaders = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, index) => [`h${index}`, 'x']),
    );
    await produce(0, {
      records: [
        bad({ traceparent: null }),
        bad({ toString: 'x', constructor: 'x', hasOwnProperty: 'x', '': 'x' }),
        bad(prototypeHeader),
        bad({ twice: ['1', null] }),
        bad({}, 'k'.repeat(1_000_000)),
        bad(manyHeaders),
        { ...good('a'), headers: manyHeaders },
        good('b'),
      ],
    });
    await produce(0, {
      attributes: 4,
      compress: zstdCompressSync,
      records: Array.from({ length: 40 }, (_, index) => ({
        key: `large-${index}`,
        value: predictionText(`large-${index}`, 'large', 'x'.repeat(1_000_000)),
      })),
    });
    await produce(0, { records: [good('c')] });
    await produce(1, { records: [good('d')] });
    await installation.untilQuiet('profiler');

    expect(await countedPredictions('hostile')).toBe(4);
    const letters = await lettersOf(0);
    const withHeader = (name: string) =>
      letters.find(({ headers }) => Object.hasOwn(headers, name));
    expect(letters).toHaveLength(7);
    expect(withHeader('traceparent')!.headers.traceparent).toBeNull();
    expect(String(withHeader('toString')!.headers.toString)).toBe('x');
    expect(String(Object.entries(withHeader('__proto__')!.headers)[0]![1])).toBe('x');
    expect(withHeader('twice')!.headers.twice).toEqual([Buffer.from('1'), null]);
    const batch = withHeader('__connect.errors.batch.first.offset')!;
    expect(String(batch.headers['__connect.errors.exception.class.name'])).toBe('batch-too-large');
    expect(String(batch.headers['__connect.errors.batch.first.offset'])).toBe('8');
    expect(String(batch.headers['__connect.errors.offset'])).toBe('47');
    const [row] = await installation.clickhouse.select(
      "SELECT source_offset, message FROM dead_letters FINAL WHERE class = 'batch-too-large'",
    );
    expect(row).toEqual({
      source_offset: 47,
      message: `a batch of ${batch.value!.length} bytes from offset 8 on is set aside whole: more than ${batchLimits.maxBytes} bytes after decompression`,
    });
  });

  it('of an aborted transaction is not counted, whatever its keys, and leaves no lag', async () => {
    const { kafka, environment, admin } = installation;
    const producer = await connectProducer(kafka, `${environment.DRIFTLOOP_TOPIC_PREFIX}aborting`);
    const transaction = await producer.transaction();
    const keys = [Buffer.alloc(4), Buffer.from('k')];
    await sendRecords(
      transaction,
      keys.map((key, number) => ({
        topic: topic('predictions'),
        ...{ key, partition: 2 },
        value: Buffer.from(predictionText(`aborted-${number}`, 'aborted')),
      })),
    );
    // While the transaction is open, nobody can read its records.
    const ends = await committedEnds(kafka, [topic('predictions')]);
    expect(ends.find(({ partition }) => partition === 2)!.offset).toBe(0);
    await transaction.abort();
    await producer.disconnect();
    await installation.untilQuiet('profiler');
    expect(await countedPredictions('aborted')).toBe(0);
    const lags = await groupLag(admin, environment, 'profiler');
    expect(lags.filter(({ lag }) => lag > 0)).toEqual([]);
  });

  it('is read in smaller ones when dead letters are replayed, and told when it is too large for that', async () => {
    const replay = (...args: string[]) =>
      driftloop(
        installation.variables,
        'dead-letters',
        'replay',
        '--class',
        'batch-too-large',
        ...args,
      );
    const refused = await replay('--max-batch-mib', '32');
    expect([refused.exitCode, refused.output]).toEqual([
      1,
      `sent again: 0; already sent earlier: 0; other classes or models: 6\nnot sent: 1; a batch has more than ${batchLimits.maxBytes} bytes after decompression; raise --max-batch-mib\n`,
    ]);
    expect((await replay()).output).toMatch(/^sent again: 1; already sent earlier: 0;/);
    expect((await replay()).output).toMatch(/^sent again: 0; already sent earlier: 1;/);
    await installation.untilQuiet('profiler');
    expect(await countedPredictions('large')).toBe(40);
  });
});
