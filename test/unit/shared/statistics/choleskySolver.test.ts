import fc from 'fast-check';
import { expect, it } from 'vitest';
import { choleskySolver } from '../../../../services/shared/statistics/choleskySolver.ts';

it('solves A x = b', () => {
  const sized = fc.integer({ min: 1, max: 8 }).chain(size => {
    const row = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: size, maxLength: size });
    return fc.record({
      size: fc.constant(size),
      roots: fc.array(row, { minLength: size, maxLength: size }),
      right: row,
    });
  });
  fc.assert(
    fc.property(sized, ({ size, roots, right }) => {
      // R Rᵀ + I is positive definite for any R.
      const matrix = roots.map((one, row) =>
        roots.map((other, column) =>
          one.reduce((sum, value, k) => sum + value * other[k]!, Number(row === column)),
        ),
      );
      const solution = choleskySolver(Float64Array.from(matrix.flat()), size)(right);
      for (const [row, coefficients] of matrix.entries())
        expect(coefficients.reduce((sum, value, k) => sum + value * solution[k]!, 0)).toBeCloseTo(
          right[row]!,
          6,
        );
    }),
  );
});
