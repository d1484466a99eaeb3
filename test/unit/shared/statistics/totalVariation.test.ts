import { describe, expect, it } from 'vitest';
import { totalVariation } from '../../../../services/shared/statistics/totalVariation.ts';

describe('totalVariation', () => {
  it.each([
    [[50, 50], [60, 40], 0.1],
    [[1, 2, 1], [10, 20, 10], 0],
    [[3, 0], [0, 7], 1],
    [[0, 0], [1, 1], 0],
  ])('of %j and %j is %d', (reference, recent, distance) => {
    expect(totalVariation(reference, recent)).toBeCloseTo(distance, 12);
  });
});
