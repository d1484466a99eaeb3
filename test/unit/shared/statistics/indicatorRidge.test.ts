import { describe, expect, it } from 'vitest';
import { indicatorRidge } from '../../../../services/shared/statistics/indicatorRidge.ts';
import { expectClose } from './fixtures.ts';
import cases from './indicatorRidge.json' with { type: 'json' };

const indicatorsOf = ({ columns, perRecord, columnCount }: (typeof cases)[number]) => ({
  columns: Uint16Array.from(columns),
  perRecord,
  columnCount,
});

describe('indicatorRidge', () => {
  it("has scikit-learn's coefficients, and explains as much of records left out", () => {
    for (const one of cases) {
      for (const { ridge, coefficients, explained } of one.fits) {
        const fit = indicatorRidge(indicatorsOf(one), Float64Array.from(one.values), ridge);
        expect(fit.coefficients).toHaveLength(coefficients.length);
        for (const [column, value] of fit.coefficients.entries())
          expect(value).toBeCloseTo(coefficients[column]!, 9);
        expectClose(fit.explained, explained, 1e-9);
      }
    }
  });

  it('has no explained share if the values do not vary', () => {
    const [one] = cases;
    expect(
      indicatorRidge(indicatorsOf(one!), new Float64Array(one!.values.length).fill(7), 1).explained,
    ).toBeNaN();
  });
});
