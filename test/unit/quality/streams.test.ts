import { describe, expect, it } from 'vitest';
import { conceptNames, conceptStream } from '../../../quality/streams/conceptStream.ts';
import { dependenceStream } from '../../../quality/streams/dependenceStream.ts';
import type { GeneratedStream, StreamRow } from '../../../quality/streams/generatedStream.ts';
import { hoeffdingTree } from '../../../quality/streams/hoeffdingTree.ts';
import { type Injection, injectDrift } from '../../../quality/streams/injectDrift.ts';
import { orderedStream, shuffledStream } from '../../../quality/streams/injectedStream.ts';
import { logisticRegression } from '../../../quality/streams/logisticRegression.ts';
import { type Dataset, publicDatasets } from '../../../quality/streams/publicDataset.ts';
import { randomOf } from '../../../quality/streams/random.ts';
import { seasonStream } from '../../../quality/streams/seasonStream.ts';
import { steadyStream } from '../../../quality/streams/steadyStream.ts';

const steady = (seed: number) => steadyStream({ records: 20, windows: 100, seed, shift: null });

function take(stream: GeneratedStream, most = Number.POSITIVE_INFINITY): StreamRow[] {
  const rows: StreamRow[] = [];
  for (const row of stream.rows()) if (rows.push(row) >= most) break;
  return rows;
}

function accuracy(rows: readonly StreamRow[]): number {
  return rows.filter(({ prediction, label }) => prediction === label).length / rows.length;
}

function correlation(rows: readonly StreamRow[], left: string, right: string): number {
  const mean = (of: (row: StreamRow) => number) =>
    rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
  const value = (row: StreamRow, name: string) => Number(row.features[name]);
  const [leftMean, rightMean] = [left, right].map(name => mean(row => value(row, name))) as [
    number,
    number,
  ];
  const product = (a: string, aMean: number, b: string, bMean: number) =>
    mean(row => (value(row, a) - aMean) * (value(row, b) - bMean));
  return (
    product(left, leftMean, right, rightMean) /
    Math.sqrt(product(left, leftMean, left, leftMean) * product(right, rightMean, right, rightMean))
  );
}

// Some streams begin with the training of a tree.
describe('generated streams', { timeout: 60_000 }, () => {
  it.each([
    ['shuffled', () => shuffledStream('NOAA', 'y_swaps', 'ABRUPT', 0)],
    ['ordered', () => orderedStream('NOAA', 'x_permutations', 'GRADUAL', 0)],
    ['concept', () => conceptStream('SEA', 'GRADUAL', 0)],
    ['season', () => seasonStream('mean', 'ABRUPT', 0)],
    ['steady', () => steady(1)],
  ])('are the same in every run, and in the order of time: %s', (_, stream) => {
    const rows = take(stream(), 500);
    expect(take(stream(), 500)).toEqual(rows);
    const times = rows.map(({ timeMs }) => timeMs);
    expect(times.toSorted((a, b) => a - b)).toEqual(times);
  });

  it('differ from seed to seed', () => {
    expect(take(steady(0), 20)).not.toEqual(take(steady(2), 20));
  });

  it.each(conceptNames)(
    'change the concept %s ten times, which raises the errors of a model that learned it',
    name => {
      const stream = conceptStream(name, 'ABRUPT', 0);
      expect(stream.truth.starts).toHaveLength(10);
      const rows = take(stream);
      const onset = stream.truth.starts[0]! - stream.truth.monitoredFrom;
      const before = accuracy(rows.slice(onset - 1000, onset));
      expect(before).toBeGreaterThan(0.7);
      expect(before - accuracy(rows.slice(onset, onset + 1000))).toBeGreaterThan(0.02);
    },
  );

  it('lose a dependence but keep their margins', () => {
    const stream = dependenceStream(1);
    const rows = take(stream);
    const onset = stream.truth.starts[0]! * 500;
    expect(correlation(rows.slice(0, onset), 'a', 'b')).toBeCloseTo(0.8, 1);
    expect(correlation(rows.slice(onset), 'a', 'b')).toBeCloseTo(0, 1);
    const share = (part: readonly StreamRow[], name: string) =>
      part.filter(({ features }) => Number(features[name]) > 1).length / part.length;
    for (const name of ['a', 'b']) {
      expect(share(rows.slice(0, onset), name)).toBeCloseTo(0.1587, 1);
      expect(share(rows.slice(onset), name)).toBeCloseTo(0.1587, 1);
    }
  });

  it('that do not change have missing values, constants and 500 categories', () => {
    const rows = take(steadyStream({ records: 1000, windows: 20, seed: 0, shift: null }));
    expect(new Set(rows.map(({ features }) => features.category)).size).toBeGreaterThan(490);
    expect(new Set(rows.map(({ features }) => features.constant))).toEqual(new Set([1]));
    expect(
      rows.filter(({ features }) => features.normal === null).length / rows.length,
    ).toBeCloseTo(0.02, 2);
    expect(accuracy(rows)).toBeCloseTo(0.9, 1);
  });
});

describe('public data sets', { timeout: 60_000 }, () => {
  it.each([
    ['Electricity', 45_312, 8],
    ['NOAA', 18_159, 8],
  ])('have all rows of %s', (name, rows, columns) => {
    const dataset = publicDatasets[name]!();
    expect(dataset.rows).toHaveLength(rows);
    expect(dataset.labels).toHaveLength(rows);
    expect(new Set(dataset.labels)).toEqual(new Set([0, 1]));
    expect(dataset.rows.every(row => row.length === columns && row.every(Number.isFinite))).toBe(
      true,
    );
    expect(dataset.columns).toHaveLength(columns);
  });
});

describe('injections', () => {
  const dataset: Dataset = {
    name: 'small',
    columns: ['a', 'b', 'c'],
    rows: Array.from({ length: 4000 }, (_, row) => [row, row + 0.1, row + 0.2]),
    labels: Array.from({ length: 4000 }, (_, row) => row % 2),
    classes: ['no', 'yes'],
  };
  const inject = (injection: Injection) =>
    injectDrift(dataset, injection, 'GRADUAL', 500, randomOf(injection, 7));

  it.each(['x_permutations', 'y_swaps', 'y_prior_skip', 'x_exceed_skip'] as const)(
    'of %s change no rows before the onset, some during the ramp, and all affected rows after it',
    injection => {
      const { rows, onset } = inject(injection);
      const changed = rows.map(
        (row, index) => !row || row.features[0] !== index || row.label !== index % 2,
      );
      const share = (from: number, to: number) =>
        changed.slice(from, to).filter(Boolean).length / (to - from);
      expect(share(0, onset)).toBe(0);
      expect(share(onset, onset + 250)).toBeLessThan(share(onset + 500, 4000));
      expect(share(onset + 500, 4000)).toBeGreaterThan(0.3);
    },
  );

  it('drop three quarters of the rows with a label', () => {
    const { rows, onset } = inject('y_prior_skip');
    const after = rows.slice(onset + 500).filter(row => row !== null);
    const shares = [0, 1].map(
      label => after.filter(row => row.label === label).length / after.length,
    );
    expect(Math.min(...shares)).toBeCloseTo(0.2, 1);
  });
});

describe('learners', () => {
  const random = randomOf('learners');
  const rows = Array.from({ length: 8000 }, () => [random.normal(), random.normal()]);

  it('of Hoeffding trees learn classes that no line can separate', () => {
    const label = ([a, b]: readonly number[]) => Number(Math.abs(a!) + Math.abs(b!) < 1.2);
    const tree = hoeffdingTree(2, 2);
    for (const row of rows.slice(0, 7000)) tree.learn(row, label(row));
    const right = rows
      .slice(7000)
      .filter(row => Number(tree.predict(row)[1]! > 0.5) === label(row)).length;
    expect(right / 1000).toBeGreaterThan(0.9);
  });

  it('of logistic regression find the weights that made the labels', () => {
    const truth = ([a, b]: readonly number[]) => 1 / (1 + Math.exp(-(0.5 + a! - 2 * b!)));
    const score = logisticRegression(
      rows,
      rows.map(row => Number(random.uniform() < truth(row))),
    );
    for (const row of rows.slice(0, 100))
      expect(Math.abs(score(row) - truth(row))).toBeLessThan(0.06);
  });
});
