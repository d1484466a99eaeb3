import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Kafka, KafkaRecord } from '../../../services/shared/kafka/kafka.ts';
import {
  BatchConsumer,
  type BatchHandler,
} from '../../../services/shared/service/batchConsumer.ts';
import { createMetrics } from '../../../services/shared/service/metrics.ts';
import type { ReadPositions } from '../../../services/shared/service/readPositions.ts';

const minuteMs = 60_000;

type Listener = (event: { payload: unknown }) => void;
type DeliverBatch = (payload: unknown) => Promise<void>;

/**
 * Creates stand-ins for kafkajs and the stored positions, and a list of all calls in their order.
 */
function createWorld(handler: Partial<BatchHandler> = {}) {
  const done: string[] = [];
  const listeners = new Map<string, Listener>();
  let deliver: DeliverBatch = async () => {};
  const consumer = {
    events: { GROUP_JOIN: 'join', STOP: 'stop', CRASH: 'crash', END_BATCH_PROCESS: 'end' },
    on: (name: string, listener: Listener) => listeners.set(name, listener),
    connect: async () => {},
    subscribe: async () => {},
    run: async ({ eachBatch }: { eachBatch: DeliverBatch }) => {
      deliver = eachBatch;
    },
    seek: ({ offset }: { offset: string }) => done.push(`seek ${offset}`),
    commitOffsets: vi.fn(async ([read]: { offset: string }[]) => {
      done.push(`commit ${read!.offset}`);
    }),
    disconnect: async () => done.push('disconnect'),
  };
  const positions = {
    missingTopics: async () => [],
    begin: async () => [
      { topic: 't', partition: 0, base: 1_000, offset: 5, committed: 5, break: null },
    ],
    areCurrent: vi.fn(async () => true),
    lowOffset: async () => 0,
    ends: vi.fn(async () => new Map<string, number>()),
    save: async ([read]: { position: number }[]) => done.push(`save ${read!.position}`),
  };
  const metrics = createMetrics('test');
  const crashes: unknown[] = [];
  const batchConsumer = new BatchConsumer({
    kafka: { consumer: () => consumer } as unknown as Kafka,
    groupId: 'g',
    topics: ['t'],
    handler: {
      reset: () => done.push('reset'),
      take: async (records: KafkaRecord[]) =>
        void done.push(`take ${records.map(({ offset }) => offset)}`),
      flush: async () => void done.push('flush'),
      ...handler,
    },
    positions: positions as unknown as ReadPositions,
    flushIntervalMs: 1_000,
    sessionTimeoutMs: 10_000,
    log: pino({ level: 'silent' }),
    metrics,
    onCrash: error => crashes.push(error),
  });
  return {
    done,
    consumer,
    metrics,
    positions,
    crashes,
    batchConsumer,
    /** Makes the consumer join the group, as after a rebalance. */
    join: () => listeners.get('join')!({ payload: { memberAssignment: { t: [0] } } }),
    /** Tells of a batch of which kafkajs has passed over all records. */
    passOver: (from: number, count: number) =>
      listeners.get('end')!({
        payload: {
          ...{ topic: 't', partition: 0, batchSize: 0 },
          ...{ firstOffset: String(from), lastOffset: String(from + count - 1) },
        },
      }),
    /** Delivers records from an offset on, as kafkajs does. */
    deliver: (from: number, count: number) =>
      deliver({
        batch: {
          topic: 't',
          partition: 0,
          fetchedOffset: String(from),
          highWatermark: String(from + count),
          messages: Array.from({ length: count }, (_, index) => ({ offset: String(from + index) })),
          lastOffset: () => String(from + count - 1),
        },
        resolveOffset: (offset: string) => done.push(`resolve ${offset}`),
        heartbeat: async () => {},
        isStale: () => false,
      }),
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

async function startedWorld(handler: Partial<BatchHandler> = {}) {
  const world = createWorld(handler);
  const started = world.batchConsumer.start();
  await vi.advanceTimersByTimeAsync(0);
  world.join();
  await started;
  await vi.advanceTimersByTimeAsync(0);
  return world;
}

describe('BatchConsumer', () => {
  it('handles records at their positions, flushes them, saves the position, and then commits', async () => {
    const { done, deliver } = await startedWorld();
    await deliver(5, 2);
    expect(done).toEqual(['reset', 'seek 5', 'take 1005,1006', 'resolve 6']);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(done.slice(4)).toEqual(['flush', 'save 1007', 'commit 7']);
  });

  it('flushes the handled records when it stops', async () => {
    const { done, deliver, batchConsumer } = await startedWorld();
    await deliver(5, 1);
    await batchConsumer.stop();
    expect(done.slice(4)).toEqual(['flush', 'save 1006', 'commit 6', 'disconnect']);
  });

  it('discards unflushed records when partitions are assigned anew', async () => {
    const { done, deliver, join } = await startedWorld();
    await deliver(5, 1);
    join();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(done.slice(4)).toEqual(['reset', 'seek 5']);
  });

  it('loads its positions again when a batch does not continue the one before', async () => {
    const { done, deliver } = await startedWorld();
    await deliver(3, 4);
    expect(done).toEqual(['reset', 'seek 5', 'reset', 'seek 5']);
  });

  it('loads its positions again instead of flushing when a topic was recreated', async () => {
    const { done, deliver, positions } = await startedWorld();
    await deliver(5, 1);
    positions.areCurrent.mockResolvedValueOnce(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(done.slice(4)).toEqual(['reset', 'seek 5']);
  });

  it('crashes on an error of the handler, and handles nothing more', async () => {
    const failure = new Error('no space');
    const { done, deliver, crashes } = await startedWorld({
      take: () => Promise.reject(failure),
    });
    await expect(deliver(5, 1)).rejects.toThrow('no space');
    expect(crashes).toContain(failure);
    expect(done).toEqual(['reset', 'seek 5']);
  });

  it('counts as stalled while a turn does not end, and ticks once when it ends', async () => {
    const hanging = Promise.withResolvers<void>();
    const tick = vi.fn(async () => {});
    const { deliver, metrics } = await startedWorld({ take: () => hanging.promise, tick });
    await vi.advanceTimersByTimeAsync(30 * minuteMs);
    expect(metrics.loop.stallReason()).toBeNull();
    const delivered = deliver(5, 1);
    tick.mockClear();
    await vi.advanceTimersByTimeAsync(11 * minuteMs);
    expect(metrics.loop.stallReason()).toContain('the consumer loop has made no progress');
    hanging.resolve();
    await delivered;
    await vi.advanceTimersByTimeAsync(0);
    expect(metrics.loop.stallReason()).toBeNull();
    expect(tick).toHaveBeenCalledTimes(1);
  });

  it('commits where it begins when the records before are durable and their commit was lost', async () => {
    const world = createWorld();
    const [start] = await world.positions.begin();
    world.positions.begin = async () => [{ ...start!, committed: null as unknown as number }];
    const started = world.batchConsumer.start();
    await vi.advanceTimersByTimeAsync(0);
    world.join();
    await started;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(world.done).toEqual(['reset', 'seek 5', 'commit 5']);
  });

  it('commits again what Kafka has not taken', async () => {
    const { done, deliver, consumer } = await startedWorld();
    consumer.commitOffsets.mockRejectedValueOnce(new Error('the coordinator is away'));
    await deliver(5, 1);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(done.slice(4)).toEqual(['flush', 'save 1006', 'commit 6']);
  });

  it('reads on behind records that kafkajs passes over, and only there', async () => {
    const { done, passOver, metrics } = await startedWorld();
    passOver(9, 2);
    await vi.advanceTimersByTimeAsync(1_000);
    passOver(5, 3);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(done).toEqual(['reset', 'seek 5', 'flush', 'save 1008', 'commit 8']);
    expect((await metrics.lag.get()).values[0]!.value).toBe(0);
  });

  it('begins again when records wait and none arrive', async () => {
    const { done, positions, metrics, batchConsumer } = await startedWorld();
    positions.ends.mockResolvedValue(new Map([['t/0', 7]]));
    await vi.advanceTimersByTimeAsync(30_000);
    expect((await metrics.lag.get()).values[0]!.value).toBe(2);
    expect(batchConsumer.stuckReason).toBeNull();
    expect(done).toEqual(['reset', 'seek 5']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(done).toEqual(['reset', 'seek 5', 'reset', 'seek 5']);
    expect((await metrics.stuckPartitions.get()).values[0]!.value).toBe(1);
  });

  it('shows the lag while the loop waits', async () => {
    const waiting = Promise.withResolvers<void>();
    const { deliver, positions, metrics, batchConsumer } = await startedWorld({
      take: () => waiting.promise,
    });
    const delivered = deliver(5, 1);
    positions.ends.mockResolvedValue(new Map([['t/0', 9]]));
    await vi.advanceTimersByTimeAsync(120_000);
    expect((await metrics.lag.get()).values[0]!.value).toBe(4);
    expect(batchConsumer.stuckReason).toBeNull();
    waiting.resolve();
    await delivered;
  });

  it('says that it waits for Kafka when only kafkajs knows', async () => {
    const sending = Promise.withResolvers<void>();
    const { deliver, positions, metrics } = await startedWorld({ take: () => sending.promise });
    const delivered = deliver(5, 1);
    positions.ends.mockRejectedValue(new Error('no broker answers'));
    await vi.advanceTimersByTimeAsync(30_000);
    expect(metrics.waits.reason()).toBe('waiting for Kafka for 20 s: no broker answers');
    positions.ends.mockResolvedValue(new Map());
    await vi.advanceTimersByTimeAsync(10_000);
    expect(metrics.waits.reason()).toBeNull();
    sending.resolve();
    await delivered;
  });
});
