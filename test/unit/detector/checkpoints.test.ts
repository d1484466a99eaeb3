import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { foldAlgorithm } from '../../../services/detector/checkpoints/foldAlgorithm.ts';
import { unpackStates } from '../../../services/detector/checkpoints/packedStates.ts';
import { detectorHandler } from '../../../services/detector/detectorHandler.ts';
import { begunFold, foldVersionWindow } from '../../../services/detector/fold/versionFold.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';
import type { WindowUpdate } from '../../../services/shared/contracts.ts';
import type { KafkaRecord } from '../../../services/shared/kafka/kafka.ts';
import { createMetrics } from '../../../services/shared/service/metrics.ts';
import { type MemoryTables, memoryStore, memoryTables } from './memoryStore.ts';
import { hourMs, syntheticWindows } from './syntheticStream.ts';

const name = { model: 'm', version: '1' };
const detection = (performanceDrop: number) =>
  `{ minimumRecords: 20, bootstrapWindows: 5, bootstrapRecords: 100, performanceDrop: ${performanceDrop} }`;
const settings = parseSettings(
  `defaults: { window: 1h, outOfOrderness: 0s, detection: ${detection(0.02)} }`,
  'test',
);
const longest = 170;

/**
 * Two streams with the same windows. Late data replaces a window of the first stream by that of the
 * second, which differs from window 12 on.
 */
const variants = [0, 1].map(variant =>
  syntheticWindows({
    seed: variant + 1,
    windows: longest,
    records: 40,
    recordOf: (random, window) => ({
      features: {
        x: random.normal() + (variant === 1 && window >= 12 ? 3 : 0) + (window >= 30 ? 2 : 0),
      },
      prediction: random.uniform() < 0.5 ? 'up' : 'down',
      label: random.uniform() < (window >= 20 ? 0.8 : 0.4) ? 'up' : 'down',
    }),
  }),
);

/** The topic `windows` with its committed offset. */
interface Log {
  records: KafkaRecord[];
  committed: number;
}

/** Starts a process, which takes the records after the committed offset. */
async function startProcess(
  tables: MemoryTables,
  log: Log,
  beforeWrite?: () => Promise<void>,
  maxHeapBytes = 1e9,
) {
  const handler = await detectorHandler(
    {
      settings,
      clickhouse: null as never,
      schemas: { encoder: async () => () => Buffer.alloc(0), prepare: async () => {} } as never,
      deadLetters: { add: () => expect.unreachable(), clear() {}, flush: async () => {} } as never,
      notices: { state() {}, clear() {}, flush: async () => {} } as never,
      producer: { sendBatch: async () => {} } as never,
      metrics: createMetrics('test'),
      clock: { nowMs: Date.now },
      log: pino({ level: 'silent' }),
      topic: topicName => topicName,
    },
    () => 0,
    memoryStore(tables, beforeWrite),
    { windowsPerCheckpoint: 4, windowsPerRun: 8, maxHeapBytes },
  );
  let next = log.committed;
  return {
    async take() {
      const records = log.records.slice(next);
      next = log.records.length;
      if (records.length > 0) await handler.take(records, async () => true);
    },
    async flush() {
      await handler.flush();
      log.committed = Math.max(log.committed, next);
    },
    flushUncommitted: () => handler.flush(),
  };
}

function announce(
  log: Log,
  tables: MemoryTables,
  windowStarts: number[],
  kind: 'profile' | 'performance' = 'profile',
): void {
  const update: WindowUpdate = {
    kind,
    ...name,
    sourcePartition: kind === 'profile' ? 0 : -1,
    watermark: kind === 'profile' ? tables.maxEventTimeMs : null,
    windowSizeMs: hourMs,
    windowStarts,
  };
  const offset = log.records.length;
  const value = Buffer.from(JSON.stringify(update));
  // Producers have different clocks, so timestamps of records do not always rise with their
  // offsets.
  const timestampMs = 1_000_000 + offset * 10 - (offset % 3) * 15;
  log.records.push({
    topic: 'windows',
    partition: 0,
    offset,
    key: null,
    value,
    headers: {},
    timestampMs,
  });
}

/** Writes a window, with its labels if these came before. */
function writeWindow(tables: MemoryTables, window: number, variant: number): void {
  const known = tables.windows.get(window * hourMs)?.get('');
  const observation = {
    ...variants[variant]![window]!,
    performance: known?.performance ?? null,
  };
  // Some windows lack the segment.
  const segments = window % 3 === 0 ? [''] : ['', 'country=DE'];
  tables.windows.set(observation.startMs, new Map(segments.map(segment => [segment, observation])));
  tables.maxEventTimeMs = Math.max(tables.maxEventTimeMs, observation.endMs);
}

/** Writes the labels of a window that was written. */
function writeLabels(tables: MemoryTables, window: number): void {
  const { performance } = variants[0]![window]!;
  const segments = [...tables.windows.get(window * hourMs)!];
  const labelled = segments.map(
    ([segment, known]) => [segment, { ...known, performance }] as const,
  );
  tables.windows.set(window * hourMs, new Map(labelled));
}

/**
 * Returns what other programs read from the tables. It leaves out revisions and withdrawn events.
 */
function outcome({ judgedWindows, events }: MemoryTables) {
  return {
    judgedWindows: [...judgedWindows]
      .map(([key, { digest, status }]) => [key, digest, status])
      .sort(),
    events: [...events.values()]
      .filter(({ status }) => status !== 'withdrawn')
      .map(({ revision: _, ...event }) => event)
      .sort((left, right) => (left.id < right.id ? -1 : 1)),
  };
}

/** Returns the tables of one process that judges all windows once, with their final contents. */
async function undisturbed(tables: MemoryTables): Promise<MemoryTables> {
  const fresh = {
    ...memoryTables(name),
    windows: tables.windows,
    maxEventTimeMs: tables.maxEventTimeMs,
  };
  const log: Log = { records: [], committed: 0 };
  announce(log, fresh, []);
  const only = await startProcess(fresh, log);
  await only.take();
  await only.flush();
  return fresh;
}

/**
 * Checks the invariant of the ledger: each listed checkpoint whose state has the listed digest is
 * the fold of the windows as they are.
 * @returns the number of such checkpoints
 */
function expectTrueCheckpoints(tables: MemoryTables): number {
  let fold = begunFold(name);
  const listed = new Map(
    tables.ledger!.checkpoints.map(checkpoint => [checkpoint.windowStartMs, checkpoint]),
  );
  let usable = 0;
  for (const [startMs, segments] of [...tables.windows].sort(([left], [right]) => left - right)) {
    fold = foldVersionWindow(fold, startMs, segments, {
      detection: settings.of('m').detection,
      withMetrics: false,
    }).fold;
    const checkpoint = listed.get(startMs);
    if (!checkpoint) continue;
    const unpacked = unpackStates(tables.states.get(checkpoint.slot) ?? '', checkpoint.digest);
    if (!unpacked) continue;
    usable++;
    expect(fold.checkpoints.at(-1)!.ordinal).toBe(checkpoint.ordinal);
    expect(unpacked.states).toEqual(fold.checkpoints.at(-1)!.states);
    const { windows, outcomes, checkpoints } = unpacked.truth!;
    expect({ windows, outcomes }).toEqual({
      windows: fold.truth!.windows,
      outcomes: fold.truth!.outcomes,
    });
    expect(checkpoints.at(-1)).toEqual(fold.truth!.checkpoints.at(-1));
  }
  return usable;
}

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('windows' as const),
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('late' as const),
      age: fc.integer({ min: 1, max: 30 }),
      flushed: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('labels' as const),
      age: fc.integer({ min: 1, max: 30 }),
      count: fc.integer({ min: 1, max: 5 }),
      flushed: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('kill' as const),
      writes: fc.integer({ min: 0, max: 6 }),
    }),
  },
);
const zombieStep = fc.record({
  kind: fc.constant('freeze' as const),
  writes: fc.integer({ min: 0, max: 5 }),
  meanwhile: fc.array(step, { maxLength: 4 }),
});

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
type ZombieStep = typeof zombieStep extends fc.Arbitrary<infer S> ? S : never;

/** The tables, the topic, and the process that owns its partition at present. */
class History {
  readonly tables = memoryTables(name);
  readonly #log: Log = { records: [], committed: 0 };
  readonly #maxHeapBytes: number;
  #owner: Awaited<ReturnType<typeof startProcess>> | null = null;

  constructor(maxHeapBytes: number) {
    this.#maxHeapBytes = maxHeapBytes;
  }

  async act(action: Step | ZombieStep): Promise<void> {
    if (action.kind === 'windows') await this.#addWindows(action.count);
    if (action.kind === 'late' && this.tables.windows.size > 0) await this.#revise(action);
    if (action.kind === 'labels' && this.tables.windows.size > 0) await this.#label(action);
    if (action.kind === 'restart') this.#owner = null;
    if (action.kind === 'kill') await this.#killAfter(action.writes);
    if (action.kind === 'freeze') await this.#freezeAfter(action.writes, action.meanwhile);
  }

  async flush(): Promise<void> {
    const owner = await this.#takeAll();
    await owner.flush();
  }

  async #takeAll() {
    this.#owner ??= await this.#start();
    await this.#owner.take();
    return this.#owner;
  }

  #start(beforeWrite?: () => Promise<void>) {
    return startProcess(this.tables, this.#log, beforeWrite, this.#maxHeapBytes);
  }

  /** Writes and announces windows. */
  #write(windows: readonly number[], variant: number): void {
    for (const window of windows) writeWindow(this.tables, window, variant);
    announce(
      this.#log,
      this.tables,
      windows.map(window => window * hourMs),
    );
  }

  async #addWindows(count: number): Promise<void> {
    const { size } = this.tables.windows;
    this.#write(
      Array.from({ length: count }, (_, index) => size + index),
      0,
    );
    await this.flush();
  }

  async #label({ age, count, flushed }: { age: number; count: number; flushed: boolean }) {
    const { size } = this.tables.windows;
    const first = Math.max(0, size - age);
    const windows = Array.from({ length: Math.min(count, size - first) }, (_, at) => first + at);
    for (const window of windows) writeLabels(this.tables, window);
    announce(
      this.#log,
      this.tables,
      windows.map(window => window * hourMs),
      'performance',
    );
    if (flushed) await this.flush();
    else await this.#takeAll();
  }

  async #revise({ age, flushed }: { age: number; flushed: boolean }): Promise<void> {
    this.#write([Math.max(0, this.tables.windows.size - age)], 1);
    if (flushed) await this.flush();
    else await this.#takeAll();
  }

  /** Kills a process in its flush, after some of its writes. */
  async #killAfter(writes: number): Promise<void> {
    let left = writes;
    const killed = await this.#start(async () => {
      if (left-- === 0) throw new Error('killed');
    });
    this.#write([this.tables.windows.size], 0);
    await killed
      .take()
      .then(killed.flush)
      .catch(error => expect(error.message).toBe('killed'));
    this.#owner = null;
  }

  /** Freezes a process in its flush, while another one takes over, and lets it go on later. */
  async #freezeAfter(writes: number, meanwhile: readonly Step[]): Promise<void> {
    const gate = Promise.withResolvers<void>();
    let left = writes;
    const frozen = await this.#start(async () => {
      if (left-- <= 0) await gate.promise;
    });
    this.#write([this.tables.windows.size], 0);
    const flushing = frozen.take().then(frozen.flushUncommitted);
    this.#owner = await this.#start();
    for (const action of meanwhile) await this.act(action);
    await this.flush();
    gate.resolve();
    await flushing;
    this.#owner = null;
  }
}

/** Runs the steps of a history. At the end a process has flushed everything that was announced. */
async function play(
  steps: readonly (Step | ZombieStep)[],
  maxHeapBytes: number,
): Promise<MemoryTables> {
  const history = new History(maxHeapBytes);
  for (const action of steps) await history.act(action);
  await history.flush();
  return history.tables;
}

describe('a detector with checkpoints', () => {
  it('ends with the same result as one pass without checkpoints, after any late data, restarts and kills during a flush', async () => {
    let usable = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 12 }),
        // Memory for all folds or for none. In the latter case each flush loads them anew.
        fc.constantFrom(1e9, 0),
        async (steps, maxHeapBytes) => {
          const tables = await play(steps, maxHeapBytes);
          expect(outcome(tables)).toEqual(outcome(await undisturbed(tables)));
          if (tables.ledger) usable += expectTrueCheckpoints(tables);
        },
      ),
      { numRuns: 20 },
    );
    expect(usable).toBeGreaterThan(0);
  }, 300_000);

  it('never trusts a checkpoint that a frozen process wrote after another had taken over', async () => {
    let usable = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(step, zombieStep), { minLength: 3, maxLength: 10 }),
        fc.constantFrom(1e9, 0),
        async (steps, maxHeapBytes) => {
          const tables = await play(steps, maxHeapBytes);
          if (tables.ledger) usable += expectTrueCheckpoints(tables);
        },
      ),
      { numRuns: 20 },
    );
    expect(usable).toBeGreaterThan(0);
  }, 300_000);

  it.each([40, 160])(
    'reads only the last few windows again after a restart at %i windows',
    async windows => {
      const tables = memoryTables(name);
      const log: Log = { records: [], committed: 0 };
      for (let window = 0; window < windows; window++) writeWindow(tables, window, 0);
      announce(log, tables, []);
      const first = await startProcess(tables, log);
      await first.take();
      await first.flush();
      expect(tables.windowsRead).toBe(windows);

      tables.windowsRead = 0;
      writeWindow(tables, windows, 0);
      announce(log, tables, [windows * hourMs]);
      const second = await startProcess(tables, log);
      await second.take();
      await second.flush();
      expect(tables.windowsRead).toBe(1);

      writeWindow(tables, windows - 3, 1);
      announce(log, tables, [(windows - 3) * hourMs]);
      const third = await startProcess(tables, log);
      await third.take();
      await third.flush();
      expect(tables.windowsRead).toBeLessThanOrEqual(1 + 3 + 8);
      expect(tables.ledger!.checkpoints.length).toBeLessThanOrEqual(4 * Math.log2(windows));
      expectTrueCheckpoints(tables);
    },
    120_000,
  );

  it('reads no windows again for labels that come late, also after a restart', async () => {
    const tables = memoryTables(name);
    const log: Log = { records: [], committed: 0 };
    for (let window = 0; window < 100; window++) writeWindow(tables, window, 0);
    announce(log, tables, []);
    const first = await startProcess(tables, log);
    await first.take();
    await first.flush();
    tables.windowsRead = 0;
    const labelOne = async (window: number, owner: typeof first) => {
      writeLabels(tables, window);
      announce(log, tables, [window * hourMs], 'performance');
      await owner.take();
      await owner.flush();
    };
    for (let window = 0; window < 40; window++) await labelOne(window, first);
    expect(tables.windowsRead).toBe(0);
    const second = await startProcess(tables, log);
    for (let window = 40; window < 80; window++) await labelOne(window, second);
    expect(tables.windowsRead).toBe(0);
    const explanations = [...tables.events.values()].map(({ explanation }) => explanation);
    expect(explanations.join()).toContain('the labels have another distribution');
    expect(outcome(tables)).toEqual(outcome(await undisturbed(tables)));
    expectTrueCheckpoints(tables);
  }, 120_000);

  it('does not use checkpoints that were made by other code', async () => {
    const tables = memoryTables(name);
    const log: Log = { records: [], committed: 0 };
    for (let window = 0; window < 20; window++) writeWindow(tables, window, 0);
    announce(log, tables, []);
    const first = await startProcess(tables, log);
    await first.take();
    await first.flush();
    expect(tables.ledger!.algorithm).toBe(foldAlgorithm());
    tables.ledger = { ...tables.ledger!, algorithm: 'another algorithm' };
    tables.windowsRead = 0;
    announce(log, tables, [19 * hourMs]);
    const second = await startProcess(tables, log);
    await second.take();
    await second.flush();
    expect(tables.windowsRead).toBe(20);
    expect(tables.ledger!.algorithm).toBe(foldAlgorithm());
  }, 60_000);
});
