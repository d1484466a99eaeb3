import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  emptyRecentIds,
  forgetOldestSlices,
  forgetOldestWindow,
  recentIdsBytes,
  rememberId,
} from '../../../services/profiler/counting/recentIds.ts';

describe('recent ids', () => {
  it('are the same ids that a map from id to slice would hold after the same steps', () => {
    const slicesPerWindow = 3;
    const windowOf = (slice: number) => Math.floor(slice / slicesPerWindow);
    const id = fc.oneof(
      fc.integer({ min: 0, max: 50 }).map(number => `id-${number}`),
      fc.string({ unit: fc.constantFrom('a', 'ÿ', 'Ā', '\ud800'), maxLength: 3 }),
      fc.constantFrom('', 'é', '\u00ff', '\u0100', 'Ω'.repeat(200)),
    );
    const step = fc.oneof(
      { weight: 9, arbitrary: fc.record({ id, slice: fc.integer({ min: 0, max: 20 }) }) },
      { weight: 1, arbitrary: fc.constant('forget a window' as const) },
      { weight: 1, arbitrary: fc.record({ maxIds: fc.nat(20) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const ids = emptyRecentIds(slicesPerWindow);
        const expected = new Map<string, number>();
        const answers: unknown[] = [];
        const expectedAnswers: unknown[] = [];
        let fromSlice = 0;
        const forgetBefore = (slice: number) => {
          const old = [...expected].filter(([, known]) => known < slice);
          for (const [known] of old) expected.delete(known);
          fromSlice = slice;
          expectedAnswers.push(old.length);
        };
        for (const step of steps) {
          const slices = [...expected.values()].sort((a, b) => a - b);
          if (step === 'forget a window') {
            if (slices.length === 0) continue;
            answers.push(forgetOldestWindow(ids));
            forgetBefore((windowOf(slices[0]!) + 1) * slicesPerWindow);
          } else if ('maxIds' in step) {
            answers.push(forgetOldestSlices(ids, step.maxIds));
            const lastForgotten = slices[slices.length - step.maxIds - 1];
            forgetBefore(lastForgotten === undefined ? fromSlice : lastForgotten + 1);
          } else if (step.slice >= fromSlice) {
            answers.push(rememberId(ids, step.id, step.slice));
            expectedAnswers.push(!expected.has(step.id));
            if (!expected.has(step.id)) expected.set(step.id, step.slice);
          }
          answers.push(ids.size, ids.oldestWindow, ids.fromSlice);
          expectedAnswers.push(
            expected.size,
            Math.min(...[...expected.values()].map(windowOf)),
            fromSlice,
          );
        }
        for (const known of expected.keys()) answers.push(rememberId(ids, known, 21));
        for (const _ of expected) expectedAnswers.push(false);
        expect(answers).toEqual(expectedAnswers);
      }),
      { numRuns: 100 },
    );
  });

  it('need memory only for the ids that are remembered, not for those that were forgotten', () => {
    const ids = emptyRecentIds();
    for (let window = 0; window < 200; window++) {
      for (let number = 0; number < 500; number++)
        rememberId(ids, `prediction-${window}-${number}`, window);
      if (ids.size > 5_000) forgetOldestWindow(ids);
    }
    expect(ids.size).toBe(5_000);
    expect(recentIdsBytes(ids) / ids.size).toBeLessThan(90);
  });
});
