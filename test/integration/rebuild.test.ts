import avro from 'avsc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readTopic } from '../../infra/kafka/readTopic.ts';
import { contractType, wireHeaderBytes } from '../../services/shared/avro/schemaRegistry.ts';
import { readSettings } from '../../services/shared/config/settings.ts';
import type { Feedback, Prediction, RetrainRequest } from '../../services/shared/contracts.ts';
import type { KafkaRecord } from '../../services/shared/kafka/kafka.ts';
import { seededRandom } from '../../services/shared/model/seededRandom.ts';
import { oracle } from '../chaos/oracle.ts';
import { differences, oracleTables, storedRows } from '../chaos/storedTables.ts';
import { chunksOfStream, type StreamRecord } from '../chaos/stream.ts';
import { driftloop } from '../commands.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';

const services = ['profiler', 'evaluator', 'detector'] as const;

describe('driftloop rebuild', { timeout: 900_000 }, () => {
  let installation: Installation;
  let chunks: StreamRecord[][];
  beforeEach(async () => {
    installation = await freshInstallation();
    const encoders = {
      prediction: await installation.schemas.encoder<Prediction>(
        'Prediction',
        topic('predictions'),
      ),
      feedback: await installation.schemas.encoder<Feedback>('Feedback', topic('feedback')),
      request: await installation.schemas.encoder<RetrainRequest>(
        'RetrainRequest',
        topic('retrain-requests'),
      ),
    };
    chunks = [...chunksOfStream(seededRandom(11), encoders, 8)].map(records =>
      records.filter(({ topic }) => topic !== 'retrain-requests'),
    );
  });
  afterEach(() => installation[Symbol.asyncDispose]());

  const topic = (name: string) => `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}${name}`;
  const quiet = () => installation.untilQuiet(...services);
  const rebuild = (...args: string[]) => driftloop(installation.variables, 'rebuild', ...args);
  const sql = (statement: string) => installation.clickhouse.command(statement);

  async function send(records: readonly StreamRecord[]): Promise<void> {
    for (const [name, messages] of Map.groupBy(records, record => record.topic))
      await installation.producer.send({
        topic: topic(name),
        messages: messages.map(({ key, value, headers }) => ({ key, value, headers })),
      });
  }

  /**
   * Returns a line for each place where the tables differ from one offline pass over the topics.
   */
  async function mistakes(): Promise<string[]> {
    const { windowSizeMs, outOfOrdernessMs, gracePeriodMs } = readSettings(undefined).of('new');
    const records: KafkaRecord[] = [];
    for (const name of ['predictions', 'feedback'])
      await readTopic(
        installation.kafka,
        installation.admin,
        topic(name),
        async part => void records.push(...part),
      );
    const plain = (contract: string) => {
      const type = avro.Type.forSchema(contractType(contract).schema({ exportAttrs: true }));
      return (value: Buffer) => type.fromBuffer(value.subarray(wireHeaderBytes));
    };
    const expected = oracle(
      records.filter(record => record.topic === topic('predictions')),
      records.filter(record => record.topic === topic('feedback')),
      [],
      { prediction: plain('Prediction'), feedback: plain('Feedback') },
      { windowSizeMs, outOfOrdernessMs, gracePeriodMs },
    );
    const lines: string[] = [];
    for (const table of oracleTables)
      lines.push(
        ...differences(table, expected[table], await storedRows(installation.clickhouse, table)),
      );
    return lines.sort();
  }

  /** Returns the number of records of each window, without the damaged model. */
  const undamaged = async () =>
    new Map(
      (
        await installation.clickhouse.select<{ window: string; records: number }>(
          `SELECT concat(model, version, toString(window_start)) AS window, sum(count) AS records FROM window_profiles FINAL
           WHERE model = 'new' AND feature = 'prediction' GROUP BY window
           UNION ALL SELECT concat('rows of ', version), count() FROM predictions FINAL WHERE model = 'new' GROUP BY version
           UNION ALL SELECT concat('outcomes of ', version), count() FROM outcomes FINAL WHERE model = 'new' GROUP BY version`,
        )
      ).map(({ window, records }) => [window, records]),
    );

  async function damage(model: string): Promise<void> {
    const of = `model = '${model}'`;
    await sql(`DELETE FROM predictions WHERE ${of} AND cityHash64(id) % 3 = 0`);
    await sql(`DELETE FROM window_profiles WHERE ${of} AND toHour(window_start) % 3 = 0`);
    await sql(`INSERT INTO window_profiles SELECT * REPLACE (count + 5 AS count, last_offset + 1000000 AS last_offset)
               FROM window_profiles FINAL WHERE ${of} AND toHour(window_start) % 3 = 1`);
    await sql(`INSERT INTO window_profiles SELECT * REPLACE (window_start + INTERVAL 30 MINUTE AS window_start)
               FROM window_profiles FINAL WHERE ${of} AND toHour(window_start) % 3 = 2`);
    await sql(`DELETE FROM window_samples WHERE ${of} AND toHour(window_start) % 3 = 1`);
    await sql(`INSERT INTO window_samples SELECT * REPLACE ([] AS id_hashes, [] AS codes, [] AS outputs, last_offset + 1000000 AS last_offset)
               FROM window_samples FINAL WHERE ${of} AND toHour(window_start) % 3 = 2`);
    await sql(`DELETE FROM outcomes WHERE ${of} AND cityHash64(id) % 2 = 0`);
    await sql(
      `INSERT INTO outcomes SELECT * REPLACE (concat('never-', id) AS id) FROM outcomes FINAL WHERE ${of} AND cityHash64(id) % 10 = 1`,
    );
    await sql(`INSERT INTO performance_windows SELECT * REPLACE (predictions + 7 AS predictions, progress + 1000000000000 AS progress)
               FROM performance_windows FINAL WHERE ${of}`);
    await sql(
      `ALTER TABLE stream_progress UPDATE predictions = predictions + 3 WHERE ${of} SETTINGS mutations_sync = 2`,
    );
    await sql(`DELETE FROM evaluated_windows WHERE ${of} AND toHour(window_start) % 2 = 0`);
  }

  it('repairs damaged tables while producers and services go on, and no reader misses a record', async () => {
    for (const service of services) await installation.startService(service);
    for (const chunk of chunks.slice(0, 4)) await send(chunk);
    await quiet();
    expect(await mistakes()).toEqual([]);
    const judged = () =>
      installation.clickhouse.select<{ window: string }>(
        'SELECT DISTINCT concat(model, version, toString(window_start)) AS window FROM evaluated_windows ORDER BY window',
      );
    const judgedBefore = await judged();
    await damage('old');
    expect((await mistakes()).length).toBeGreaterThan(500);

    let running = true;
    const missed: string[] = [];
    const reader = (async () => {
      let before = await undamaged();
      while (running) {
        const now = await undamaged();
        for (const [window, records] of before)
          if ((now.get(window) ?? 0) < records)
            missed.push(`${window}: ${now.get(window)} after ${records}`);
        before = now;
      }
    })();
    // ClickHouse may merge rows at any time. This test makes it do so all the time.
    const merging = (async () => {
      while (running)
        for (const table of [
          'window_profiles',
          'window_samples',
          'performance_windows',
          'outcomes',
          'predictions',
        ])
          await sql(`OPTIMIZE TABLE ${table} FINAL`);
    })();
    const producing = (async () => {
      for (const chunk of chunks.slice(4))
        for (let start = 0; start < chunk.length; start += 50)
          await send(chunk.slice(start, start + 50));
    })();
    const result = await rebuild('--from', 'beginning').finally(() => {
      running = false;
    });
    await Promise.all([reader, merging, producing]);
    expect(result.errors).not.toMatch(/error/i);
    expect(result.exitCode, result.errors).toBe(0);
    expect(missed).toEqual([]);
    await quiet();
    expect(await mistakes()).toEqual([]);
    expect(await judged()).toEqual(expect.arrayContaining(judgedBefore));

    const left = (await installation.admin.listTopics()).filter(name => name.includes('rebuild'));
    const databases = await installation.clickhouse.select(
      "SELECT name FROM system.databases WHERE name LIKE concat(currentDatabase(), '_rebuild%')",
    );
    expect({ left, databases }).toEqual({ left: [], databases: [] });
  });

  it('changes nothing before --from and nothing with --dry-run, needs no running services, and keeps drift events', async () => {
    const running = await Promise.all(services.map(installation.startService));
    for (const chunk of chunks) await send(chunk);
    await quiet();
    for (const service of running) await service.stop();
    const events = () =>
      installation.clickhouse.select(
        `SELECT id, status, cause, feature, window_start FROM drift_events FINAL WHERE status != 'withdrawn' ORDER BY id`,
      );
    const eventsBefore = await events();
    expect(eventsBefore.length).toBeGreaterThan(0);
    await damage('old');
    await sql("DELETE FROM window_profiles WHERE model = 'new' AND toHour(window_start) = 3");
    await sql("DELETE FROM outcomes WHERE model = 'new'");
    await sql("DELETE FROM stream_progress WHERE model = 'new' AND source_partition = 1");
    const damaged = await mistakes();

    const looked = await rebuild('--from', '2025-12-01', '--dry-run');
    expect(looked.exitCode).toBe(0);
    expect(looked.output).toContain(
      'windows that start at 2025-12-01T00:00:00.000Z or later are computed again',
    );
    expect(looked.output).toMatch(/predictions +0 +0 +\d+ +\d+/);
    expect(await mistakes()).toEqual(damaged);

    const result = await rebuild('--from', '2025-12-01');
    expect(result.exitCode, result.errors).toBe(0);
    expect(await mistakes()).toEqual(damaged.filter(line => line.includes(': old | ')));

    await Promise.all(services.map(installation.startService));
    const all = await rebuild('--from', 'beginning');
    expect(all.exitCode, all.errors).toBe(0);
    await quiet();
    expect(await mistakes()).toEqual([]);
    expect(await events()).toEqual(eventsBefore);

    await installation.admin.deleteTopicRecords({
      topic: topic('predictions'),
      partitions: [{ partition: 0, offset: '1' }],
    });
    const tooEarly = await rebuild('--from', '2025-12-01');
    expect(tooEarly.exitCode).toBe(1);
    expect(tooEarly.errors.trim()).toMatch(
      /^--from 2025-12-01T00:00:00.000Z: topic \S+predictions no longer has its first records; the earliest possible time is \S+, which "beginning" takes$/,
    );
  });
});

it('refuses an unusable time with one line', async () => {
  for (const time of ['yesterday', '2999-01-01', '2026-01-01T00:00:00']) {
    const { exitCode, errors } = await driftloop({}, 'rebuild', '--from', time);
    expect(exitCode).toBe(1);
    expect(errors.trim()).toBe(
      `--from: expected a time in the past with its zone, such as 2026-01-31T00:00:00Z, or "beginning" (got "${time}")`,
    );
  }
});
