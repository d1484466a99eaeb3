import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { consumerGroup } from '../../services/shared/kafka/serviceFlow.ts';
import { driftloop } from '../commands.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';
import { uniqueName } from '../uniqueName.ts';

const batches = 20;
const startMs = Date.UTC(2026, 0, 1);
const [shop, claims, outcomes] = ['shop', 'claims', 'outcomes'].map(
  name => `${uniqueName()}-${name}`,
);
const config = `
inputs:
  - topic: ${shop}
    kind: prediction
    rows: instances
    fields:
      id: request.uuid
      model: { constant: shop }
      version: release
      time: ts
      features: customer.*
      prediction: outputs.#.label
  - topic: ${claims}
    kind: prediction
    fields: { id: claim, model: { constant: claims }, features: '*', prediction: paid }
  - topic: ${outcomes}
    kind: feedback
    fields: { id: uuid, label: truth, model: { constant: shop } }
`;

let folder: string;
let installation: Installation;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'driftloop-inputs-'));
  await writeFile(join(folder, 'settings.yaml'), config);
  installation = await freshInstallation({ DRIFTLOOP_CONFIG: join(folder, 'settings.yaml') });
  await installation.admin.createTopics({
    topics: [shop!, claims!, outcomes!].map(topic => ({ topic, numPartitions: 1 })),
  });
});
afterAll(async () => {
  await installation.admin.deleteTopics({ topics: [shop!, claims!, outcomes!] });
  await installation[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const send = (topic: string, values: (object | string)[]) =>
  installation.producer.send({
    topic,
    messages: values.map(value => ({
      key: 'k',
      value: typeof value === 'string' ? value : JSON.stringify(value),
    })),
  });

const ofShop = (batch: number) => ({
  request: { uuid: `s${batch}` },
  release: 3,
  ts: startMs / 1000 + batch * 60,
  instances: [0, 1, 2].map(row => ({ customer: { age: 20 + row } })),
  outputs: ['stays', 'leaves', 'stays'].map(label => ({ label })),
});
const ofClaims = (number: number) => ({
  claim: number,
  version: 'v1',
  time: startMs + number * 60_000,
  amount: number,
  paid: number % 2 === 0,
});

async function counted() {
  const { clickhouse } = installation;
  const [progress, profiles, labelled] = await Promise.all([
    clickhouse.select(
      'SELECT model, version, predictions, duplicates FROM stream_progress FINAL ORDER BY model',
    ),
    clickhouse.select(
      `SELECT model, sum(count) AS records FROM window_profiles FINAL
       WHERE feature IN ('age', 'amount') AND kind = 'feature' GROUP BY model ORDER BY model`,
    ),
    clickhouse.select('SELECT id, label FROM outcomes FINAL ORDER BY id'),
  ]);
  return { progress, profiles, labelled };
}

it('reads several topics of other forms, several rows of a record, and a record again', async () => {
  const profiler = await installation.startService('profiler');
  await installation.startService('evaluator');
  const numbers = Array.from({ length: batches }, (_, number) => number);
  await send(shop!, [...numbers.map(ofShop), { ...ofShop(99), outputs: [] }, 'nope']);
  await send(claims!, numbers.map(ofClaims));
  await send(outcomes!, [
    { uuid: 's0-1', truth: 'leaves', time: '2026-01-02 00:00:00+01' },
    { uuid: 's1-0', truth: 'leaves', time: '2026-01-02' },
  ]);
  await installation.untilQuiet('profiler', 'evaluator');
  const expected = {
    progress: [
      { model: 'claims', version: 'v1', predictions: batches, duplicates: 0 },
      { model: 'shop', version: '3', predictions: 3 * batches, duplicates: 0 },
    ],
    profiles: [
      { model: 'claims', records: batches },
      { model: 'shop', records: 3 * batches },
    ],
    labelled: [
      { id: 's0-1', label: 'leaves' },
      { id: 's1-0', label: 'leaves' },
    ],
  };
  expect(await counted()).toEqual(expected);
  const letters = await installation.clickhouse.select(
    'SELECT source_topic, class, message FROM dead_letters FINAL ORDER BY class',
  );
  expect(letters).toEqual([
    {
      source_topic: shop,
      class: 'invalid-field',
      message: 'row 0: prediction: is missing (read from outputs.#.label)',
    },
    { source_topic: shop, class: 'malformed-json', message: expect.any(String) },
  ]);

  // Kafka delivers the second half again to a profiler that has only the tables.
  await profiler.stop();
  await installation.admin.setOffsets({
    groupId: consumerGroup(installation.environment, 'profiler'),
    topic: shop!,
    partitions: [{ partition: 0, offset: String(batches / 2) }],
  });
  await installation.startService('profiler');
  await send(shop!, [ofShop(batches)]);
  await installation.untilQuiet('profiler', 'evaluator');
  const { progress } = await counted();
  expect(progress).toEqual([
    expected.progress[0],
    { ...expected.progress[1], predictions: 3 * (batches + 1) },
  ]);
});

it('a rebuild reads the topics of other forms again, and pauses every replica that reads them', async () => {
  const tables = [
    'predictions',
    'window_profiles',
    'window_samples',
    'stream_progress',
    'outcomes',
    'feedback',
    'performance_windows',
  ];
  const rows = async () =>
    Object.fromEntries(
      await Promise.all(
        tables.map(async table => [
          table,
          await installation.clickhouse.select(
            `SELECT * EXCEPT (ingested_at) FROM ${table} FINAL ORDER BY ALL`,
          ),
        ]),
      ),
    );
  await installation.startService('profiler');
  await installation.untilQuiet('profiler', 'evaluator');
  const before = await rows();
  await installation.clickhouse.command("DELETE FROM predictions WHERE model = 'claims'");
  await installation.clickhouse.command("DELETE FROM outcomes WHERE id = 's1-0'");
  await installation.clickhouse.command("DELETE FROM stream_progress WHERE model = 'shop'");
  await installation.clickhouse.command(
    'INSERT INTO window_profiles SELECT * REPLACE (count + 5 AS count, last_offset + 1000 AS last_offset) FROM window_profiles FINAL',
  );
  const rebuilt = await driftloop(installation.variables, 'rebuild', '--from', 'beginning');
  expect(rebuilt.exitCode, rebuilt.errors).toBe(0);
  await installation.untilQuiet('profiler', 'evaluator');
  expect(await rows()).toEqual(before);

  await send(shop!, [ofShop(batches), ofShop(batches + 1)]);
  await installation.untilQuiet('profiler', 'evaluator');
  expect((await counted()).progress[1]).toMatchObject({
    predictions: 3 * (batches + 2),
    duplicates: 3,
  });
});
