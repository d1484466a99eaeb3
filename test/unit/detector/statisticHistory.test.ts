import { describe, expect, it } from 'vitest';
import {
  noHistory,
  type StatisticHistory,
  withMeasurement,
} from '../../../services/detector/significance/statisticHistory.ts';
import { randomness } from './syntheticStream.ts';

const degreesOfFreedom = 6;

/** Returns the history of a statistic that is chi-squared times the dispersion. */
function drawn(blocks: number, dispersion: number, scale = 1): StatisticHistory {
  const { normal } = randomness(blocks);
  let history = noHistory;
  for (let block = 0; block < blocks; block++) {
    let statistic = 0;
    for (let degree = 0; degree < degreesOfFreedom; degree++)
      statistic += dispersion * normal() ** 2;
    history = withMeasurement(history, { statistic, degreesOfFreedom, size: 50 }, scale);
  }
  return history;
}

describe('withMeasurement', () => {
  it('learns the mean and the spread of the statistic per degree of freedom', () => {
    const { blocks, sum, squareSum, sizeSum } = drawn(300, 3);
    expect(blocks).toBe(300);
    expect(sizeSum).toBe(300 * 50);
    expect(sum / blocks).toBeGreaterThan(2.6);
    expect(sum / blocks).toBeLessThan(3.4);
    // The squared coefficient of variation of a chi-squared is 2 / degrees of freedom.
    const mean = sum / blocks;
    expect((squareSum / blocks / mean ** 2 - 1) * degreesOfFreedom).toBeCloseTo(2, 0);
  });

  it('gathers odds for sampling noise if the stream has no other variation, and against it if it has more', () => {
    expect(drawn(200, 1).noiseLogOdds).toBeGreaterThan(10);
    expect(drawn(200, 4).noiseLogOdds).toBeLessThan(-10);
  });

  it('does not take falling values as evidence against sampling noise', () => {
    const great = { statistic: 40, degreesOfFreedom: 1, size: 50 };
    const learned = (measured: typeof great & { fell: boolean }) => {
      let history = noHistory;
      for (let block = 0; block < 40; block++) history = withMeasurement(history, measured, 1);
      return history;
    };
    const fallen = learned({ ...great, fell: true });
    expect(fallen.noiseLogOdds).toBeGreaterThan(10);
    expect(fallen.noiseSum).toBeLessThanOrEqual(fallen.noiseDegrees);
    expect(learned({ ...great, fell: false }).noiseLogOdds).toBeLessThan(-10);
  });

  it('expects of a limited statistic what a limited chi-squared variable is on average', () => {
    // scipy.stats.chi2(d).expect(lambda x: min(x, 3 * d))
    for (const [degrees, expected] of [
      [1, 0.8581684],
      [6, 5.984821],
    ] as const) {
      const measured = { statistic: 1, degreesOfFreedom: degrees, size: 50 };
      expect(withMeasurement(noHistory, measured, 1).noiseDegrees).toBeCloseTo(expected, 5);
    }
  });

  it('gives the overlapping blocks of a large scale less weight in the odds', () => {
    expect(drawn(60, 4, 8).noiseLogOdds).toBeCloseTo(drawn(60, 4, 1).noiseLogOdds / 8, 10);
    expect(drawn(60, 4, 8).noiseDegrees).toBeCloseTo(drawn(60, 4, 1).noiseDegrees / 8, 10);
  });

  it('limits the influence of one block, however extreme it is', () => {
    const before = drawn(50, 1);
    const monstrous = { statistic: 1e12, degreesOfFreedom, size: 50 };
    const after = withMeasurement(before, monstrous, 1);
    expect(after.sum - before.sum).toBeLessThan(20);
    expect(after.noiseSum - before.noiseSum).toBeLessThanOrEqual(3 * degreesOfFreedom);
    expect(after.noiseLogOdds).toBeGreaterThan(before.noiseLogOdds - 2);
  });

  it('forgets old blocks, so that in the end only the present stream counts', () => {
    let history = drawn(1000, 1);
    expect(history.blocks).toBeCloseTo(400);
    const other = { statistic: 5 * degreesOfFreedom, degreesOfFreedom, size: 50 };
    for (let block = 0; block < 2000; block++) history = withMeasurement(history, other, 1);
    expect(history.sum / history.blocks).toBeCloseTo(5, 1);
    expect(history.noiseLogOdds).toBeLessThan(-10);
  });
});
