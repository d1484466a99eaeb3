import { expect, it } from 'vitest';
import { maxNewProfiles, profilerHandler } from '../../../services/profiler/profilerHandler.ts';
import { parseSettings } from '../../../services/shared/config/settings.ts';
import { createMetrics } from '../../../services/shared/service/metrics.ts';
import type { ServiceContext } from '../../../services/shared/service/service.ts';

const featuresPerRecord = 2_000;
const features = Object.fromEntries(
  Array.from({ length: featuresPerRecord }, (_, index) => [`f${index}`, index]),
);

/** Records that begin more profiles than may wait for the next flush. */
const records = Array.from(
  { length: Math.ceil(maxNewProfiles / featuresPerRecord) + 1 },
  (_, offset) => ({
    topic: 'predictions',
    partition: 0,
    offset,
    key: null,
    value: Buffer.from(
      JSON.stringify({
        id: `${offset}`,
        model: `m${offset}`,
        version: '1',
        time: 1e12,
        features,
        prediction: 'yes',
      }),
    ),
    headers: {},
    timestampMs: 0,
  }),
);

async function handlerWithTables(written: string[]) {
  const settings = parseSettings('', 'test');
  const store = {
    predictions: {
      eachCounted: async () => {},
      insert: async ({ rows }: { rows: number }) => void written.push(`${rows} predictions`),
      insertShadows: async ({ rows }: { rows: number }) => {
        if (rows > 0) written.push(`${rows} shadow predictions`);
      },
      insertFlags: async ({ rows }: { rows: number }) => {
        if (rows > 0) written.push(`${rows} flags`);
      },
    },
    windows: {
      select: async () => ({ profiles: [], samples: [] }),
      selectHighestStarts: async () => [],
      insertProfiles: async ({ rows }: { rows: number }) => {
        if (rows > 0) written.push('windows');
      },
      insertSamples: async ({ rows }: { rows: number }) => {
        if (rows > 0) written.push('samples');
      },
    },
    progress: {
      select: async () => [],
      insert: async (rows: object[]) => void written.push(`progress of ${rows.length}`),
    },
  };
  const context = {
    settings,
    schemas: { encoder: async () => () => Buffer.alloc(0), prepare: async () => {} },
    deadLetters: { add: () => expect.unreachable(), clear() {}, flush: async () => {} },
    notices: { state() {}, clear() {}, flush: async () => {} },
    producer: { sendBatch: async () => {} },
    metrics: createMetrics('test'),
    clock: { nowMs: Date.now },
    topic: (name: string) => name,
    clickhouse: { select: async () => [] },
  };
  return profilerHandler(context as unknown as ServiceContext, store as never);
}

it('stores what it holds before a flush is due if it holds too much, but only if it may store', async () => {
  const written: string[] = [];
  const handler = await handlerWithTables(written);
  await handler.take(records, async () => false);
  expect(written).toEqual([]);
  handler.reset();
  await handler.take(records, async () => true);
  expect([...new Set(written)]).toEqual([
    `${records.length} predictions`,
    'windows',
    'samples',
    `progress of ${records.length}`,
  ]);
  const stored = written.length;
  const again = records.map(record => ({ ...record, offset: records.length + record.offset }));
  await handler.take(again, async () => true);
  expect(written).toHaveLength(stored);
});
