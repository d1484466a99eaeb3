import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  calibrationPeriods,
  noCalibration,
  periodBefore,
} from '../../../services/evaluator/estimates/quality/calibrationPeriod.ts';

const windowsOf = (labelled: readonly number[]) =>
  labelled.map((count, index) => ({
    endMs: (index + 1) * 10,
    labelled: count,
    progress: BigInt(count * 3),
  }));

describe('calibrationPeriods', () => {
  it('end with the windows that complete 1, 2, 4 and 8 times the first size', () => {
    const steps = calibrationPeriods(windowsOf([60, 30, 30, 0, 500, 500]), 100);
    expect(steps).toEqual([
      { step: 1, untilMs: 30, progress: 360n },
      { step: 2, untilMs: 50, progress: 1860n },
      { step: 3, untilMs: 50, progress: 1860n },
      { step: 4, untilMs: 60, progress: 3360n },
    ]);
    expect(calibrationPeriods(windowsOf([60, 39]), 100)).toEqual([]);
  });

  it('apply only to windows that start after them', () => {
    const periods = calibrationPeriods(windowsOf([60, 30, 30, 0, 500, 500]), 100);
    expect(
      [20, 29, 30, 40, 50, 60, 1000].map(startMs => periodBefore(periods, startMs).step),
    ).toEqual([0, 0, 1, 1, 3, 4, 4]);
    expect(periodBefore(periods, 20)).toBe(noCalibration);
  });

  it('rank at least as high when more labels come, so that the row that has seen more wins', () => {
    const rank = ({ step, untilMs, progress }: typeof noCalibration) =>
      (BigInt(step) << 120n) + (BigInt(2 ** 55 - untilMs) << 64n) + progress;
    const counts = fc.array(fc.nat(9), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(
        counts,
        fc.array(fc.nat(5), { maxLength: 20 }),
        fc.integer({ min: 1, max: 12 }),
        (labelled, more, first) => {
          const before = calibrationPeriods(windowsOf(labelled), first);
          const after = calibrationPeriods(
            windowsOf(labelled.map((count, index) => count + (more[index] ?? 0))),
            first,
          );
          for (let startMs = 0; startMs <= 10 * labelled.length; startMs += 10)
            expect(rank(periodBefore(after, startMs)) >= rank(periodBefore(before, startMs))).toBe(
              true,
            );
        },
      ),
    );
  });
});
