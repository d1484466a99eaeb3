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

  it('is 1 at and below 0, and falls with x without a step where the series meets the fraction', () => {
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

  it('is 0 at and below 0, and the chi-squared one where the denominator is known for sure', () => {
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

  it('is |z| where there is no spread', () => {
    expect(foldedNormalMean(-2, 0)).toBe(2);
    expect(foldedNormalMean(2, 1e-9)).toBe(2);
  });
});

describe('bisect', () => {
  it('closes in from above on where the condition ends', () => {
    expect(bisect(x => x < 0.3, 0, 1, 0)).toBe(1);
    expect(bisect(x => x < 0.3, 0, 1, 2)).toBe(0.5);
    expectClose(
      bisect(x => x < 0.3, 0, 1, 60),
      0.3,
      1e-15,
    );
    expect(bisect(() => true, 0, 1, 60)).toBe(1);
  });
});
