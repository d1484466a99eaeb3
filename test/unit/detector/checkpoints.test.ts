import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { foldAlgorithm } from '../../../services/detector/checkpoints/foldAlgorithm.ts';
import { unpackStates } from '../../../services/detector/checkpoints/packedStates.ts';
import { detectorHandler } from '../../../services/detector/detectorHandler.ts';
import {
  foldVersionWindow,
  type VersionFold,
} from '../../../services/detector/fold/versionFold.ts';
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
  `defaults: { window: 1h, allowedLateness: 0s, detection: ${detection(0.02)} }`,
  'test',
);
const longest = 170;

/** Two streams of the same windows: a revision takes a window from the other, where all is different from window 12 on. */
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
    }),
  }),
);

/** The topic `windows`, and how far it was committed. */
interface Log {
  records: KafkaRecord[];
  committed: number;
}

/** A process: it takes what was not committed when it started, and what comes. */
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
      producer: { sendBatch: async () => {} } as never,
      metrics: createMetrics('test'),
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

function announce(log: Log, tables: MemoryTables, windowStarts: number[]): void {
  const update: WindowUpdate = {
    kind: 'profile',
    ...name,
    sourcePartition: 0,
    watermark: tables.maxEventTimeMs,
    windowSizeMs: hourMs,
    windowStarts,
  };
  const offset = log.records.length;
  const value = Buffer.from(JSON.stringify(update));
  // Clocks of several producers: times of records do not grow with their offsets.
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

function writeWindow(tables: MemoryTables, window: number, variant: number): void {
  const observation = variants[variant]![window]!;
  // A segment that some windows lack.
  const segments = window % 3 === 0 ? [''] : ['', 'country=DE'];
  tables.windows.set(observation.startMs, new Map(segments.map(segment => [segment, observation])));
  tables.maxEventTimeMs = Math.max(tables.maxEventTimeMs, observation.endMs);
}

/** What the tables hold that others read, without the numbers of revisions and what came and went. */
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

/** One pass of one process over all that there is at the end. */
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

/** The invariant of the ledger: each listed checkpoint, if its state is the one that is meant, is the fold of the windows as they are. */
function expectTrueCheckpoints(tables: MemoryTables): number {
  let fold: VersionFold = { ...name, given: null, checkpoints: [] };
  const listed = new Map(
    tables.ledger!.checkpoints.map(checkpoint => [checkpoint.windowStartMs, checkpoint]),
  );
  let usable = 0;
  for (const [startMs, segments] of [...tables.windows].sort(([left], [right]) => left - right)) {
    fold = foldVersionWindow(fold, startMs, segments, settings.of('m').detection, false).fold;
    const checkpoint = listed.get(startMs);
    if (!checkpoint) continue;
    const unpacked = unpackStates(tables.states.get(checkpoint.slot) ?? '', checkpoint.digest);
    if (!unpacked) continue;
    usable++;
    expect(fold.checkpoints.at(-1)!.ordinal).toBe(checkpoint.ordinal);
    expect(unpacked.states).toEqual(fold.checkpoints.at(-1)!.states);
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

/** Lives a history; the last process has flushed all that was announced. */
async function live(
  steps: readonly (typeof step | typeof zombieStep extends fc.Arbitrary<infer S> ? S : never)[],
  maxHeapBytes: number,
) {
  const tables = memoryTables(name);
  const log: Log = { records: [], committed: 0 };
  let process = await startProcess(tables, log, undefined, maxHeapBytes);
  const flushed = async () => {
    await process.take();
    await process.flush();
  };
  const act = async (action: (typeof steps)[number]): Promise<void> => {
    const windows = tables.windows.size;
    if (action.kind === 'windows') {
      const added = Array.from({ length: action.count }, (_, index) => windows + index);
      for (const window of added) writeWindow(tables, window, 0);
      announce(
        log,
        tables,
        added.map(window => window * hourMs),
      );
      await flushed();
    }
    if (action.kind === 'late' && windows > 0) {
      const window = Math.max(0, windows - action.age);
      writeWindow(tables, window, 1);
      announce(log, tables, [window * hourMs]);
      if (action.flushed) await flushed();
      else await process.take();
    }
    if (action.kind === 'restart')
      process = await startProcess(tables, log, undefined, maxHeapBytes);
    if (action.kind === 'kill') {
      let writes = action.writes;
      const killed = await startProcess(
        tables,
        log,
        async () => {
          if (writes-- === 0) throw new Error('killed');
        },
        maxHeapBytes,
      );
      writeWindow(tables, windows, 0);
      announce(log, tables, [windows * hourMs]);
      await killed
        .take()
        .then(killed.flush)
        .catch(error => expect(error.message).toBe('killed'));
      process = await startProcess(tables, log, undefined, maxHeapBytes);
    }
    if (action.kind === 'freeze') {
      const gate = Promise.withResolvers<void>();
      let writes = action.writes;
      const frozen = await startProcess(
        tables,
        log,
        async () => {
          if (writes-- <= 0) await gate.promise;
        },
        maxHeapBytes,
      );
      writeWindow(tables, windows, 0);
      announce(log, tables, [windows * hourMs]);
      const flushing = frozen.take().then(frozen.flushUncommitted);
      process = await startProcess(tables, log, undefined, maxHeapBytes);
      for (const other of action.meanwhile) await act(other);
      await flushed();
      gate.resolve();
      await flushing;
      process = await startProcess(tables, log, undefined, maxHeapBytes);
    }
  };
  for (const action of steps) await act(action);
  await flushed();
  return tables;
}

describe('checkpoints of a fold', () => {
  it('end as one pass without them, whatever came late and whoever was killed in the middle of a flush', async () => {
    let usable = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 12 }),
        // Room for all folds, or for none: then each flush loads them from where the one before stored them.
        fc.constantFrom(1e9, 0),
        async (steps, maxHeapBytes) => {
          const tables = await live(steps, maxHeapBytes);
          expect(outcome(tables)).toEqual(outcome(await undisturbed(tables)));
          if (tables.ledger) usable += expectTrueCheckpoints(tables);
        },
      ),
      { numRuns: 20 },
    );
    expect(usable).toBeGreaterThan(0);
  }, 300_000);

  it('that a frozen process writes when another has taken over are never trusted', async () => {
    let usable = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(step, zombieStep), { minLength: 3, maxLength: 10 }),
        fc.constantFrom(1e9, 0),
        async (steps, maxHeapBytes) => {
          const tables = await live(steps, maxHeapBytes);
          if (tables.ledger) usable += expectTrueCheckpoints(tables);
        },
      ),
      { numRuns: 20 },
    );
    expect(usable).toBeGreaterThan(0);
  }, 300_000);

  it.each([40, 160])(
    'spare a restart after %i windows all but the last few',
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

  it('of other code are not used', async () => {
    const tables = memoryTables(name);
    const log: Log = { records: [], committed: 0 };
    for (let window = 0; window < 20; window++) writeWindow(tables, window, 0);
    announce(log, tables, []);
    const first = await startProcess(tables, log);
    await first.take();
    await first.flush();
    expect(tables.ledger!.algorithm).toBe(foldAlgorithm());
    tables.ledger = { ...tables.ledger!, algorithm: 'of an earlier release' };
    tables.windowsRead = 0;
    announce(log, tables, [19 * hourMs]);
    const second = await startProcess(tables, log);
    await second.take();
    await second.flush();
    expect(tables.windowsRead).toBe(20);
    expect(tables.ledger!.algorithm).toBe(foldAlgorithm());
  }, 60_000);
});
