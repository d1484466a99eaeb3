import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { waitUntilQuiet } from '../../infra/kafka/quiescence.ts';
import { ensureTopics } from '../../infra/kafka/topics.ts';
import type { ServiceProcess } from '../../infra/local/processes/serviceProcesses.ts';
import {
  type Feedback,
  type Prediction,
  predictionDefaults,
} from '../../services/shared/contracts.ts';
import { connectProducer } from '../../services/shared/kafka/kafka.ts';
import type { ServiceName } from '../../services/shared/kafka/serviceFlow.ts';
import { offsetsPerIncarnation } from '../../services/shared/service/partitionStart.ts';
import { freshInstallation, type Installation } from '../freshInstallation.ts';

const startMs = Date.UTC(2026, 0, 1);

function prediction(number: number): Prediction {
  return {
    ...predictionDefaults,
    id: `p${number}`,
    model: 'm',
    version: '1',
    time: startMs + number * 1_000,
    features: { amount: number },
    prediction: number % 2 ? 'yes' : 'no',
    score: 0.5,
  };
}

describe('topics that were recreated, truncated or deleted', { timeout: 300_000 }, () => {
  let installation: Installation;
  let encode: (prediction: Prediction) => Buffer;
  let encodeFeedback: (feedback: Feedback) => Buffer;
  beforeEach(async () => {
    installation = await freshInstallation();
    encode = await installation.schemas.encoder<Prediction>('Prediction', topic('predictions'));
    encodeFeedback = await installation.schemas.encoder<Feedback>('Feedback', topic('feedback'));
  });
  afterEach(() => installation[Symbol.asyncDispose]());

  const topic = (name: string) => `${installation.environment.DRIFTLOOP_TOPIC_PREFIX}${name}`;
  const quiet = (...services: ServiceName[]) => installation.untilQuiet(...services);

  /**
   * Sends the predictions with numbers in [from, to). The number decides which of the four
   * partitions gets it.
   */
  const send = (from: number, to: number) =>
    installation.producer.send({
      topic: topic('predictions'),
      messages: Array.from({ length: to - from }, (_, index) => {
        const value = prediction(from + index);
        return { key: value.id, value: encode(value), partition: (from + index) % 4 };
      }),
    });

  async function recreate(name: string): Promise<void> {
    await installation.admin.deleteTopics({ topics: [topic(name)] });
    await ensureTopics(installation.admin, installation.environment);
  }

  async function expectCounted(numbers: number, duplicates = 0): Promise<void> {
    const [rows] = await installation.clickhouse.select(
      'SELECT count() AS stored FROM predictions FINAL',
    );
    const [windows] = await installation.clickhouse.select(
      "SELECT sum(count) AS records, sum(sum) AS sum FROM window_profiles FINAL WHERE feature = 'amount'",
    );
    const [progress] = await installation.clickhouse.select(
      'SELECT sum(predictions) AS predictions, sum(duplicates) AS duplicates FROM stream_progress FINAL',
    );
    expect({ rows, windows, progress }).toEqual({
      rows: { stored: numbers },
      windows: { records: numbers, sum: (numbers * (numbers - 1)) / 2 },
      progress: { predictions: numbers, duplicates },
    });
  }

  const breaks = () =>
    installation.clickhouse.select<{ reason: string; lost: number; partitions: number }>(
      'SELECT reason, sum(lost_records) AS lost, count() AS partitions FROM topic_breaks FINAL GROUP BY reason',
    );

  async function logs(): Promise<string> {
    const files = (await readdir(installation.folder)).filter(name => name.endsWith('.log'));
    return (
      await Promise.all(files.map(name => readFile(join(installation.folder, name), 'utf8')))
    ).join('\n');
  }

  it('counts the records of both topics when predictions is recreated while the profiler runs, first with fewer records and then with more', async () => {
    const profiler = await installation.startService('profiler');
    await send(0, 400);
    await quiet('profiler');
    await recreate('predictions');
    await send(400, 440);
    await quiet('profiler');
    await expectCounted(440);
    await recreate('predictions');
    await send(440, 3_000);
    await quiet('profiler');
    await expectCounted(3_000);

    expect(await breaks()).toEqual([{ reason: 'recreated', lost: 0, partitions: 8 }]);
    const metrics = await (await fetch(`${profiler.healthUrl}/metrics`)).text();
    expect(metrics).toMatch(
      /driftloop_topic_breaks_total\{topic="[^"]*predictions",reason="recreated",[^}]*\} 8/,
    );
    expect(await logs()).toContain('the topic was deleted and created again');
    const [latest] = await installation.clickhouse.select<{ offset: number }>(
      'SELECT max(source_offset) AS offset FROM predictions WHERE source_partition = 0',
    );
    expect(latest!.offset).toBe(2 * offsetsPerIncarnation + (3_000 - 440) / 4 - 1);
  });

  it.each([40, 2_000])(
    'counts the records of both topics when predictions is recreated with %i records while the profiler is stopped',
    async records => {
      const profiler = await installation.startService('profiler');
      await send(0, 400);
      await quiet('profiler');
      await profiler.stop();
      // Send 20 records that are never read. The producers send 40 others again.
      await send(100_000, 100_020);
      await recreate('predictions');
      await send(360, 400 + records);
      await installation.startService('profiler');
      await quiet('profiler');
      await expectCounted(400 + records, 40);
      expect(await breaks()).toEqual([{ reason: 'recreated', lost: 0, partitions: 4 }]);
    },
  );

  it('reports how many records retention deleted before they were read, and continues after them', async () => {
    const profiler = await installation.startService('profiler');
    await send(0, 400);
    await quiet('profiler');
    await profiler.stop();
    await send(100_000, 100_400);
    const deleteBefore = (offset: number) =>
      installation.admin.deleteTopicRecords({
        topic: topic('predictions'),
        partitions: [0, 1, 2, 3].map(partition => ({ partition, offset: String(offset) })),
      });
    await deleteBefore(200);
    await send(400, 500);
    const restarted = await installation.startService('profiler');
    await quiet('profiler');
    await expectCounted(500);
    expect(await breaks()).toEqual([{ reason: 'deleted', lost: 400, partitions: 4 }]);
    const metrics = await (await fetch(`${restarted.healthUrl}/metrics`)).text();
    expect(metrics).toMatch(/driftloop_lost_records_total\{topic="[^"]*predictions",[^}]*\} 400/);
    expect(await logs()).toContain('Kafka has deleted records before they were read');
    await restarted.stop();

    // Kafka also forgets the offsets of a group.
    await installation.admin.deleteGroups([topic('driftloop-profiler')]);
    await send(100_000, 100_040);
    await deleteBefore(235);
    await send(500, 600);
    await installation.startService('profiler');
    await quiet('profiler');
    await expectCounted(600);
    expect(await breaks()).toEqual([{ reason: 'deleted', lost: 440, partitions: 8 }]);
  });

  it('counts records that reuse the offsets of records that Kafka has lost', async () => {
    const profiler = await installation.startService('profiler');
    await send(0, 400);
    await quiet('profiler');
    await profiler.stop();
    // The state is that after a restore. Beyond what Kafka now holds, 30 records of each partition
    // were read.
    await installation.clickhouse.command(
      `INSERT INTO topic_positions SELECT * REPLACE (position + 30 AS position, end_position + 30 AS end_position) FROM topic_positions FINAL`,
    );
    await installation.clickhouse.command(
      `INSERT INTO stream_progress SELECT * REPLACE (last_offset + 30 AS last_offset) FROM stream_progress FINAL`,
    );
    await send(400, 480);
    await installation.startService('profiler');
    await quiet('profiler');
    await expectCounted(480, 400);
    expect(await breaks()).toEqual([{ reason: 'truncated', lost: 0, partitions: 4 }]);
    expect(await logs()).toContain('Kafka has lost records that were counted, or was restored');
  });

  it('counts every record once when committed offsets are moved to any place', async () => {
    const profiler = await installation.startService('profiler');
    await send(0, 400);
    await quiet('profiler');
    await profiler.stop();
    await send(400, 500);
    for (const offset of ['1000000', '0']) {
      await installation.admin.setOffsets({
        groupId: topic('driftloop-profiler'),
        topic: topic('predictions'),
        partitions: [0, 1, 2, 3].map(partition => ({ partition, offset })),
      });
      const again = await installation.startService('profiler');
      await quiet('profiler');
      await expectCounted(500);
      await again.stop();
    }
    expect(await breaks()).toEqual([]);
  });

  it('reads partitions that are added while it runs', async () => {
    await installation.startService('profiler');
    await send(0, 400);
    await quiet('profiler');
    await installation.admin.createPartitions({
      topicPartitions: [{ topic: topic('predictions'), count: 6 }],
    });
    // Clients that connected earlier do not know the new partitions yet.
    const producer = await connectProducer(installation.kafka);
    await producer.send({
      topic: topic('predictions'),
      messages: Array.from({ length: 100 }, (_, index) => {
        const value = prediction(400 + index);
        return { key: value.id, value: encode(value), partition: 4 + (index % 2) };
      }),
    });
    await producer.disconnect();
    const admin = installation.kafka.admin();
    await admin.connect();
    await waitUntilQuiet({ admin, environment: installation.environment, services: ['profiler'] });
    await admin.disconnect();
    await expectCounted(500);
    expect(await breaks()).toEqual([]);
  });

  it('waits while its topic is missing, logs this and is not ready, both at start and later', async () => {
    const isReady = async ({ healthUrl }: ServiceProcess) => (await fetch(`${healthUrl}/ready`)).ok;
    const remove = () => installation.admin.deleteTopics({ topics: [topic('predictions')] });
    await remove();
    const starting = installation.startService('profiler');
    await vi.waitUntil(async () => (await logs()).includes(`waiting for ${topic('predictions')}`), {
      timeout: 60_000,
    });
    await ensureTopics(installation.admin, installation.environment);
    const profiler = await starting;
    await send(0, 400);
    await quiet('profiler');
    await remove();
    await vi.waitUntil(async () => !(await isReady(profiler)), { timeout: 60_000 });
    await ensureTopics(installation.admin, installation.environment);
    await send(400, 440);
    await quiet('profiler');
    await expectCounted(440);
    await vi.waitUntil(() => isReady(profiler), { timeout: 60_000 });
    expect(await breaks()).toEqual([{ reason: 'recreated', lost: 0, partitions: 4 }]);
  });

  it('joins windows whose announcements were lost with the topic windows, and feedback of both incarnations of its topic', async () => {
    const label = (number: number): Feedback => ({
      id: `p${number}`,
      model: null,
      label: 'yes',
      value: null,
      time: startMs + 3_600_000,
    });
    const sendFeedback = (from: number, to: number) =>
      installation.producer.send({
        topic: topic('feedback'),
        messages: Array.from({ length: to - from }, (_, index) => ({
          key: `p${from + index}`,
          value: encodeFeedback(label(from + index)),
        })),
      });
    const evaluator = await installation.startService('evaluator');
    await sendFeedback(0, 200);
    await quiet('evaluator');
    await recreate('feedback');
    await sendFeedback(200, 300);
    await quiet('evaluator');
    await evaluator.stop();
    await installation.startService('profiler');
    await send(0, 400);
    await quiet('profiler');
    await recreate('windows');
    await installation.startService('evaluator');
    await vi.waitUntil(async () => (await breaks()).some(({ partitions }) => partitions === 8), {
      timeout: 60_000,
    });
    await quiet('profiler', 'evaluator');
    expect(
      await installation.clickhouse.select(
        'SELECT count() AS outcomes, uniqExact(id) AS ids FROM outcomes FINAL',
      ),
    ).toEqual([{ outcomes: 300, ids: 300 }]);
    expect(
      await installation.clickhouse.select(
        'SELECT sum(labelled) AS labelled FROM performance_windows FINAL',
      ),
    ).toEqual([{ labelled: 300 }]);
  });
});
