import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { MixedSequencer } from './test/mixedSequencer.ts';

/**
 * Test files that run at the same time. It is one more than there are processors, because a test
 * with servers waits for them a third of its time. The servers are shared, hence the limit.
 */
const maxWorkers = Math.min(availableParallelism() + 1, 8);

/**
 * Time limits only end what hangs: they leave room for a machine that is ten times as slow.
 *
 * unit needs no servers; integration and endToEnd share one local stack of real Kafka, schema
 * registry and ClickHouse. Vitest runs projects at the same time only if they have the same number
 * of workers.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: MixedSequencer },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          setupFiles: ['test/propertySeed.ts'],
          testTimeout: 120_000,
          maxWorkers,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: ['test/globalSetup.ts'],
          setupFiles: ['test/propertySeed.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          maxWorkers,
        },
      },
      {
        test: {
          name: 'endToEnd',
          include: ['test/endToEnd/**/*.test.ts'],
          globalSetup: ['test/globalSetup.ts'],
          testTimeout: 1_800_000,
          hookTimeout: 180_000,
          maxWorkers,
        },
      },
    ],
  },
});
