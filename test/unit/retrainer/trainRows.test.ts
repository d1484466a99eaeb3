import { describe, expect, it } from 'vitest';
import { trainRows } from '../../../services/retrainer/dataset/trainRows.ts';

const train = { start: 0, end: 1000 };
const builtIn = { drawsRows: true, seed: 5 };
const names = (...of: Parameters<typeof trainRows>) => trainRows(...of).map(({ name }) => name);

describe('trainRows', () => {
  it('tries all rows, those since the change, and all with the recent ones more often', () => {
    expect(names(train, 700, 'auto', builtIn)).toEqual(['all', 'since_change', 'recent']);
    expect(trainRows(train, 700, 'auto', builtIn)[1]).toEqual({
      name: 'since_change',
      range: { start: 700, end: 1000 },
      drawn: null,
    });
  });

  it('leaves out the rows since a change that is not known, or too near to the end', () => {
    expect(names(train, 0, 'auto', builtIn)).toEqual(['all', 'recent']);
    expect(names(train, 901, 'auto', builtIn)).toEqual(['all', 'recent']);
    expect(names(train, 5000, 'auto', builtIn)).toEqual(['all', 'recent']);
    expect(names(train, 901, 'since_change', builtIn)).toEqual(['all']);
  });

  it('takes what the settings name, and draws rows unasked for the built-in trainer alone', () => {
    expect(names(train, 700, 'all', builtIn)).toEqual(['all']);
    expect(names(train, 700, 'since_change', builtIn)).toEqual(['since_change']);
    const command = { ...builtIn, drawsRows: false };
    expect(names(train, 700, 'auto', command)).toEqual(['all', 'since_change']);
    expect(names(train, 700, 'recent', command)).toEqual(['recent']);
  });

  it('draws a row half as often as one that is a fifth of the rows newer', () => {
    const range = { start: 100, end: 20_100 };
    const { drawn } = trainRows(range, 0, 'recent', builtIn)[0]!;
    expect(drawn).toHaveLength(20_000);
    const fifths = [0, 0, 0, 0, 0];
    for (const row of drawn!) fifths[Math.floor((row - 100) / 4_000)]!++;
    for (const [index, count] of fifths.entries()) {
      const expected = (20_000 * 2 ** index) / (1 + 2 + 4 + 8 + 16);
      expect(Math.abs(count - expected)).toBeLessThan(4 * Math.sqrt(expected));
    }
    expect(Math.min(...drawn!)).toBeGreaterThanOrEqual(100);
    expect(Math.max(...drawn!)).toBeLessThan(20_100);
    expect([...drawn!].sort((one, other) => one - other)).toEqual(drawn);
    expect(trainRows(range, 0, 'recent', builtIn)[0]!.drawn).toEqual(drawn);
  });
});
