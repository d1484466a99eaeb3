import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bisect } from '../../../../services/shared/statistics/bisect.ts';
import { fallingRoot } from '../../../../services/shared/statistics/fallingRoot.ts';

const falling: Record<string, (root: number) => (x: number) => number> = {
  'a line': root => x => root - x,
  'a convex curve': root => x => Math.exp(-x) - Math.exp(-root),
  'a concave curve': root => x => root ** 3 - x ** 3,
  'a curve that is nearly flat': root => x => Math.tanh(1e-6 * (root - x)),
  'a step': root => x => (x < root ? 1 : -1),
  'a step to -Infinity': root => x => (x < root ? 1 : Number.NEGATIVE_INFINITY),
};

describe('fallingRoot', () => {
  it.each(Object.entries(falling))('finds where %s passes 0, as bisect does', (_, curveOf) => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 30, noNaN: true }), root => {
        const curve = curveOf(root);
        const found = fallingRoot(curve, 0, 32);
        const expected = bisect(x => curve(x) > 0, 0, 32);
        expect(Math.abs(found - expected)).toBeLessThanOrEqual(2e-12 * expected);
        expect(curve(found)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('evaluates a smooth function seldom', () => {
    let evaluations = 0;
    fallingRoot(
      x => {
        evaluations++;
        return -x - Math.log1p(x) + 14;
      },
      8,
      16,
    );
    expect(evaluations).toBeLessThanOrEqual(12);
  });

  it('returns the upper end where nothing before it is at most 0', () => {
    expect(fallingRoot(x => (x < 4 ? 1 : 0), 2, 4)).toBe(4);
  });
});
