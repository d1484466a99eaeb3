import { describe, expect, it } from 'vitest';
import type { BlockSums } from '../../../services/detector/blocks/block.ts';
import { changedShareOf } from '../../../services/detector/families/changedShare.ts';

/** Returns what a block is of which only the predicted classes count. */
function predicted(classes: Record<string, number>): BlockSums {
  const predictedCounts = new Map(Object.entries(classes));
  const labelled = [...predictedCounts.values()].reduce((total, count) => total + count, 0);
  return {
    performance: {
      task: 'binary',
      labelled,
      lossSum: 0,
      lossSquareSum: 0,
      labelCounts: new Map(),
      predictedCounts,
      rightCounts: new Map(),
    },
  } as unknown as BlockSums;
}

describe('changedShareOf', () => {
  it('is at least the share of predictions that have to differ', () => {
    const reference = predicted({ yes: 20_000, no: 80_000 });
    for (const share of [0.05, 0.1, 0.3]) {
      const recent = predicted({ yes: 10_000 * (0.2 + share), no: 10_000 * (0.8 - share) });
      const bound = changedShareOf({ reference, recent });
      expect(bound).toBeGreaterThan(share);
      expect(bound).toBeLessThan(1.4 * share);
    }
  });

  it('counts a class that is new, and one that is gone', () => {
    const reference = predicted({ yes: 500, no: 500 });
    const recent = predicted({ no: 250, perhaps: 250 });
    expect(changedShareOf({ reference, recent })).toBeGreaterThan(0.5);
  });

  it('is 0 where the classes are as frequent as before, for numbers, and without labels', () => {
    const reference = predicted({ yes: 500, no: 500 });
    expect(changedShareOf({ reference, recent: predicted({ yes: 50, no: 50 }) })).toBe(0);
    expect(changedShareOf({ reference: predicted({}), recent: predicted({}) })).toBe(0);
    const unlabelled = { performance: null } as unknown as BlockSums;
    expect(changedShareOf({ reference, recent: unlabelled })).toBe(0);
  });
});
