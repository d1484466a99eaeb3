import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bisect } from '../../../../services/shared/statistics/bisect.ts';
import {
  chiSquaredSurvival,
  logChiSquaredSurvival,
} from '../../../../services/shared/statistics/chiSquaredSurvival.ts';
import { chiSquaredThreshold } from '../../../../services/shared/statistics/chiSquaredThreshold.ts';
import { logFisherSurvival } from '../../../../services/shared/statistics/fisherSurvival.ts';
import { foldedNormalMean } from '../../../../services/shared/statistics/foldedNormalMean.ts';
import {
  kolmogorovSurvival,
  kolmogorovThreshold,
} from '../../../../services/shared/statistics/kolmogorovSurvival.ts';
import {
  logNormalSurvival,
  normalSurvival,
} from '../../../../services/shared/statistics/normalSurvival.ts';
import { expectClose, scipy } from './fixtures.ts';

describe('chiSquaredSurvival', () => {
  it.each(scipy.chiSquaredSurvival)(
    'x = %d, %d degrees of freedom',
    (x, degreesOfFreedom, expected) => {
      expectClose(chiSquaredSurvival(x!, degreesOfFreedom!), expected!);
    },
  );

  it.each(scipy.logChiSquaredSurvival)(
    'logarithm: x = %d, %d degrees of freedom',
    (x, degreesOfFreedom, expected) => {
      expectClose(logChiSquaredSurvival(x!, degreesOfFreedom!), expected!, 1e-11);
    },
  );

  it('is 1 at and below 0, and falls smoothly where the series changes to the continued fraction', () => {
    expect(chiSquaredSurvival(0, 3)).toBe(1);
    expect(chiSquaredSurvival(-1, 3)).toBe(1);
    for (const degreesOfFreedom of [1, 2, 10, 100]) {
      const meeting = degreesOfFreedom + 2;
      const [before, after] = [meeting - 1e-9, meeting + 1e-9].map(x =>
        chiSquaredSurvival(x, degreesOfFreedom),
      );
      expect(before).toBeGreaterThan(after!);
      expectClose(after!, before!, 1e-8);
    }
  });
});

describe('chiSquaredThreshold', () => {
  it.each(scipy.chiSquaredThreshold)(
    '%d degrees of freedom, level %d',
    (degreesOfFreedom, level, expected) => {
      expectClose(chiSquaredThreshold(degreesOfFreedom!, level!), expected!);
    },
  );
});

describe('normalSurvival', () => {
  it.each(scipy.normalSurvival)('z = %d', (z, expected) =>
    expectClose(normalSurvival(z!), expected!),
  );
  it.each(scipy.logNormalSurvival)('logarithm: z = %d', (z, expected) =>
    expectClose(logNormalSurvival(z!), expected!),
  );
});

describe('logFisherSurvival', () => {
  it.each(scipy.logFisherSurvival)(
    'x = %d, %d and %d degrees of freedom',
    (x, numerator, denominator, expected) => {
      expectClose(logFisherSurvival(x!, numerator!, denominator!), expected!, 1e-9);
    },
  );

  it('is 0 at and below 0, and that of chi-squared where the denominator has many degrees of freedom', () => {
    expect(logFisherSurvival(0, 3, 5)).toBe(0);
    expectClose(logFisherSurvival(4, 9, 1e9), logChiSquaredSurvival(36, 9), 1e-6);
  });
});

describe('kolmogorovSurvival', () => {
  it.each(scipy.kolmogorovSurvival)('t = %d', (t, expected) =>
    expectClose(kolmogorovSurvival(t!), expected!),
  );

  it('is 1 at 0', () => {
    expect(kolmogorovSurvival(0)).toBe(1);
    expect(kolmogorovSurvival(1e-9)).toBe(1);
  });
});

describe('kolmogorovThreshold', () => {
  it.each(scipy.kolmogorovThreshold)('level %d', (level, expected) => {
    expectClose(kolmogorovThreshold(level!), expected!);
  });
});

describe('foldedNormalMean', () => {
  it.each(scipy.foldedNormalMean)('z = %d, r = %d', (z, r, expected) => {
    expectClose(foldedNormalMean(z!, r!), expected!);
  });

  it('equals |z| if the spread is 0', () => {
    expect(foldedNormalMean(-2, 0)).toBe(2);
    expect(foldedNormalMean(2, 1e-9)).toBe(2);
  });
});

describe('bisect', () => {
  const exponent = fc.integer({ min: -300, max: 300 });

  it('finds the end of the condition to a relative 1e-12, from above, for an end of any size', () => {
    fc.assert(
      fc.property(exponent, fc.double({ min: 1, max: 2, noNaN: true }), (power, mantissa) => {
        const end = mantissa * 2 ** power;
        const found = bisect(x => x < end, 0, 2 ** (power + 3));
        expect(found).toBeGreaterThanOrEqual(end);
        expect(found).toBeLessThanOrEqual(end * (1 + 1e-12));
      }),
    );
    expect(bisect(x => x < 5e-324, 0, 1)).toBe(5e-324);
  });

  it('takes about 41 steps if the end is of the order of the interval', () => {
    let steps = 0;
    const found = bisect(
      x => {
        steps += 1;
        return x < 0.7;
      },
      0,
      1,
    );
    expectClose(found, 0.7, 1e-12);
    expect(steps).toBeLessThanOrEqual(43);
  });

  it('returns an end of the interval where the condition holds everywhere or nowhere', () => {
    expect(bisect(() => true, 0, 1)).toBe(1);
    expect(bisect(() => false, 0, 1)).toBe(0);
    expect(bisect(() => true, 1, 1)).toBe(1);
    expect(bisect(() => true, 0, Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY);
    expect(bisect(() => true, Number.NaN, 1)).toBe(1);
    expectClose(
      bisect(x => x < -3, -5, -1),
      -3,
      1e-12,
    );
  });
});
