import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contractType, wireHeaderBytes } from '../../services/shared/avro/schemaRegistry.ts';
import { type Flag, type Prediction, predictionDefaults } from '../../services/shared/contracts.ts';
import { windowStartMs } from '../../services/shared/timeWindow.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';

const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 1);

function prediction(number: number, fields: Partial<Prediction> = {}): Prediction {
  return {
    ...predictionDefaults,
    id: `p${number}`,
    model: 'm',
    version: '1',
    time: startMs + number * 10_000,
    features: { amount: number % 50, city: number % 3 ? 'Rome' : null },
    prediction: number % 2 ? 'yes' : 'no',
    score: 0.5,
    ...fields,
  };
}

describe('profiler', () => {
  let installation: Installation;
  let encode: (prediction: Prediction) => Buffer;
  let configFolder: string;
  beforeAll(async () => {
    configFolder = await mkdtemp(join(tmpdir(), 'driftloop-profiler-'));
    const config = join(configFolder, 'driftloop.yaml');
    await writeFile(
      config,
      [
        'models:',
        '  killed:',
        '    guardrails:',
        '      - { name: small, feature: amount, maximum: 48 }',
        '      - { name: no-yes-in-Rome, when: \'prediction == "yes" && features.city == "Rome"\' }',
        '      - { name: misspelled, feature: amuont, minimum: 0 }',
      ].join('\n'),
    );
    installation = await freshInstallation({ DRIFTLOOP_CONFIG: config });
    encode = await installation.schemas.encoder<Prediction>('Prediction', topic('predictions'));
  });
  afterAll(async () => {
    await installation[Symbol.asyncDispose]();
    await rm(configFolder, { recursive: true });
  });

  const topic = (name: string) => `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}${name}`;
  const quiet = () => installation.untilQuiet('profiler');
  const send = (
    values: { value: Buffer | string | null; headers?: Record<string, string> }[],
    compression?: number,
  ) =>
    installation.producer.send({
      topic: topic('predictions'),
      messages: values.map(value => ({ key: 'k', ...value })),
      compression,
    });

  it('reads every encoding and compression, and dead-letters unusable records with their bytes, keys and headers', async () => {
    await installation.startService('profiler');
    const asJson = (number: number) =>
      JSON.stringify({
        ...prediction(number),
        model: 'encodings',
        time: new Date(startMs).toISOString(),
      });
    const { None, GZIP, Snappy, LZ4, ZSTD } = kafkajs.CompressionTypes;
    for (const [index, compression] of [None, GZIP, Snappy, LZ4, ZSTD].entries()) {
      await send(
        [
          { value: encode(prediction(index, { model: 'encodings' })) },
          { value: asJson(index + 10) },
        ],
        compression,
      );
    }
    await send([
      {
        value: asJson(20),
        headers: {
          'content-type': 'application/json',
          ce_specversion: '1.0',
          ce_id: '1',
          ce_type: 't',
          ce_source: 's',
        },
      },
      {
        value: JSON.stringify({
          specversion: '1.0',
          id: '1',
          type: 't',
          source: 's',
          data: JSON.parse(asJson(21)),
        }),
      },
    ]);
    const broken = {
      'malformed-json': Buffer.from('{"id":'),
      'null-value': null,
      'unknown-schema-id': Buffer.from([0, 0, 15, 66, 63, 1, 2]),
      'malformed-avro': encode(prediction(1)).subarray(0, 12),
      'invalid-field': Buffer.from(
        '{"id":"x","model":"encodings","version":"1","time":"2026-01-01","features":[],"prediction":1}',
      ),
      'implausible-time': Buffer.from(
        '{"id":"x","model":"encodings","version":"1","time":0,"features":{},"prediction":1}',
      ),
      'future-time': Buffer.from(
        '{"id":"x","model":"encodings","version":"1","time":"2100-01-01","features":{},"prediction":1}',
      ),
      'too-large': Buffer.from(
        JSON.stringify({ ...prediction(1), features: { blob: 'x'.repeat(2_000_000) } }),
      ),
    };
    await send(Object.entries(broken).map(([name, value]) => ({ value, headers: { name } })));
    await quiet();

    const [counts] = await installation.clickhouse.select(
      "SELECT sum(predictions) AS predictions, sum(duplicates) AS duplicates FROM stream_progress FINAL WHERE model = 'encodings'",
    );
    expect(counts).toEqual({ predictions: 12, duplicates: 0 });
    const letters = await readTopic(topic('dead-letters'), Object.keys(broken).length);
    const found = Object.fromEntries(
      letters.map(letter => [
        letter.headers['__connect.errors.exception.class.name']!.toString(),
        letter,
      ]),
    );
    expect(Object.keys(found).sort()).toEqual(Object.keys(broken).sort());
    for (const [name, value] of Object.entries(broken)) {
      expect(found[name]!.value, name).toEqual(value);
      expect(found[name]!.headers.name?.toString()).toBe(name);
      expect(found[name]!.key?.toString()).toBe('k');
    }
    const indexed = await installation.clickhouse.select<{ class: string; model: string }>(
      'SELECT class, model FROM dead_letters FINAL ORDER BY class',
    );
    expect(indexed.map(row => row.class)).toEqual(Object.keys(broken).sort());
    expect(indexed.find(row => row.class === 'invalid-field')?.model).toBe('encodings');
  });

  it('stores every kind of value, of any length and alphabet, as it was sent', async () => {
    const long = 'é€😀x'.repeat(60);
    const sent = prediction(0, {
      id: `😀-${'i'.repeat(200)}`,
      model: 'stored',
      version: 'Größe',
      time: Date.UTC(1996, 4, 7, 0, 0, 0, 1),
      features: {
        '': 1,
        negative: -1.5e300,
        nan: Number.NaN,
        low: -Infinity,
        long,
        yes: true,
        none: null,
        [long]: 'ß',
      },
      prediction: 2 ** 53,
      score: Number.NaN,
      probabilities: { '1': 0.25, long: 0.75 },
      segment: { land: 'Österreich', [long]: '' },
      codeVersion: 'a'.repeat(49),
      latencyMs: 0.1,
    });
    const plain = prediction(1, { model: 'stored', version: 'Größe', features: {}, score: null });
    await send([{ value: encode(sent) }, { value: encode(plain) }]);
    await quiet();
    const rows = await installation.clickhouse.select(
      `SELECT id, toUnixTimestamp64Milli(event_time) AS time, numeric_features, categorical_features, prediction, prediction_value,
              score, probabilities, segments, code_version, latency_ms
       FROM predictions FINAL WHERE model = 'stored' ORDER BY time`,
    );
    expect(rows).toEqual([
      {
        id: sent.id,
        time: sent.time,
        numeric_features: { '': 1, negative: -1.5e300, nan: 'nan', low: '-inf' },
        categorical_features: { long, yes: 'true', [long]: 'ß' },
        prediction: '9007199254740992',
        prediction_value: 2 ** 53,
        score: 'nan',
        probabilities: sent.probabilities,
        segments: sent.segment,
        code_version: sent.codeVersion,
        latency_ms: 0.1,
      },
      {
        id: 'p1',
        time: plain.time,
        numeric_features: {},
        categorical_features: {},
        prediction: 'yes',
        prediction_value: null,
        score: null,
        probabilities: {},
        segments: {},
        code_version: '',
        latency_ms: null,
      },
    ]);
  });

  it('counts a record with 500 features, and ten thousand categories', async () => {
    const wide = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`f${i}`, i]));
    await send([{ value: encode(prediction(0, { model: 'wide', features: wide })) }]);
    const many = Array.from({ length: 10_000 }, (_, i) =>
      prediction(i, { model: 'many', time: startMs, features: { city: `city ${i}` } }),
    );
    await send(many.map(value => ({ value: encode(value) })));
    await quiet();
    expect(
      await installation.clickhouse.select(
        "SELECT count() AS features FROM window_profiles FINAL WHERE model = 'wide' AND kind = 'feature'",
      ),
    ).toEqual([{ features: 500 }]);
    expect(
      await installation.clickhouse.select(
        "SELECT sum(arraySum(category_counts)) AS values, max(hashed) AS hashed FROM window_profiles FINAL WHERE model = 'many' AND feature = 'city'",
      ),
    ).toEqual([{ values: 10_000, hashed: 1 }]);
  });

  it('equals one offline pass over the topic after SIGKILLs, with a second member and redelivery', async () => {
    const stream: Prediction[] = [];
    for (let number = 0; number < 12_000; number++) {
      stream.push(prediction(number, { model: 'killed' }));
      if (number % 7 === 0) stream.push(prediction(number, { model: 'killed' }));
      if (number % 11 === 0)
        stream.push(
          prediction(number, {
            id: `late${number}`,
            model: 'killed',
            time: startMs + Math.max(0, number * 10_000 - 5 * hourMs),
          }),
        );
    }
    for (let start = 0; start < stream.length; start += 500) {
      await installation.producer.send({
        topic: topic('predictions'),
        messages: stream
          .slice(start, start + 500)
          .map(value => ({ key: value.id, value: encode(value) })),
      });
      if (start % 5000 === 2500) {
        const victim = await installation.startService('profiler');
        victim.kill();
      }
    }
    await installation.startService('profiler');
    await quiet();

    const counted = new Map<string, Prediction>();
    for (const record of stream) if (!counted.has(record.id)) counted.set(record.id, record);
    const expectedWindows = new Map<number, { records: number; missing: number; sum: number }>();
    for (const record of counted.values()) {
      const start = windowStartMs(record.time, hourMs);
      const window = expectedWindows.get(start) ?? { records: 0, missing: 0, sum: 0 };
      expectedWindows.set(start, window);
      window.records++;
      window.missing += record.features.city === null ? 1 : 0;
      window.sum += record.features.amount as number;
    }
    const windows = await installation.clickhouse.select(
      `SELECT toUnixTimestamp64Milli(window_start) AS start, sumIf(count, feature = 'prediction') AS records,
              sumIf(missing, feature = 'city') AS missing, sumIf(sum, feature = 'amount') AS sum
       FROM window_profiles FINAL WHERE model = 'killed' GROUP BY start ORDER BY start`,
    );
    expect(windows).toEqual(
      [...expectedWindows]
        .sort(([a], [b]) => a - b)
        .map(([start, window]) => ({ start, ...window })),
    );
    expect(
      await installation.clickhouse.select(
        "SELECT sum(predictions) AS predictions, sum(duplicates) AS duplicates FROM stream_progress FINAL WHERE model = 'killed'",
      ),
    ).toEqual([{ predictions: counted.size, duplicates: stream.length - counted.size }]);
    expect(
      await installation.clickhouse.select(
        "SELECT count() AS rows, uniqExact(id) AS ids FROM predictions FINAL WHERE model = 'killed'",
      ),
    ).toEqual([{ rows: counted.size, ids: counted.size }]);

    const broken = [...counted.values()].flatMap(({ id, time, features, prediction: output }) => [
      ...(Number(features.amount) > 48 ? [{ id, time, rule: 'small', value: '49' }] : []),
      ...(output === 'yes' && features.city === 'Rome'
        ? [{ id, time, rule: 'no-yes-in-Rome', value: '' }]
        : []),
    ]);
    const sorted = <Row extends { id: string; rule: string }>(rows: Row[]) =>
      rows.sort((a, b) => (`${a.id} ${a.rule}` < `${b.id} ${b.rule}` ? -1 : 1));
    const stored = await installation.clickhouse.select<{ id: string; rule: string }>(
      `SELECT id, toUnixTimestamp64Milli(event_time) AS time, rule, value FROM flags FINAL
       WHERE model = 'killed'`,
    );
    expect(sorted(stored)).toEqual(sorted(broken));
    // What was read again after a SIGKILL may have been flagged twice, and nothing is left out.
    const sent = new Map<string, Flag>();
    for (const { value } of await readTopic(topic('flags'), await endOf(topic('flags')))) {
      const flag: Flag = contractType('Flag').fromBuffer(value!.subarray(wireHeaderBytes));
      sent.set(`${flag.id} ${flag.rule}`, flag);
    }
    expect(
      sorted([...sent.values()].map(({ id, time, rule, value }) => ({ id, time, rule, value }))),
    ).toEqual(sorted(broken));
    expect([...sent.values()].find(({ rule }) => rule === 'small')!.message).toBe(
      'amount is 49; expected at most 48.',
    );
    expect(
      await installation.clickhouse.select(
        "SELECT code, subject, status FROM notices FINAL WHERE model = 'killed'",
      ),
    ).toEqual([{ code: 'guardrail-without-values', subject: 'misspelled', status: 'open' }]);
  });

  async function endOf(name: string): Promise<number> {
    const admin = installation.kafka.admin();
    await admin.connect();
    const offsets = await admin.fetchTopicOffsets(name);
    await admin.disconnect();
    return offsets.reduce((sum, { high }) => sum + Number(high), 0);
  }

  async function readTopic(name: string, count: number) {
    const consumer = installation.kafka.consumer({ groupId: `${name}-reader` });
    await consumer.connect();
    await consumer.subscribe({ topic: name, fromBeginning: true });
    const records: kafkajs.KafkaMessage[] = [];
    const enough = Promise.withResolvers<void>();
    await consumer.run({
      eachMessage: async ({ message }) => {
        records.push(message);
        if (records.length === count) enough.resolve();
      },
    });
    await enough.promise;
    await consumer.disconnect();
    return records as (kafkajs.KafkaMessage & { headers: Record<string, Buffer> })[];
  }
});
