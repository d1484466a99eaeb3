import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kolmogorovSmirnov } from '../../../services/shared/statistics/kolmogorovSmirnov.ts';
import { standardDeviation } from '../../../services/shared/statistics/standardDeviation.ts';
import { wassersteinDistance } from '../../../services/shared/statistics/wassersteinDistance.ts';
import { distributions, draw } from '../profile/distributions.ts';
import { histogramOf } from '../profile/profileOf.ts';
import { expectClose, scipy } from './fixtures.ts';

const histogram = fc
  .tuple(fc.constantFrom(...Object.keys(distributions)), fc.integer(), fc.integer({ min: 1, max: 2000 }))
  .map(([name, seed, count]) => histogramOf(draw(name, seed, count)));
const anyHistogram = fc.oneof(histogram, fc.array(fc.double()).map(histogramOf));
const empty = histogramOf([]);

describe('against SciPy, on integers', () => {
  it.each(scipy.samples)('sample %#', sample => {
    const [reference, recent] = [histogramOf(sample.reference), histogramOf(sample.recent)];
    const { statistic, pValue } = kolmogorovSmirnov(reference, recent);
    expectClose(statistic, sample.ks);
    expectClose(pValue, sample.ksPValue);
    const { distance, normalized } = wassersteinDistance(reference, recent);
    expectClose(distance, sample.wasserstein);
    expectClose(standardDeviation(reference), sample.standardDeviation);
    if (sample.standardDeviation > 0) expectClose(normalized, sample.wasserstein / sample.standardDeviation);
    else expect(normalized).toBeNull();
  });
});

describe('kolmogorovSmirnov', () => {
  it('is in [0, 1], symmetric, and 0 for a sample and itself', () => {
    fc.assert(
      fc.property(anyHistogram, anyHistogram, (left, right) => {
        const { statistic, pValue } = kolmogorovSmirnov(left, right);
        expect(statistic).toBeGreaterThanOrEqual(0);
        expect(statistic).toBeLessThanOrEqual(1);
        expect(pValue).toBeGreaterThanOrEqual(0);
        expect(pValue).toBeLessThanOrEqual(1);
        expect(kolmogorovSmirnov(right, left).statistic).toBe(statistic);
        expect(kolmogorovSmirnov(left, left)).toEqual({ statistic: 0, pValue: 1 });
      }),
    );
  });

  it('misses at most the share of the fullest bucket', () => {
    const [reference, recent] = [draw('normal', 1, 4000), draw('normal', 2, 3000).map(value => value * 1.1 + 0.1)];
    const exact = exactKolmogorovSmirnov(reference, recent);
    const { statistic } = kolmogorovSmirnov(histogramOf(reference), histogramOf(recent));
    expect(statistic).toBeLessThanOrEqual(exact + 1e-12);
    expect(statistic).toBeGreaterThan(exact - 0.03);
  });

  it('is 1 for samples apart, and finds nothing where there is nothing', () => {
    expect(kolmogorovSmirnov(histogramOf([1, 2]), histogramOf([3])).statistic).toBe(1);
    expect(kolmogorovSmirnov(empty, histogramOf([3]))).toEqual({ statistic: 0, pValue: 1 });
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
    expect(wassersteinDistance(histogramOf([0.1, 0.1]), histogramOf([0.3])).distance).toBe(0.3 - 0.1);
    const values = draw('normal', 5, 5000);
    const { distance } = wassersteinDistance(histogramOf(values), histogramOf(values.map(value => value + 0.5)));
    expect(Math.abs(distance - 0.5)).toBeLessThan(0.01);
  });

  it('finds nothing where there is nothing', () => {
    expect(wassersteinDistance(empty, histogramOf([3]))).toEqual({ distance: 0, normalized: null });
    expect(wassersteinDistance(histogramOf([1, 2]), empty).distance).toBe(0);
  });
});

describe('standardDeviation', () => {
  it('is null without numbers', () => {
    expect(standardDeviation(empty)).toBeNull();
  });
});

function exactKolmogorovSmirnov(left: number[], right: number[]): number {
  const shareUpTo = (values: number[], value: number) => values.filter(other => other <= value).length / values.length;
  const points = [...left, ...right].filter((_, index) => index % 3 === 0);
  return Math.max(...points.map(value => Math.abs(shareUpTo(left, value) - shareUpTo(right, value))));
}
