import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  emptyRecentIds,
  forgetOldestWindow,
  recentIdsBytes,
  rememberId,
} from '../../../services/profiler/recentIds.ts';

describe('recent ids', () => {
  it('are those that a map from id to window would hold, whatever is remembered and forgotten', () => {
    const id = fc.oneof(
      fc.integer({ min: 0, max: 50 }).map(number => `id-${number}`),
      fc.string({ unit: fc.constantFrom('a', 'ÿ', 'Ā', '\ud800'), maxLength: 3 }),
      fc.constantFrom('', 'é', '\u00ff', '\u0100', 'Ω'.repeat(200)),
    );
    const step = fc.oneof(
      { weight: 9, arbitrary: fc.record({ id, window: fc.integer({ min: 0, max: 6 }) }) },
      { weight: 1, arbitrary: fc.constant('forget' as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const ids = emptyRecentIds();
        const expected = new Map<string, number>();
        const answers: unknown[] = [];
        const expectedAnswers: unknown[] = [];
        let fromWindow = 0;
        for (const step of steps) {
          if (step === 'forget' && expected.size > 0) {
            const oldest = Math.min(...expected.values());
            const old = [...expected].filter(([, window]) => window === oldest);
            for (const [known] of old) expected.delete(known);
            fromWindow = oldest + 1;
            answers.push(forgetOldestWindow(ids));
            expectedAnswers.push(old.length);
          } else if (step !== 'forget' && step.window >= fromWindow) {
            answers.push(rememberId(ids, step.id, step.window));
            expectedAnswers.push(!expected.has(step.id));
            if (!expected.has(step.id)) expected.set(step.id, step.window);
          }
          answers.push(ids.size, ids.oldestWindow);
          expectedAnswers.push(expected.size, Math.min(...expected.values()));
        }
        for (const known of expected.keys()) answers.push(rememberId(ids, known, 7));
        for (const _ of expected) expectedAnswers.push(false);
        expect(answers).toEqual(expectedAnswers);
      }),
      { numRuns: 50 },
    );
  });

  it('take the memory of the ids that are remembered, not of all that ever were', () => {
    const ids = emptyRecentIds();
    for (let window = 0; window < 200; window++) {
      for (let number = 0; number < 500; number++) rememberId(ids, `prediction-${window}-${number}`, window);
      if (ids.size > 5_000) forgetOldestWindow(ids);
    }
    expect(ids.size).toBe(5_000);
    expect(recentIdsBytes(ids) / ids.size).toBeLessThan(90);
  });
});
