import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bucketInnerBound,
  bucketKey,
  bucketOuterBound,
} from '../../../../services/shared/profile/bucketKey.ts';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const mantissaBits = fc.integer({ min: -3, max: 20 });

describe('bucketKey', () => {
  it('has the same order as the numbers at every resolution', () => {
    fc.assert(
      fc.property(finite, finite, mantissaBits, (left, right, bits) => {
        const [low, high] = left < right ? [left, right] : [right, left];
        expect(bucketKey(low) >> (20 - bits)).toBeLessThanOrEqual(bucketKey(high) >> (20 - bits));
      }),
    );
  });

  it('gives both zeros one bucket, and each small integer its own', () => {
    expect(bucketKey(-0)).toBe(bucketKey(0));
    const keys = Array.from({ length: 4001 }, (_, index) => bucketKey(index - 2000));
    expect(keys).toEqual([...new Set(keys)].sort((left, right) => left - right));
    expect(bucketKey(2 ** 21)).toBeGreaterThan(bucketKey(2 ** 21 - 1));
  });

  it('has bounds around each of its values', () => {
    fc.assert(
      fc.property(finite, mantissaBits, (value, bits) => {
        const key = bucketKey(value) >> (20 - bits);
        const inner = bucketInnerBound(key, bits);
        const outer = bucketOuterBound(key, bits);
        if (key < 0) expect(outer < value && value <= inner).toBe(true);
        else expect(inner <= value && value < outer).toBe(true);
      }),
    );
  });

  it('has an integer as the inner bound of its bucket', () => {
    for (const value of [-1999, -3, -1, 0, 1, 2, 3, 7, 2026, 1_000_001]) {
      expect(bucketInnerBound(bucketKey(value), 20)).toBe(value);
    }
  });

  it('has outermost bounds at infinity and innermost ones at zero', () => {
    expect(bucketOuterBound(bucketKey(Number.MAX_VALUE) >> 23, -3)).toBe(Number.POSITIVE_INFINITY);
    expect(bucketOuterBound(bucketKey(-Number.MAX_VALUE), 20)).toBe(Number.NEGATIVE_INFINITY);
    expect(bucketInnerBound(bucketKey(-Number.MIN_VALUE), 20)).toBe(0);
  });
});
