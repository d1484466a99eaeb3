import { describe, expect, it } from 'vitest';
import {
  referenceParts,
  referenceProfiles,
} from '../../../../services/shared/profile/referenceProfiles.ts';

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 0, 1);

const times = (count: number, spacingMs: number) =>
  Array.from({ length: count }, (_, index) => startMs + index * spacingMs);
const sizes = (eventTimesMs: number[], windowSizeMs: number) =>
  referenceParts(eventTimesMs, windowSizeMs).map(({ start, end }) => end - start);

describe('referenceParts', () => {
  it('cuts at windows that hold enough rows', () => {
    expect(sizes(times(3000, minuteMs), 240 * minuteMs)).toEqual([...Array(12).fill(240), 120]);
  });

  it('merges neighbouring windows until they hold enough rows', () => {
    expect(sizes(times(3000, minuteMs), 60 * minuteMs)).toEqual(Array(25).fill(120));
  });

  it('cuts into equal numbers of rows if windows are too long', () => {
    expect(sizes(times(3000, minuteMs), 1000 * minuteMs)).toEqual(Array(10).fill(300));
  });

  it('makes ten parts of few rows, a hundred of many, and covers all rows once', () => {
    for (const [rows, parts] of [
      [350, 10],
      [100_000, 98],
    ] as const) {
      const found = referenceParts(times(rows, minuteMs), 60 * minuteMs);
      expect(found.length).toBe(parts);
      expect([found[0]!.start, found.at(-1)!.end]).toEqual([0, rows]);
      for (const [index, part] of found.entries())
        if (index > 0) expect(part.start).toBe(found[index - 1]!.end);
    }
  });

  it('keeps rows of one event time together, so that no two parts start at the same', () => {
    const found = referenceParts(
      Array.from({ length: 1000 }, (_, index) => startMs + Math.floor(index / 300)),
      minuteMs,
    );
    expect(new Set(found.map(part => part.startMs)).size).toBe(found.length);
    expect(found.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(1000);
  });
});

describe('referenceProfiles', () => {
  const record = (row: number) => ({
    eventTimeMs: startMs + row * minuteMs,
    features: row % 5 === 0 ? { price: 1 } : { price: row, city: 'Rome' },
    prediction: row % 2 ? 'yes' : 'no',
    score: 0.5,
  });

  it('count every record once per feature, absent ones as missing, and the outputs', () => {
    const reference = referenceProfiles(
      Array.from({ length: 1500 }, (_, row) => record(row)),
      60 * minuteMs,
    );
    const total = (
      feature: string,
      column: 'count' | 'missing' | 'categorical_count' | 'numeric_count',
    ) =>
      reference.rows
        .filter(row => row.feature === feature)
        .reduce((sum, row) => sum + row[column], 0);
    expect(total('city', 'count')).toBe(1500);
    expect(total('city', 'missing')).toBe(300);
    expect(total('price', 'numeric_count')).toBe(1500);
    expect(total('prediction', 'categorical_count')).toBe(1500);
    expect(total('score', 'numeric_count')).toBe(1500);
    expect(new Set(reference.rows.map(row => row.window_start)).size).toBeGreaterThanOrEqual(10);
  });

  it('have no outputs if none are known', () => {
    const records = Array.from({ length: 100 }, (_, row) => ({
      ...record(row),
      prediction: undefined,
      score: undefined,
    }));
    expect(new Set(referenceProfiles(records, minuteMs).rows.map(({ kind }) => kind))).toEqual(
      new Set(['feature']),
    );
  });

  it('have an id that depends on their contents alone', () => {
    const id = (price: number) =>
      referenceProfiles(
        Array.from({ length: 200 }, (_, row) => ({ ...record(row), features: { price } })),
        minuteMs,
      ).id;
    expect(id(1)).toBe(id(1));
    expect(id(2)).not.toBe(id(1));
  });
});
