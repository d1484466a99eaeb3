import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { benjaminiHochberg } from '../../../../services/shared/statistics/benjaminiHochberg.ts';
import { expectClose, scipy } from './fixtures.ts';

const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
  minLength: 1,
  maxLength: 50,
});

describe('benjaminiHochberg', () => {
  it.each(scipy.benjaminiHochberg)('equals SciPy for p-values %#', (input, expected) => {
    for (const [index, adjusted] of benjaminiHochberg(input!).entries())
      expectClose(adjusted, expected![index]!);
  });

  it('never makes a p-value smaller, nor larger than Bonferroni does, and keeps their order', () => {
    fc.assert(
      fc.property(pValues, input => {
        const adjusted = benjaminiHochberg(input);
        input.forEach((pValue, index) => {
          expect(adjusted[index]).toBeGreaterThanOrEqual(pValue);
          expect(adjusted[index]).toBeLessThanOrEqual(Math.min(1, pValue * input.length));
          expect(
            input.every((other, at) => other > pValue || adjusted[at]! <= adjusted[index]!),
          ).toBe(true);
        });
      }),
    );
    expect(benjaminiHochberg([])).toEqual([]);
  });

  it("has Simes' combined p-value as its smallest", () => {
    fc.assert(
      fc.property(pValues, input => {
        const sorted = input.toSorted((left, right) => left - right);
        const simes = Math.min(
          1,
          ...sorted.map((pValue, index) => pValue * (sorted.length / (index + 1))),
        );
        expect(Math.min(...benjaminiHochberg(input))).toBe(simes);
      }),
    );
    expect(Math.min(...benjaminiHochberg([0.01, 0.02, 0.9]))).toBe(0.03);
  });
});
