import { describe, expect, it } from 'vitest';
import { dataSplit } from '../../../services/retrainer/dataset/dataSplit.ts';

describe('dataSplit', () => {
  it('puts every row into exactly one part, the oldest into train and the newest into gate', () => {
    for (const rows of [0, 1, 2, 3, 7, 50, 333, 20_000]) {
      const { train, select, gate } = dataSplit(rows);
      expect([train.start, train.end, select.end, gate.end]).toEqual([
        0,
        select.start,
        gate.start,
        rows,
      ]);
      expect(train.end).toBeLessThanOrEqual(select.end);
      expect(select.end).toBeLessThanOrEqual(rows);
    }
  });

  it('splits into 70, 15 and 15 percent', () => {
    expect(dataSplit(2000)).toEqual({
      train: { start: 0, end: 1400 },
      select: { start: 1400, end: 1700 },
      gate: { start: 1700, end: 2000 },
    });
  });
});
