import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binnedCounts } from '../../../../services/shared/bins/binnedCounts.ts';
import { equalMassBins } from '../../../../services/shared/bins/equalMassBins.ts';
import { bucketKey } from '../../../../services/shared/profile/bucketKey.ts';
import type { FeatureValue } from '../../../../services/shared/profile/featureProfile.ts';
import { mergeFeatureProfiles } from '../../../../services/shared/profile/featureProfile.ts';
import { jensenShannonDistance } from '../../../../services/shared/statistics/jensenShannonDistance.ts';
import { populationStabilityIndex } from '../../../../services/shared/statistics/populationStabilityIndex.ts';
import { distributions, draw } from '../profile/distributions.ts';
import { histogramOf, profileOf } from '../profile/profileOf.ts';
import { commonBins } from './commonBins.ts';

const drawn = fc
  .tuple(
    fc.constantFrom(...Object.keys(distributions)),
    fc.integer(),
    fc.integer({ min: 0, max: 2000 }),
  )
  .map(([name, seed, count]): FeatureValue[] => draw(name, seed, count));
const categories = fc.array(fc.nat(400).map(String), { maxLength: 1500, size: 'max' });
const values = fc.oneof(
  drawn,
  categories,
  fc.array(fc.oneof(fc.double(), fc.string(), fc.boolean(), fc.constant(null)), { maxLength: 200 }),
);

function counted(reference: FeatureValue[], recent: FeatureValue[]): [number[], number[]] {
  const [left, right] = [profileOf(reference), profileOf(recent)];
  const bins = commonBins(left, [right]);
  return [binnedCounts(left, bins), binnedCounts(right, bins)];
}

describe('equalMassBins', () => {
  it('puts a tenth of a continuous reference into each bin', () => {
    for (const name of ['normal', 'lognormal', 'cauchy']) {
      const [counts] = counted(draw(name, 3, 10_000), []);
      expect(counts).toHaveLength(10 + 4);
      for (const count of counts!.slice(0, 10)) expect(Math.abs(count - 1000)).toBeLessThan(310);
    }
  });

  it('uses exact quantiles of integers as edges', () => {
    const hundred = histogramOf(Array.from({ length: 100 }, (_, index) => index + 1));
    const expected = [10, 20, 30, 40, 50, 60, 70, 80, 90].map(bucketKey);
    expect(equalMassBins(hundred, 20)).toEqual({
      kind: 'ranges',
      mantissaBits: 20,
      keys: expected,
    });
    expect(equalMassBins(hundred, 20, 2).keys).toEqual([bucketKey(50)]);
  });

  it('gives each of a few values a bin, and counts all others as unseen', () => {
    const [reference, recent] = counted([1, 2, 2, 5], [2, 3, 3, -1, 9]);
    expect(reference).toEqual([1, 2, 1, 0, 0, 0, 0]);
    expect(recent).toEqual([0, 1, 0, 4, 0, 0, 0]);
  });

  it('gives a value with a tenth of the mass a bin of its own, also at the ends', () => {
    const light = Array.from({ length: 60 }, (_, index) => index + 0.5);
    for (const heavy of [-7, 20, 1000]) {
      const reference = [...light, ...new Array<number>(40).fill(heavy)];
      const [, recent] = counted(reference, [heavy, heavy, heavy, heavy - 0.25, heavy + 0.25]);
      expect(recent!.filter(count => count > 0).sort()).toEqual([1, 1, 3]);
    }
  });

  it('makes no more than twice the requested number of bins', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(25), { minLength: 1, maxLength: 300, size: 'max' }),
        fc.integer({ min: 1, max: 12 }),
        (numbers, count) => {
          const { keys } = equalMassBins(histogramOf(numbers), 20, count);
          expect(keys.length + 1).toBeLessThanOrEqual(2 * count);
          expect(keys).toEqual([...new Set(keys)].sort((left, right) => left - right));
        },
      ),
    );
  });
});

describe('frequentCategoryBins', () => {
  it('gives each frequent value a bin, the rare ones one bin, and the unseen ones another', () => {
    const [reference, recent] = counted(
      ['b', 'a', 'b', 'c', 'a', 'b'],
      ['a', 'z', 'b', 'y', 'c', 'c'],
    );
    expect(reference).toEqual([3, 2, 1, 0, 0, 0, 0]);
    expect(recent).toEqual([1, 1, 2, 2, 0, 0, 0]);
    const names = Array.from({ length: 100 }, (_, index) => `name ${index}`);
    const [many] = counted([...names, ...names.slice(0, 32)], []);
    expect(many).toEqual([...new Array(32).fill(2), 68, 0, 0, 0, 0]);
  });

  it('compares an exact profile with a hashed one', () => {
    const few = Array.from({ length: 100 }, (_, index) => `name ${index % 10}`);
    const many = Array.from({ length: 1000 }, (_, index) => `name ${index}`);
    const [reference, recent] = counted(few, many);
    expect(reference!.slice(0, -4).reduce((sum, count) => sum + count)).toBe(100);
    expect(recent!.at(-4)).toBeGreaterThan(900);
  });

  it('rejects a hashed profile in bins of exact values, and a coarse one in fine bins', () => {
    const exact = commonBins(profileOf(['a']), []);
    const hashed = profileOf(Array.from({ length: 300 }, (_, index) => `name ${index}`));
    expect(() => binnedCounts(hashed, exact)).toThrow(RangeError);
    expect(() =>
      binnedCounts(profileOf(draw('normal', 1, 2000)), commonBins(profileOf([1]), [])),
    ).toThrow(RangeError);
  });
});

describe('binnedCounts', () => {
  it('puts every record into one bin', () => {
    fc.assert(
      fc.property(values, values, (reference, recent) => {
        const [left, right] = counted(reference, recent);
        expect(left).toHaveLength(right!.length);
        expect(left!.reduce((sum, count) => sum + count)).toBe(reference.length);
        expect(right!.reduce((sum, count) => sum + count)).toBe(recent.length);
        expect(left!.at(-4)).toBe(0);
      }),
    );
  });

  it('counts a merged profile as the sum of its parts', () => {
    fc.assert(
      fc.property(values, values, (first, second) => {
        const [a, b] = [profileOf(first), profileOf(second)];
        const both = mergeFeatureProfiles(a, b);
        const bins = commonBins(a, [b, both]);
        const [partA, partB] = [binnedCounts(a, bins), binnedCounts(b, bins)];
        expect(binnedCounts(both, bins)).toEqual(partA.map((count, bin) => count + partB[bin]!));
      }),
    );
  });

  it('counts values of the wrong type, non-finite values and missing values separately', () => {
    expect(counted([1, 2], [1, 1, 7, 'x', null])[1]).toEqual([2, 0, 1, 0, 1, 1]);
    expect(counted([1, 2], [Number.NaN, true, undefined])[1]).toEqual([0, 0, 0, 1, 1, 1]);
    expect(counted(['a', 'b'], [1, Number.NaN, null, 'a'])[1]).toEqual([1, 0, 0, 1, 1, 1]);
  });

  it('gives the distance 0 between a profile and itself, and 1 between profiles of different types', () => {
    fc.assert(
      fc.property(values, same => {
        const [left, right] = counted(same, same);
        expect(populationStabilityIndex(left!, right!)).toBe(0);
        expect(jensenShannonDistance(left!, right!)).toBe(0);
      }),
    );
    expect(jensenShannonDistance(...counted([1, 2], ['a']))).toBe(1);
  });
});
