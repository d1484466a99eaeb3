import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isotonicRegression } from '../../../../services/shared/statistics/isotonicRegression.ts';
import { expectClose } from './fixtures.ts';
import cases from './isotonic.json' with { type: 'json' };

describe('isotonicRegression', () => {
  it("gives scikit-learn's values", () => {
    for (const { values, weights, fitted } of cases) {
      const found = isotonicRegression(values, weights);
      expect(found).toHaveLength(fitted.length);
      for (const [index, value] of found.entries()) expectClose(value, fitted[index]!, 1e-12);
    }
  });

  it('never falls, and keeps the weighted sum', () => {
    const points = fc.array(
      fc.tuple(fc.integer({ min: -50, max: 50 }), fc.integer({ min: 1, max: 9 })),
      {
        minLength: 1,
      },
    );
    const sum = (values: readonly number[], weights: readonly number[]) =>
      values.reduce((total, value, index) => total + value * weights[index]!, 0);
    fc.assert(
      fc.property(points, drawn => {
        const values = drawn.map(([value]) => value);
        const weights = drawn.map(([, weight]) => weight);
        const found = isotonicRegression(values, weights);
        for (let index = 1; index < found.length; index++)
          expect(found[index]!).toBeGreaterThanOrEqual(found[index - 1]!);
        expect(sum(found, weights)).toBeCloseTo(sum(values, weights), 6);
      }),
    );
  });
});
