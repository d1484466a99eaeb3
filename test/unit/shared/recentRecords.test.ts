import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { offsetsPerIncarnation } from '../../../services/shared/service/partitionStart.ts';
import {
  countRecent,
  firstRecentPosition,
  noRecentRecords,
  recentAt,
} from '../../../services/shared/service/recentRecords.ts';

describe('the newest records of a partition', () => {
  it('are counted as those behind the first recent position, for any gaps between records', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }), gaps => {
        const recent = noRecentRecords();
        const positions: number[] = [];
        for (const gap of gaps) {
          positions.push((positions.at(-1) ?? -1) + gap);
          countRecent(recent, positions.at(-1)!);
        }
        for (const behind of [1, 300, 700, 1_500]) {
          const end = positions.at(-1)! + behind;
          const from = firstRecentPosition(end);
          expect(recentAt(recent, end)).toBe(positions.filter(position => position >= from).length);
        }
      }),
    );
  });

  it('are of the present incarnation of the partition', () => {
    expect(firstRecentPosition(1)).toBe(0);
    expect(firstRecentPosition(1_000)).toBe(0);
    expect(firstRecentPosition(1_001)).toBe(500);
    expect(firstRecentPosition(1_501)).toBe(1_000);
    expect(firstRecentPosition(offsetsPerIncarnation + 3)).toBe(offsetsPerIncarnation);
  });
});
