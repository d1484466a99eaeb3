import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binnedCounts } from '../../../../services/shared/bins/binnedCounts.ts';
import { totalCount, unseenCount } from '../../../../services/shared/bins/countVector.ts';
import { freezeBins } from '../../../../services/shared/bins/freezeBins.ts';
import type { CategoryBins } from '../../../../services/shared/bins/frequentCategoryBins.ts';
import { isGrowing } from '../../../../services/shared/bins/isGrowing.ts';
import { chiSquaredSurvival } from '../../../../services/shared/statistics/chiSquaredSurvival.ts';
import { likelihoodRatioTest } from '../../../../services/shared/statistics/likelihoodRatioTest.ts';
import { draw, seededRandom } from '../profile/distributions.ts';
import { profileOf } from '../profile/profileOf.ts';

const names = (count: number) => Array.from({ length: count }, (_, index) => `name ${index}`);

describe('freezeBins', () => {
  it('keeps the resolution of a reference with few values, and takes a quarter of it otherwise', () => {
    const few = profileOf(Array.from({ length: 128 }, (_, index) => index));
    expect(freezeBins(few)).toMatchObject({ kind: 'ranges', mantissaBits: 20 });
    const many = profileOf(Array.from({ length: 129 }, (_, index) => index));
    expect(freezeBins(many)).toMatchObject({ kind: 'ranges', mantissaBits: 18 });
  });

  it('never requires a resolution that a histogram cannot have', () => {
    const wide = profileOf(
      Array.from({ length: 4000 }, (_, index) => (index % 2 ? 1 : -1) * 2 ** ((index >> 1) - 1000)),
    );
    expect(wide.numeric.mantissaBits).toBe(-3);
    expect(freezeBins(wide)).toMatchObject({ mantissaBits: -3 });
  });

  it('gives up to 64 categories a bin each, and bins by their hash to more', () => {
    expect(freezeBins(profileOf(names(64)))).toMatchObject({ kind: 'categories', binCount: 64 });
    expect(freezeBins(profileOf(names(65)))).toMatchObject({ kind: 'categories', binCount: 32 });
    const many = profileOf([...names(100), ...new Array(200).fill('frequent')]);
    const { binOf } = freezeBins(many) as CategoryBins;
    const ownBin = binOf.get('frequent');
    expect([...binOf].filter(([, bin]) => bin === ownBin)).toEqual([['frequent', 0]]);
  });

  it('does not single out the categories that chance has favoured', () => {
    const sample = (seed: number) => {
      const random = seededRandom(seed);
      return profileOf(Array.from({ length: 3000 }, () => `name ${Math.floor(random() * 1000)}`));
    };
    const reference = sample(1);
    const bins = freezeBins(reference);
    const [before, later] = [reference, sample(2)].map(profile => binnedCounts(profile, bins));
    const { statistic, degreesOfFreedom } = likelihoodRatioTest(before!, later!);
    expect(chiSquaredSurvival(statistic, degreesOfFreedom)).toBeGreaterThan(0.01);
  });

  it('uses hash buckets beyond 128 categories', () => {
    expect(freezeBins(profileOf(names(128))).kind).toBe('categories');
    expect(freezeBins(profileOf(names(129))).kind).toBe('hashes');
    expect(freezeBins(profileOf(names(300))).kind).toBe('hashes');
  });

  it('counts a later window that has more values than the reference', () => {
    const bins = freezeBins(profileOf(draw('normal', 1, 2000)));
    const later = binnedCounts(profileOf(draw('normal', 2, 5000)), bins);
    expect(totalCount(later)).toBe(5000);
    const categories = freezeBins(profileOf(names(200)));
    expect(unseenCount(binnedCounts(profileOf(names(400)), categories))).toBeGreaterThan(0);
  });
});

describe('isGrowing', () => {
  const part = (minimum: number) => ({ minimum, maximum: minimum + 9 });

  it('is true only for parts in rising order', () => {
    const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 5], { minLength: 6 });
    fc.assert(
      fc.property(order, indexes => {
        expect(isGrowing(indexes.map(index => part(index * 10)))).toBe(
          indexes.every((index, at) => index === at),
        );
      }),
    );
  });

  it('is false for fewer than five parts, and for parts that share a value', () => {
    expect(isGrowing([0, 10, 20, 30].map(part))).toBe(false);
    expect(isGrowing([0, 10, 20, 29, 40].map(part))).toBe(false);
    expect(isGrowing([0, 10, 20, Number.NaN, 40].map(part))).toBe(false);
  });
});
