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

  it('puts select and gate behind a change where enough rows lie there', () => {
    expect(dataSplit(2600, 2400)).toEqual({
      train: { start: 0, end: 2500 },
      select: { start: 2500, end: 2540 },
      gate: { start: 2540, end: 2600 },
    });
    expect(dataSplit(2600, 2401)).toEqual(dataSplit(2600));
    expect(dataSplit(2600, 100), 'an old change').toEqual(dataSplit(2600));
    for (const changedAt of [0, 1, 500, 1200, 1700, 1800, 2000]) {
      const { train, select, gate } = dataSplit(2000, changedAt);
      expect([train.start, train.end, select.end, gate.end]).toEqual([
        0,
        select.start,
        gate.start,
        2000,
      ]);
      if (changedAt <= 1800) expect(select.start).toBeGreaterThanOrEqual(changedAt);
      expect(gate.end - gate.start).toBeGreaterThanOrEqual(60);
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
