import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chiSquared } from '../../../../services/shared/statistics/chiSquared.ts';
import { kolmogorovSmirnov } from '../../../../services/shared/statistics/kolmogorovSmirnov.ts';
import { standardDeviation } from '../../../../services/shared/statistics/standardDeviation.ts';
import { wassersteinDistance } from '../../../../services/shared/statistics/wassersteinDistance.ts';
import { wassersteinSignificance } from '../../../../services/shared/statistics/wassersteinSignificance.ts';
import { distributions, draw, seededRandom } from '../profile/distributions.ts';
import { histogramOf } from '../profile/profileOf.ts';
import { expectAgreement, expectClose, scipy } from './fixtures.ts';

const histogram = fc
  .tuple(
    fc.constantFrom(...Object.keys(distributions)),
    fc.integer(),
    fc.integer({ min: 1, max: 2000 }),
  )
  .map(([name, seed, count]) => histogramOf(draw(name, seed, count)));
const anyHistogram = fc.oneof(histogram, fc.array(fc.double()).map(histogramOf));
const empty = histogramOf([]);

describe('against SciPy, on integers', () => {
  it.each(scipy.samples)('sample %#', sample => {
    const [reference, recent] = [histogramOf(sample.reference), histogramOf(sample.recent)];
    const { statistic, significance: ofStatistic } = kolmogorovSmirnov(reference, recent);
    expectClose(statistic, sample.ks);
    expectClose(ofStatistic!.pValue, sample.ksPValue);
    const { distance, normalized, significance } = wassersteinDistance(reference, recent);
    expectClose(distance, sample.wasserstein);
    expectClose(standardDeviation(reference), sample.standardDeviation);
    if (sample.standardDeviation > 0)
      expectClose(normalized, sample.wasserstein / sample.standardDeviation);
    else expect(normalized).toBeNull();
    if (!sample.wassersteinSignificance) return expect(significance).toBeNull();
    expectClose(significance!.pValue, sample.wassersteinSignificance[0]!);
    expectClose(significance!.thresholdAt(1e-4), sample.wassersteinSignificance[1]!);
  });
});

describe('kolmogorovSmirnov', () => {
  it('is in [0, 1], symmetric, and 0 for a sample and itself', () => {
    fc.assert(
      fc.property(anyHistogram, anyHistogram, (left, right) => {
        const { statistic } = kolmogorovSmirnov(left, right);
        expect(statistic).toBeGreaterThanOrEqual(0);
        expect(statistic).toBeLessThanOrEqual(1);
        expect(kolmogorovSmirnov(right, left).statistic).toBe(statistic);
        expect(kolmogorovSmirnov(left, left).statistic).toBe(0);
      }),
    );
  });

  it('is too small by at most the share of the fullest bucket', () => {
    const [reference, recent] = [
      draw('normal', 1, 4000),
      draw('normal', 2, 3000).map(value => value * 1.1 + 0.1),
    ];
    const exact = exactKolmogorovSmirnov(reference, recent);
    const { statistic } = kolmogorovSmirnov(histogramOf(reference), histogramOf(recent));
    expect(statistic).toBeLessThanOrEqual(exact + 1e-12);
    expect(statistic).toBeGreaterThan(exact - 0.03);
  });

  it('is 1 for samples that do not overlap, and 0 if a sample is empty', () => {
    expect(kolmogorovSmirnov(histogramOf([1, 2]), histogramOf([3])).statistic).toBe(1);
    expect(kolmogorovSmirnov(empty, histogramOf([3]))).toEqual({
      statistic: 0,
      significance: null,
    });
  });
});

describe('wassersteinDistance', () => {
  it('is at least 0, symmetric, and 0 for a sample and itself', () => {
    fc.assert(
      fc.property(anyHistogram, anyHistogram, (left, right) => {
        const { distance, normalized } = wassersteinDistance(left, right);
        expect(distance).toBeGreaterThanOrEqual(0);
        expect(distance).toBeLessThanOrEqual(Number.MAX_VALUE);
        if (normalized !== null) expect(normalized).toBeLessThanOrEqual(Number.MAX_VALUE);
        expect(wassersteinDistance(right, left).distance).toBe(distance);
        expect(wassersteinDistance(left, left).distance).toBe(0);
      }),
    );
  });

  it('is exact for constants, and close for a continuous feature', () => {
    expect(wassersteinDistance(histogramOf([0.1, 0.1]), histogramOf([0.3])).distance).toBe(
      0.3 - 0.1,
    );
    const values = draw('normal', 5, 5000);
    const { distance } = wassersteinDistance(
      histogramOf(values),
      histogramOf(values.map(value => value + 0.5)),
    );
    expect(Math.abs(distance - 0.5)).toBeLessThan(0.01);
  });

  it('is 0 if a sample is empty', () => {
    expect(wassersteinDistance(empty, histogramOf([3]))).toEqual({
      distance: 0,
      normalized: null,
      significance: null,
    });
    expect(wassersteinDistance(histogramOf([1, 2]), empty).distance).toBe(0);
  });
});

describe('significance of kolmogorovSmirnov and wassersteinDistance', () => {
  const level = fc.double({ min: 1e-9, max: 0.2, noNaN: true });

  it('is a p-value below the level exactly where the distance is above the threshold, for any numbers', () => {
    fc.assert(
      fc.property(anyHistogram, anyHistogram, level, (left, right, at) => {
        const { statistic, significance } = kolmogorovSmirnov(left, right);
        expectAgreement(statistic, significance, at);
        const wasserstein = wassersteinDistance(left, right);
        expectAgreement(wasserstein.normalized!, wasserstein.significance, at);
      }),
    );
  });

  it('has the level as the p-value of its threshold', () => {
    const spread = { effectiveCount: 150, deviation: 2, rootIntegral: 3.2 };
    const threshold = wassersteinSignificance(0, spread)!.thresholdAt(1e-3);
    expectClose(wassersteinSignificance(threshold, spread)!.pValue, 1e-3);
  });

  it('has the p-value of chi-squared for two values', () => {
    const [reference, recent] = [
      [70, 30],
      [45, 15],
    ].map(([zeros, ones]) => histogramOf([...Array(zeros).fill(0), ...Array(ones).fill(1)]));
    const { pValue } = chiSquared([70, 30], [45, 15]);
    expectClose(wassersteinDistance(reference!, recent!).significance!.pValue, pValue);
  });

  it('does not depend on the unit', () => {
    const [reference, recent] = [draw('lognormal', 1, 500), draw('lognormal', 2, 300)];
    const [small, large] = [2 ** -40, 2 ** 40].map(unit => {
      const [left, right] = [reference, recent].map(values =>
        histogramOf(values.map(value => value * unit)),
      );
      return wassersteinDistance(left!, right!).significance!;
    });
    expectClose(large!.pValue, small!.pValue);
    expectClose(large!.thresholdAt(1e-3), small!.thresholdAt(1e-3));
  });

  it('rejects a true hypothesis with about the probability of the level', () => {
    const random = seededRandom(5);
    for (const drawn of [
      distributions.normal!,
      distributions.lognormal!,
      (next: () => number) => Math.floor(next() * 4),
    ]) {
      const sample = (count: number) =>
        histogramOf(Array.from({ length: count }, () => drawn(random)));
      const significances = Array.from({ length: 1000 }, () => {
        const [reference, recent] = [sample(400), sample(200)];
        return [kolmogorovSmirnov(reference, recent), wassersteinDistance(reference, recent)].map(
          ({ significance }) => significance!.pValue < 0.05,
        );
      });
      const [smirnov, wasserstein] = [0, 1].map(
        index => significances.filter(row => row[index]).length / 1000,
      );
      expect(smirnov).toBeLessThan(0.065);
      expect(wasserstein).toBeGreaterThan(0.035);
      expect(wasserstein).toBeLessThan(0.085);
    }
  });
});

describe('standardDeviation', () => {
  it('is null without numbers', () => {
    expect(standardDeviation(empty)).toBeNull();
  });
});

function exactKolmogorovSmirnov(left: number[], right: number[]): number {
  const shareUpTo = (values: number[], value: number) =>
    values.filter(other => other <= value).length / values.length;
  const points = [...left, ...right].filter((_, index) => index % 3 === 0);
  return Math.max(
    ...points.map(value => Math.abs(shareUpTo(left, value) - shareUpTo(right, value))),
  );
}
