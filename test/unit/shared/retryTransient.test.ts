import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { retryTransient } from '../../../services/shared/retryTransient.ts';

const pauses = vi.hoisted(() => [] as number[]);
vi.mock('node:timers/promises', () => ({
  setTimeout: async (pauseMs: number) => {
    pauses.push(pauseMs);
  },
}));
beforeEach(() => {
  pauses.length = 0;
});
afterEach(() => vi.restoreAllMocks());

const transient = new Error('transient');

it('repeats a failing operation until it succeeds, with pauses that double up to ten seconds and have jitter', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2_000 }), async failures => {
      pauses.length = 0;
      const attempts: number[] = [];
      let left = failures;
      let ended = 0;
      const result = await retryTransient(
        async () => {
          if (left-- > 0) throw transient;
          return 'done';
        },
        error => error === transient,
        (_, attempt) => attempts.push(attempt),
        () => ended++,
      );
      expect(result).toBe('done');
      expect(attempts).toEqual(Array.from({ length: failures }, (_, index) => index + 1));
      expect(ended).toBe(failures > 0 ? 1 : 0);
      for (const [index, pauseMs] of pauses.entries()) {
        const longest = Math.min(10_000, 100 * 2 ** index);
        expect(pauseMs).toBeGreaterThanOrEqual(longest / 2);
        expect(pauseMs).toBeLessThanOrEqual(longest);
      }
    }),
    { numRuns: 30 },
  );
});

it('throws an error that is not transient at once, and reports the end of the operation', async () => {
  const fatal = new Error('permanent');
  const errors = [transient, transient, fatal];
  let ended = 0;
  const operation = retryTransient(
    async () => {
      throw errors.shift();
    },
    error => error === transient,
    undefined,
    () => ended++,
  );
  await expect(operation).rejects.toBe(fatal);
  expect([pauses.length, ended]).toEqual([2, 1]);
});

it('repeats nothing after its signal was aborted', async () => {
  const stopping = new AbortController();
  const operation = retryTransient(
    async () => {
      stopping.abort();
      throw transient;
    },
    () => true,
    undefined,
    undefined,
    stopping.signal,
  );
  await expect(operation).rejects.toMatchObject({ name: 'AbortError' });
  expect(pauses).toEqual([]);
});
