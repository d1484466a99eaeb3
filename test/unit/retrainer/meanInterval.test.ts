import { describe, expect, it } from 'vitest';
import { meanInterval } from '../../../services/retrainer/gates/meanInterval.ts';
import { studentQuantile } from '../../../services/shared/statistics/studentQuantile.ts';

describe('studentQuantile', () => {
  it.each([
    // scipy.stats.t.ppf
    [0.975, 9, 2.2621571628540993, 1e-3],
    [0.975, 24, 2.0638985616280205, 1e-4],
    [0.975, 1e6, 1.9599663, 1e-6],
    [0.995, 9, 3.2498355440153697, 3e-3],
    [0.995, 24, 2.796939504772804, 1e-4],
    [0.9995, 9, 4.780912585926768, 2e-2],
    [0.9995, 24, 3.745398619286806, 1e-3],
  ])(
    'of %d with %d degrees of freedom is %d',
    (probability, degreesOfFreedom, expected, tolerance) => {
      expect(Math.abs(studentQuantile(probability, degreesOfFreedom) / expected - 1)).toBeLessThan(
        tolerance,
      );
    },
  );
});

describe('meanInterval', () => {
  it('has no width for constant values', () => {
    expect(meanInterval(Array(200).fill(0.25), 0.95)).toEqual({
      mean: 0.25,
      low: 0.25,
      high: 0.25,
      blocks: 25,
    });
  });

  it('equals the interval of independent values if each block has one value', () => {
    const values = Array.from({ length: 25 * 8 }, (_, index) => Math.floor(index / 8) - 12);
    const { mean, low, high } = meanInterval(values, 0.95);
    expect(mean).toBe(0);
    // Variance of 0 … 24 is 54.1667; 2.0639 standard errors of the mean of 25.
    expect(high).toBeCloseTo(2.0639 * Math.sqrt(54.1667 / 25), 2);
    expect(low).toBeCloseTo(-high, 10);
  });

  it('is wider if neighbouring values are similar', () => {
    const values = Array.from({ length: 1000 }, (_, index) => (index % 2 === 0 ? 1 : -1));
    const alike = values
      .toSorted((a, b) => a - b)
      .flatMap((value, index, all) => (index < 500 ? [value, all[999 - index]!] : []));
    const runs = Array.from({ length: 1000 }, (_, index) =>
      Math.floor(index / 100) % 2 === 0 ? 1 : -1,
    );
    expect(meanInterval(runs, 0.95).high).toBeGreaterThan(3 * meanInterval(alike, 0.95).high);
  });
});
