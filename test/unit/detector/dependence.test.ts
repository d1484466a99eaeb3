import { describe, expect, it } from 'vitest';
import { type Block, sumBlocks } from '../../../services/detector/blocks/block.ts';
import { type FeaturePair, pairCounts } from '../../../services/detector/blocks/featurePairs.ts';
import {
  judgeDependence,
  measureDependence,
} from '../../../services/detector/families/dependenceStatistic.ts';
import { initialState } from '../../../services/detector/fold/foldState.ts';
import type { Comparison } from '../../../services/detector/reference/comparison.ts';
import type { SampledRecords } from '../../../services/shared/profile/recordSample.ts';
import {
  context,
  foldAll,
  hourMs,
  metricsAfter,
  type Randomness,
  type SyntheticRecord,
  syntheticWindows,
} from './syntheticStream.ts';

const onset = 40;

function streamOf(
  seed: number,
  recordOf: (random: Randomness, window: number) => SyntheticRecord['features'],
) {
  return syntheticWindows({
    seed,
    windows: 60,
    records: 300,
    recordOf: (random, window) => ({
      features: recordOf(random, window),
      prediction: random.uniform() < 0.5 ? 'up' : 'down',
    }),
  });
}

/** Returns records of two features whose correlation changes at the onset. */
function correlated(before: number, after: number) {
  return ({ normal }: Randomness, window: number): SyntheticRecord['features'] => {
    const correlation = window < onset ? before : after;
    const common = normal();
    return {
      a: common,
      b: correlation * common + Math.sqrt(1 - correlation ** 2) * normal(),
      c: normal(),
    };
  };
}

describe('measureDependence', () => {
  const pair: FeaturePair = {
    key: 'pair/["a","b"]',
    names: ['a', 'b'],
    grades: [
      { name: 'a', lowCut: 4, highCut: 8 },
      { name: 'b', lowCut: 5, highCut: 9 },
    ],
  };
  const block = (index: number): Block => {
    const sample: SampledRecords = { names: ['a', 'b'], hashes: [], codes: [], outputs: [] };
    for (let row = 30 * index; row < 30 * (index + 1); row++) {
      const a = (row * 7) % 11;
      sample.hashes.push(row);
      sample.codes.push(a, ((row * 5) % 7) + (index < 6 ? a : 0));
    }
    return {
      pairs: pairCounts([pair], sample),
      records: 30,
      variables: new Map(),
      unknownFeatures: new Map(),
      vectors: new Map(),
    } as never;
  };
  const referenceBlocks = [0, 1, 2, 3, 4, 5].map(block);
  const recentBlocks = [block(6)];
  const comparison: Comparison = {
    scale: 1,
    referenceBlocks,
    recentBlocks,
    reference: sumBlocks(referenceBlocks),
    recent: sumBlocks(recentBlocks),
    cyclic: new Map(),
    otherDays: () => [],
  };
  const measured = measureDependence(comparison, pair, 0)!;

  it('returns the correlations, the statistic and the p-value of NumPy and SciPy', () => {
    // The values are those of NumPy 2 and SciPy's chi2.sf over the grades of these seven blocks,
    // with squares and products about the means of each block.
    expect(measured.referenceValue).toBeCloseTo(0.7470484627070596, 12);
    expect(measured.value).toBeCloseTo(0.3627998399527116, 12);
    expect(measured.size).toBeCloseTo(24.857142857142858, 12);
    expect(measured.statistic).toBeCloseTo(2.981862764346179, 12);
    const { pValue } = judgeDependence(measured, comparison, {
      history: [],
      noiseWeight: 1,
      priorDispersion: 1,
    });
    expect(pValue).toBeCloseTo(0.08420231276210939, 12);
    expect(measured).toMatchObject({ records: 30, referenceRecords: 180 });
  });

  it('returns the change that belongs to a statistic', () => {
    expect(measured.changeAt(measured.statistic)).toBeCloseTo(
      measured.referenceValue - measured.value,
      12,
    );
    expect(measured.changeAt(1000)).toBe(Number.POSITIVE_INFINITY);
  });

  it('returns null for a feature that never varies', () => {
    const constant = {
      ...comparison,
      recent: sumBlocks([{ ...block(6), pairs: new Int8Array([30, 30, 0, 30, 20, 0]) }]),
    };
    expect(measureDependence(constant, pair, 0)).toBeNull();
  });
});

describe('a changed dependence', () => {
  it.each([
    ['disappears', 0.8, 0],
    ['appears', 0, 0.7],
    ['changes its sign', 0.5, -0.5],
  ])(
    'that %s is found although the margins stay the same, and the event names both features',
    (_, before, after) => {
      const { events } = foldAll(streamOf(1, correlated(before, after)));
      expect(events).toHaveLength(1);
      const [event] = events;
      expect(event).toMatchObject({
        cause: 'data_drift',
        metric: 'correlation_change',
        severity: 'critical',
      });
      expect(event!.windowStart / hourMs).toBeGreaterThanOrEqual(onset);
      expect(event!.windowStart / hourMs).toBeLessThan(onset + 4);
      expect(Object.keys(event!.contributions).sort()).toEqual(['a', 'b']);
      expect(event!.value).toBeGreaterThan(event!.threshold);
      expect(event!.explanation).toMatch(
        /^1 of 3 pairs of features depend on each other in another way, most of all a and b: their correlation went from /,
      );
    },
  );

  it('is found between a category and a number, and between two categories', () => {
    const city = ({ uniform, normal }: Randomness, window: number): SyntheticRecord['features'] => {
      const name = ['Rome', 'Oslo', 'Bonn'][Math.floor(uniform() * 3)]!;
      const other = window < onset ? name : ['Rome', 'Oslo', 'Bonn'][Math.floor(uniform() * 3)]!;
      return { city: name, country: `of ${other}`, other: normal() };
    };
    expect(foldAll(streamOf(2, city)).events).toMatchObject([{ metric: 'correlation_change' }]);
    const flag = ({ uniform, normal }: Randomness, window: number): SyntheticRecord['features'] => {
      const amount = normal();
      return { amount, large: window < onset ? amount > 0 : uniform() < 0.5 };
    };
    expect(foldAll(streamOf(3, flag)).events).toMatchObject([{ metric: 'correlation_change' }]);
  });

  it('is mentioned after a changed margin, which decides on the event', () => {
    const shifted = ({ normal }: Randomness, window: number): SyntheticRecord['features'] => {
      const a = normal();
      return window < onset ? { a, b: a } : { a, b: normal() + 2 };
    };
    const [event] = foldAll(streamOf(4, shifted)).events;
    expect(event).toMatchObject({ cause: 'data_drift', metric: 'likelihood_ratio', feature: 'b' });
    expect(event!.explanation).toContain(
      '; 1 of 1 pairs of features depend on each other in another way',
    );
  });

  it('is not reported if a shifted feature depends on the other as before', () => {
    const shifted = ({ normal }: Randomness, window: number): SyntheticRecord['features'] => {
      const a = normal();
      return { a: a + (window < onset ? 0 : 0.5), b: a + normal() };
    };
    const [event] = foldAll(streamOf(5, shifted)).events;
    expect(event).toMatchObject({ metric: 'likelihood_ratio', feature: 'a' });
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'is not reported in a steady stream with heavy tails, rare and missing values (seed %i)',
    seed => {
      const steady = ({ normal, uniform }: Randomness): SyntheticRecord['features'] => {
        const given = <T>(value: T) => (uniform() < 0.02 ? null : value);
        const common = normal();
        const rare = uniform() < 0.02;
        return {
          cauchy: given(normal() / normal()),
          copy: given(uniform() < 0.003 ? 0 : common),
          exponential: given(-Math.log(1 - uniform())),
          huge: given(Math.exp(5 * normal())),
          kind: given(`k${Math.floor(1 / (1 - uniform()))}`),
          mostlyZero: given(uniform() < 0.9 ? 0 : normal()),
          original: given(uniform() < 0.003 ? 0 : common),
          rare: given(rare),
          twin: given(rare || uniform() < 0.01),
        };
      };
      expect(foldAll(streamOf(seed, steady)).events).toEqual([]);
    },
  );

  it('is found in a stream whose margins follow the day, and the daily cycle itself is not reported', () => {
    const change = 24 * 21 + 7;
    const daysOf = (after: number) =>
      syntheticWindows({
        seed: 7,
        windows: 24 * 24,
        records: 200,
        recordOf: ({ normal, uniform }, hour) => {
          const correlation = hour < change ? 0.8 : after;
          const day = 3 * Math.sin((hour / 24) * 2 * Math.PI);
          const common = normal();
          const b = correlation * common + Math.sqrt(1 - correlation ** 2) * normal() - day;
          return {
            features: { a: common + day, b, c: normal() + day },
            prediction: uniform() < 0.5 ? 'up' : 'down',
          };
        },
      });
    expect(foldAll(daysOf(0.8)).events).toEqual([]);
    const { events } = foldAll(daysOf(0));
    expect(events).toMatchObject([{ metric: 'correlation_change' }]);
    expect(events[0]!.windowStart / hourMs - change).toBeGreaterThanOrEqual(0);
    expect(events[0]!.windowStart / hourMs - change).toBeLessThan(24);
  });

  it('has the same numbers in the event and in the metrics of the window', () => {
    const windows = streamOf(1, correlated(0.8, 0));
    const { events } = foldAll(windows);
    const index = events[0]!.windowStart / hourMs;
    const metrics = metricsAfter(windows.slice(0, index), windows[index]!);
    const ofPairs = metrics.filter(({ metric }) => metric === 'correlation_change');
    expect(ofPairs.map(({ feature }) => feature)).toEqual(['a × b', 'b × c', 'a × c']);
    const [changed, ...others] = ofPairs;
    const { value, threshold, pValue, records } = events[0]!;
    expect(changed).toMatchObject({
      kind: 'feature',
      value,
      pValue,
      records,
      threshold: expect.closeTo(threshold, 9),
    });
    for (const other of others) expect(other.value).toBeLessThan(other.threshold!);
  });

  it('is found after enough sampled windows, even if a given reference or the first windows have no samples', () => {
    const windows = streamOf(6, correlated(0.8, 0));
    const unsampled = windows.map((window, index) =>
      index < 25 ? { ...window, sample: null } : window,
    );
    expect(foldAll(unsampled).events).toMatchObject([{ metric: 'correlation_change' }]);
    const parts = windows.slice(0, 10).map(window => ({ ...window, sample: null }));
    const start = initialState({ id: 'r', source: 'training', parts }, context, hourMs);
    expect(foldAll(windows.slice(10), start).events).toMatchObject([
      { metric: 'correlation_change' },
    ]);
  });
});
