import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  levelOfFamily,
  noTail,
  type TailHistory,
  withLogPValue,
} from '../../../services/detector/significance/tailHistory.ts';

const tailOf = (logPValues: readonly number[]): TailHistory =>
  logPValues.reduce(withLogPValue, noTail);
const level = 1e-4;
/** −ln p of p-values that are spread evenly over (0, 1), times a factor. */
const evenly = (factor: number) =>
  Array.from({ length: 200 }, (_, block) => factor * Math.log((((block * 7) % 200) + 0.5) / 200));

describe('levelOfFamily', () => {
  it('is the level itself if the stream is sampling noise', () => {
    expect(levelOfFamily(undefined, 1, 1, level)).toBeCloseTo(level, 15);
    expect(levelOfFamily(tailOf(evenly(5)), 1, 1, level)).toBeCloseTo(level, 15);
  });

  it('is a little lower for an ordered stream while there is no history', () => {
    // 0.1 (1 + (L − ln 10) / 60)^−60 = 0.0001
    const expected = Math.exp(-(Math.log(10) + 60 * (1000 ** (1 / 60) - 1)));
    expect(levelOfFamily(undefined, 1, 0, level) / expected).toBeCloseTo(1, 6);
  });

  it('is far lower if the stream often has far too small p-values', () => {
    const honest = levelOfFamily(tailOf(evenly(1)), 1, 0, level);
    expect(honest).toBeGreaterThan(level / 20);
    const exaggerating = levelOfFamily(tailOf(evenly(4)), 1, 0, level);
    expect(exaggerating).toBeLessThan(honest ** 2);
  });

  it('learns less from the overlapping blocks of a large scale', () => {
    const tail = tailOf(evenly(1));
    expect(levelOfFamily(tail, 8, 0, level)).not.toBe(levelOfFamily(tail, 1, 0, level));
  });

  it('lies above 0 and not above the level, and rises with the noise weight', () => {
    const logPValues = fc.array(fc.double({ min: -800, max: 0, noNaN: true }), { maxLength: 100 });
    const weight = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        logPValues,
        fc.constantFrom(1, 2, 4, 8),
        weight,
        weight,
        (past, scale, one, other) => {
          const tail = tailOf(past);
          const unsure = levelOfFamily(tail, scale, Math.min(one, other), level);
          const sure = levelOfFamily(tail, scale, Math.max(one, other), level);
          expect(unsure).toBeGreaterThan(0);
          expect(sure).toBeLessThanOrEqual(level * (1 + 1e-9));
          expect(unsure).toBeLessThanOrEqual(sure * (1 + 1e-9));
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('withLogPValue', () => {
  it('remembers about the last 256 blocks, without changing the history before', () => {
    const before = tailOf([-0.5, -1.5]);
    const kept = [...before];
    const after = Array.from({ length: 3000 }, () => -1000).reduce(withLogPValue, before);
    expect([...before]).toEqual(kept);
    expect(after.reduce((sum, count) => sum + count, 0)).toBeCloseTo(256);
    expect(after.at(-1)).toBeCloseTo(256, 1);
  });
});
