import { describe, expect, it } from 'vitest';
import type { StreamRow } from '../../../quality/streams/generatedStream.ts';
import {
  persistenceKinds,
  persistenceRows,
  persistenceStream,
} from '../../../quality/streams/persistenceStream.ts';
import { randomOf } from '../../../quality/streams/random.ts';
import { dayMs } from '../../../services/shared/duration.ts';

const lossOf = ({ prediction, label }: StreamRow) =>
  typeof label === 'number' ? Math.abs(label - Number(prediction)) : Number(label !== prediction);

function meanLoss(rows: readonly StreamRow[]): number {
  return rows.reduce((sum, row) => sum + lossOf(row), 0) / rows.length;
}

describe.each(persistenceKinds)('a year of a %s', kind => {
  it('is the same in every run, and differs from seed to seed', () => {
    const take = (seed: number) => [...persistenceStream(kind, true, seed).rows()].slice(0, 300);
    expect(take(1)).toEqual(take(1));
    expect(take(1)).not.toEqual(take(2));
  });

  it('has its onset between day 150 and 250, and doubles the error for good', () => {
    const { truth } = persistenceStream(kind, true, 1);
    expect(truth.starts[0]).toBeGreaterThanOrEqual(150);
    expect(truth.starts[0]).toBeLessThanOrEqual(250);
    const rows = (onset: number) => [
      ...persistenceRows({ kind, seed: 1, onset, shock: null }, randomOf('year', kind)),
    ];
    const [doubled, quiet] = [rows(200), rows(365)];
    const onsetMs = Date.UTC(2025, 0, 6) + 200 * dayMs;
    const part = (all: readonly StreamRow[], isAfter: boolean) =>
      all.filter(({ timeMs }) => timeMs >= onsetMs === isAfter);
    expect(part(doubled, false)).toEqual(part(quiet, false));
    expect(meanLoss(part(doubled, true)) / meanLoss(part(quiet, true))).toBeCloseTo(2, 0);
    expect(doubled.map(({ features }) => features)).toEqual(quiet.map(({ features }) => features));
  });

  it('wants silence where nothing changes', () => {
    const { expectation, truth } = persistenceStream(kind, false, 1);
    expect(expectation!.change).toBeNull();
    expect(truth.starts).toEqual([]);
  });

  it('has a shock in every third stream, which ends before the error changes', () => {
    const streams = [0, 1, 2, 3].map(seed => persistenceStream(kind, true, seed));
    expect(streams.map(({ expectation }) => expectation!.ignored.length)).toEqual([1, 0, 0, 1]);
    const { expectation, rows } = streams[0]!;
    const [{ fromMs, untilMs }] = expectation!.ignored as [{ fromMs: number; untilMs: number }];
    expect(untilMs).toBeLessThan(expectation!.change!.onsetMs);
    const shocked = [...rows()].filter(
      ({ timeMs }) => timeMs >= fromMs && timeMs < fromMs + 14 * dayMs,
    );
    const before = [...rows()].filter(({ timeMs }) => timeMs < fromMs);
    expect(shocked.length / 14 / 200).toBeLessThan(0.3);
    expect(meanLoss(shocked) / meanLoss(before)).toBeGreaterThan(2);
  });
});
