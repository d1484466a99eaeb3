import { describe, expect, it } from 'vitest';
import { chiSquaredSurvival } from '../../../services/shared/statistics/chiSquaredSurvival.ts';
import { expectClose } from '../shared/statistics/fixtures.ts';
import {
  context,
  foldAll,
  metricsAfter,
  type Randomness,
  syntheticWindows,
} from './syntheticStream.ts';

const recordOf = (random: Randomness, window: number) => ({
  features: {
    amount: random.normal() + (window < 40 ? 0 : 2),
    city:
      random.uniform() < (window < 40 ? 0.5 : 0.9)
        ? 'Rome'
        : random.uniform() < 0.1
          ? null
          : 'Oslo',
  },
  prediction: random.uniform() < 0.5 ? 'up' : 'down',
  label: random.uniform() < 0.5 ? 'up' : 'down',
});
const windows = syntheticWindows({ seed: 1, windows: 41, records: 300, recordOf });

function metricsOf(window: number) {
  return metricsAfter(windows.slice(0, window), windows[window]!);
}

describe('driftMetrics', () => {
  const steady = metricsOf(39);
  const drifted = metricsOf(40);
  const named = (metrics: typeof steady, feature: string, metric: string) =>
    metrics.find(row => row.feature === feature && row.metric === metric);

  it('returns the metrics of each type of variable', () => {
    const ofFeature = (feature: string) =>
      steady
        .filter(row => row.feature === feature)
        .map(({ metric }) => metric)
        .sort();
    const both = [
      'jensen_shannon',
      'likelihood_ratio',
      'missing_rate',
      'non_finite_rate',
      'psi',
      'wrong_type_rate',
    ];
    const ofNumbers = [
      'kolmogorov_smirnov',
      'likelihood_ratio_trend',
      'out_of_range_rate',
      'wasserstein',
    ];
    expect(ofFeature('amount')).toEqual([...both, ...ofNumbers].sort());
    expect(ofFeature('city')).toEqual([...both, 'chi_squared', 'l_infinity', 'unseen_rate'].sort());
    expect(ofFeature('')).toEqual(['error', 'likelihood_ratio']);
  });

  it('returns values below their thresholds for a steady window, and above them after a drift', () => {
    for (const { value, threshold } of steady)
      if (threshold !== null) expect(value).toBeLessThan(threshold);
    for (const feature of ['amount', 'city']) {
      const ratio = named(drifted, feature, 'likelihood_ratio')!;
      expect(ratio.value).toBeGreaterThan(ratio.threshold!);
      expect(named(drifted, feature, 'psi')!.value).toBeGreaterThan(
        named(steady, feature, 'psi')!.value,
      );
    }
    expect(named(drifted, 'amount', 'wasserstein')!.value).toBeCloseTo(2, 0);
    expect(named(drifted, 'amount', 'kolmogorov_smirnov')!.value).toBeGreaterThan(0.5);
  });

  it('shows a small shift in one direction by its trend, before the likelihood ratio shows it', () => {
    const shifted = syntheticWindows({
      seed: 4,
      windows: 41,
      records: 300,
      recordOf: (random, window) => ({
        features: { amount: random.normal() + (window < 40 ? 0 : 0.28) },
        prediction: random.uniform() < 0.5 ? 'up' : 'down',
      }),
    });
    const metrics = metricsAfter(shifted.slice(0, 40), shifted[40]!);
    const bins = named(metrics, 'amount', 'likelihood_ratio')!;
    const trend = named(metrics, 'amount', 'likelihood_ratio_trend')!;
    expect(bins.value).toBeLessThan(bins.threshold!);
    expect(trend.value).toBeGreaterThan(trend.threshold!);
    expect(foldAll(shifted).events).toMatchObject([
      {
        metric: 'likelihood_ratio_trend',
        value: trend.value,
        threshold: trend.threshold,
        pValue: trend.pValue,
      },
    ]);
  });

  it('gives distances a threshold and a p-value, at a level that all variables of a kind share', () => {
    const distances = [
      'psi',
      'jensen_shannon',
      'chi_squared',
      'l_infinity',
      'kolmogorov_smirnov',
      'wasserstein',
    ];
    for (const metrics of [steady, drifted]) {
      const ofFeatures = metrics.filter(
        ({ kind, metric }) => kind === 'feature' && distances.includes(metric),
      );
      expect(ofFeatures).toHaveLength(8);
      for (const { value, threshold, pValue } of ofFeatures) {
        expect(value > threshold!).toBe(metrics === drifted);
        expect(pValue! < context.detection.falseAlarmsPerThousandWindows / 1000 / 2).toBe(
          metrics === drifted,
        );
      }
    }
    const { threshold } = named(steady, 'city', 'chi_squared')!;
    expectClose(
      chiSquaredSurvival(threshold!, 1),
      context.detection.falseAlarmsPerThousandWindows / 1000 / 2,
    );
  });

  it('returns no threshold and no p-value for a distance that cannot vary', () => {
    const constant = syntheticWindows({
      seed: 3,
      windows: 12,
      records: 100,
      recordOf: random => ({
        features: { number: 7, city: 'Rome' },
        prediction: random.uniform() < 0.5 ? 'up' : 'down',
      }),
    });
    const metrics = metricsAfter(constant.slice(0, 11), constant[11]!);
    const ofConstants = metrics.filter(({ kind, pValue }) => kind === 'feature' && pValue === null);
    expect(
      ofConstants.map(({ feature, metric, threshold }) => [feature, metric, threshold]),
    ).toEqual([
      ['city', 'psi', null],
      ['city', 'jensen_shannon', null],
      ['city', 'chi_squared', null],
      ['city', 'l_infinity', null],
      ['number', 'psi', null],
      ['number', 'jensen_shannon', null],
    ]);
    expect(named(metrics, 'number', 'wasserstein')).toBeUndefined();
  });

  it('returns the number of records of each metric', () => {
    for (const { kind, metric, records, scale } of steady) {
      if (kind !== 'performance' && metric.endsWith('_rate')) expect(records).toBe(300 * scale);
      if (metric === 'likelihood_ratio') expect(records).toBeLessThanOrEqual(300 * scale);
    }
    expect(named(steady, 'amount', 'psi')).toMatchObject({
      records: 300,
      referenceRecords: 3000,
      reference: 'bootstrap',
    });
  });

  it('returns nothing while the reference is gathered, or for windows that are too small', () => {
    expect(metricsOf(5)).toEqual([]);
    const [small] = syntheticWindows({ seed: 2, windows: 1, records: 10, recordOf });
    expect(metricsAfter(windows.slice(0, 39), small!)).toEqual([]);
  });
});
