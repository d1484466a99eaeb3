import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addValue,
  emptyFeatureProfile,
  featureType,
  mergeFeatureProfiles,
} from '../../../../services/shared/profile/featureProfile.ts';
import { fromProfileRow, toProfileRow } from '../../../../services/shared/profile/profileRow.ts';
import { draw } from './distributions.ts';
import { profileOf, rowWithoutSums } from './profileOf.ts';

const mixed = fc.array(
  fc.oneof(
    fc.double(),
    fc.integer(),
    fc.string({ unit: 'binary' }),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
  ),
  { maxLength: 2000, size: 'max' },
);

describe('FeatureProfile', () => {
  it('counts every value by its kind', () => {
    const profile = profileOf([0.5, 'abc', null, undefined, true, Number.NaN, 'abc', -1]);
    expect(profile).toMatchObject({ count: 8, missing: 2 });
    expect(profile.numeric).toMatchObject({ count: 2, nonFinite: 1, minimum: -1, maximum: 0.5 });
    expect(profile.categorical.exact).toEqual(
      new Map([
        ['abc', 2],
        ['true', 1],
      ]),
    );
  });

  it('loses no record', () => {
    fc.assert(
      fc.property(mixed, values => {
        const { count, missing, numeric, categorical } = profileOf(values);
        expect(count).toBe(values.length);
        expect(missing + numeric.count + numeric.nonFinite + categorical.count).toBe(count);
      }),
    );
  });

  it('has the same contents after one pass and after merges in any order', () => {
    fc.assert(
      fc.property(mixed, mixed, (first, second) => {
        const row = rowWithoutSums;
        const onePass = row(profileOf([...first, ...second]));
        const [a, b] = [profileOf(first), profileOf(second)];
        expect(row(mergeFeatureProfiles(a, b))).toEqual(onePass);
        expect(row(mergeFeatureProfiles(b, emptyFeatureProfile(), a))).toEqual(onePass);
        expect(row(mergeFeatureProfiles())).toEqual(row(emptyFeatureProfile()));
      }),
    );
  });

  it('has the type of most of its values, numeric on a tie', () => {
    expect(featureType(profileOf([]))).toBe('numeric');
    expect(featureType(profileOf([1, 'a']))).toBe('numeric');
    expect(featureType(profileOf([1, 'a', 'b', null, null]))).toBe('categorical');
    expect(featureType(profileOf([Number.NaN, 1, 'a']))).toBe('numeric');
  });
});

describe('profileRow', () => {
  it('returns the same profile, also through JSON', () => {
    fc.assert(
      fc.property(mixed, values => {
        const row = toProfileRow(profileOf(values));
        const back = fromProfileRow(JSON.parse(JSON.stringify(row)));
        expect(toProfileRow(back)).toEqual(row);
        expect(toProfileRow(mergeFeatureProfiles(back, profileOf([3, 'x'])))).toEqual(
          toProfileRow(mergeFeatureProfiles(profileOf(values), profileOf([3, 'x']))),
        );
      }),
    );
  });

  it('returns coarse and hashed profiles that continue to count as if they had never been stored', () => {
    const numbers = draw('normal', 3, 5000);
    const names = numbers.map(number => number.toFixed(2));
    const half = fromProfileRow(
      toProfileRow(profileOf([...numbers.slice(0, 2000), ...names.slice(0, 2000)])),
    );
    for (const value of [...numbers.slice(2000), ...names.slice(2000)]) addValue(half, value);
    const onePass = toProfileRow(profileOf([...numbers, ...names]));
    expect(onePass.hashed).toBe(1);
    expect(onePass.mantissa_bits).toBeLessThan(10);
    expect({ ...toProfileRow(half), sum: 0 }).toEqual({ ...onePass, sum: 0 });
  });

  it('has sorted columns of plain numbers and strings', () => {
    expect(toProfileRow(profileOf([2, -1, 'b', 'a', 'b', null, Number.POSITIVE_INFINITY]))).toEqual(
      {
        count: 7,
        missing: 1,
        non_finite: 1,
        numeric_count: 2,
        minimum: -1,
        maximum: 2,
        sum: 1,
        mantissa_bits: 20,
        bucket_keys: [-1072693249, 1073741824],
        bucket_counts: [1, 1],
        categorical_count: 3,
        hashed: 0,
        category_values: ['a', 'b'],
        category_counts: [1, 2],
      },
    );
    expect(toProfileRow(emptyFeatureProfile())).toMatchObject({
      minimum: null,
      maximum: null,
      bucket_keys: [],
    });
  });
});
