import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDurationMs } from '../../../services/shared/duration.ts';
import { windowStartMs } from '../../../services/shared/timeWindow.ts';

describe('windows', () => {
  it('are aligned to the epoch, and each time is in exactly one of them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1e12, max: 4e12 }),
        fc.integer({ min: 1000, max: 1e9 }),
        (timeMs, sizeMs) => {
          const startMs = windowStartMs(timeMs, sizeMs);
          expect(
            startMs <= timeMs && timeMs < startMs + sizeMs && Math.abs(startMs % sizeMs) === 0,
          ).toBe(true);
        },
      ),
    );
  });

  it('have no gaps and no overlaps, for all dates and every size that a setting can have', () => {
    const anyTime = fc.integer({ min: -8.64e15, max: 8.64e15 });
    const anySize = fc.oneof(
      fc.integer({ min: 1000, max: 366 * 86_400_000 }),
      fc.constantFrom(1000, 60_000, 86_400_000),
    );
    fc.assert(
      fc.property(anyTime, anySize, (timeMs, sizeMs) => {
        const startMs = windowStartMs(timeMs, sizeMs);
        expect(Number.isSafeInteger(startMs)).toBe(true);
        expect(
          [startMs, startMs + sizeMs - 1].map(edgeMs => windowStartMs(edgeMs, sizeMs)),
        ).toEqual([startMs, startMs]);
        expect(windowStartMs(startMs - 1, sizeMs)).toBe(startMs - sizeMs);
        expect(windowStartMs(startMs + sizeMs, sizeMs)).toBe(startMs + sizeMs);
      }),
    );
  });

  it('include their start and exclude their end', () => {
    expect([3_599_999, 3_600_000].map(timeMs => windowStartMs(timeMs, 3_600_000))).toEqual([
      0, 3_600_000,
    ]);
  });
});

describe('durations', () => {
  it.each([
    ['250ms', 250],
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['2w', 1_209_600_000],
    ['1 h', 3_600_000],
    ['1', null],
    ['h', null],
    ['-1h', null],
    ['1h30m', null],
  ])('%s', (text, milliseconds) => expect(parseDurationMs(text)).toBe(milliseconds));
});
