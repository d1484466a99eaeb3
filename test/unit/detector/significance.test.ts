import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scales } from '../../../services/detector/reference/comparison.ts';
import { judge, type NullModel } from '../../../services/detector/significance/nullModel.ts';
import {
  type Measurement,
  noHistory,
  type StatisticHistory,
  withMeasurement,
} from '../../../services/detector/significance/statisticHistory.ts';
import {
  maxStatistic,
  statisticThreshold,
} from '../../../services/detector/significance/statisticThreshold.ts';
import { chiSquaredSurvival } from '../../../services/shared/statistics/chiSquaredSurvival.ts';
import { logFisherSurvival } from '../../../services/shared/statistics/fisherSurvival.ts';

const degreesOfFreedom = 9;
const measured = (statistic: number): Measurement => ({ statistic, degreesOfFreedom, size: 100 });
const historyOf = (statistics: readonly number[], scale: number): StatisticHistory =>
  statistics.reduce(
    (history, statistic) => withMeasurement(history, measured(statistic), scale),
    noHistory,
  );
/** Returns the significance of a history with one measurement of each statistic per scale. */
const significanceOf = (statistics: readonly number[], noiseWeight: number): NullModel => ({
  history: scales.map(scale => historyOf(statistics, scale)),
  noiseWeight,
  priorDispersion: 1,
});
const wandering = Array.from({ length: 60 }, (_, block) => degreesOfFreedom * (5 + (block % 11)));
const noisy = Array.from({ length: 60 }, (_, block) => 4 + (block % 11));

describe('judge', () => {
  it('judges a likelihood ratio as chi-squared while there is no history', () => {
    const nothing: NullModel = { history: [], noiseWeight: 1, priorDispersion: 1 };
    for (const statistic of [0, 3, 20, 80]) {
      const { pValue, overdispersion } = judge(nothing, measured(statistic), 1, false);
      expect(pValue).toBeCloseTo(chiSquaredSurvival(statistic, degreesOfFreedom), 12);
      expect(overdispersion).toBe(1);
    }
  });

  it('divides by the dispersion of the history if the stream is sampling noise', () => {
    const statistics = noisy.map(statistic => 2 * statistic);
    const significance = significanceOf(statistics, 1);
    const { noiseSum, noiseDegrees } = significance.history[0]!;
    const dispersion = (noiseSum + 20 * degreesOfFreedom) / (noiseDegrees + 20 * degreesOfFreedom);
    expect(dispersion).toBeGreaterThan(1.3);
    const judgement = judge(significance, measured(40), 1, true);
    expect(judgement.overdispersion).toBeCloseTo(dispersion, 12);
    expect(judgement.pValue).toBeCloseTo(chiSquaredSurvival(40 / dispersion, degreesOfFreedom), 12);
  });

  it('accepts the usual variation of an ordered stream, and rejects a multiple of it', () => {
    const ordinary = judge(significanceOf(wandering, 0), measured(10 * degreesOfFreedom), 1, true);
    expect(ordinary.pValue).toBeGreaterThan(0.1);
    expect(
      judge(significanceOf(wandering, 1), measured(10 * degreesOfFreedom), 1, true).pValue,
    ).toBeLessThan(1e-4);
    expect(
      judge(significanceOf(wandering, 0), measured(100 * degreesOfFreedom), 1, true).pValue,
    ).toBeLessThan(1e-4);
  });

  it('gives a smaller p-value after a long history than after a short one', () => {
    const pValueAfter = (blocks: number) =>
      judge(significanceOf(wandering.slice(0, blocks), 0), measured(60 * degreesOfFreedom), 1, true)
        .pValue;
    expect(pValueAfter(55)).toBeLessThan(pValueAfter(11));
    // With fewer than eight blocks an ordered stream cannot alarm, because nothing is known about
    // its variation.
    expect(pValueAfter(7)).toBe(1);
  });

  it('uses the F distribution if the stream is ordered and all blocks were alike', () => {
    const significance = significanceOf(new Array<number>(40).fill(4 * degreesOfFreedom), 0);
    const dispersion = (4 * 40 + 2) / (40 + 2);
    const { pValue, overdispersion } = judge(
      significance,
      measured(12 * degreesOfFreedom),
      1,
      true,
    );
    expect(overdispersion).toBeCloseTo(dispersion, 12);
    const suggested =
      (dispersion ** 2 * degreesOfFreedom) / (1 + (dispersion - 1) ** 2 * degreesOfFreedom);
    const shape = 2 / ((10 * 2) / suggested / 50);
    expect(pValue).toBeCloseTo(Math.exp(logFisherSurvival(12 / dispersion, shape, shape * 42)), 6);
  });

  it('returns p = 1 without degrees of freedom', () => {
    const nothing = { statistic: 0, degreesOfFreedom: 0, size: 100 };
    expect(judge(significanceOf(noisy, 0.5), nothing, 1, true)).toEqual({
      pValue: 1,
      logPValue: 0,
      overdispersion: 1,
    });
  });

  const statistics = fc.array(fc.double({ min: 0, max: 1e4, noNaN: true }), { maxLength: 40 });
  const weight = fc.double({ min: 0, max: 1, noNaN: true });
  const scale = fc.constantFrom(...scales);

  it('gives a p-value that falls as the statistic rises, for any history', () => {
    const statistic = fc.double({ min: 0, max: 1e5, noNaN: true });
    fc.assert(
      fc.property(
        statistics,
        weight,
        scale,
        statistic,
        statistic,
        fc.boolean(),
        (past, noise, at, one, other, own) => {
          const significance = significanceOf(past, noise);
          const lower = judge(significance, measured(Math.min(one, other)), at, own);
          const higher = judge(significance, measured(Math.max(one, other)), at, own);
          for (const { logPValue, overdispersion } of [lower, higher]) {
            expect(logPValue).toBeLessThanOrEqual(0);
            expect(overdispersion).toBeGreaterThanOrEqual(1);
          }
          expect(higher.logPValue).toBeLessThanOrEqual(lower.logPValue + 1e-9);
        },
      ),
    );
  });

  it('is inverted by statisticThreshold', () => {
    const level = fc.double({ min: 1e-9, max: 0.1, noNaN: true });
    fc.assert(
      fc.property(statistics, weight, scale, level, (past, noise, at, alpha) => {
        const judgementOf = (statistic: number) =>
          judge(significanceOf(past, noise), measured(statistic), at, true);
        const threshold = statisticThreshold(judgementOf, alpha);
        if (threshold === Number.POSITIVE_INFINITY) {
          expect(judgementOf(maxStatistic).pValue).toBeGreaterThan(alpha);
          return;
        }
        expect(judgementOf(threshold).pValue).toBeLessThanOrEqual(alpha * (1 + 1e-6));
        expect(judgementOf(threshold * (1 - 1e-6)).pValue).toBeGreaterThan(alpha * (1 - 1e-6));
      }),
      { numRuns: 30 },
    );
  });
});
