import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binnedCounts } from '../../../../services/shared/bins/binnedCounts.ts';
import { binOfValue } from '../../../../services/shared/bins/binOfValue.ts';
import type { FeatureValue } from '../../../../services/shared/profile/featureProfile.ts';
import { profileOf } from '../profile/profileOf.ts';
import { commonBins } from './commonBins.ts';

const mixed = fc.array(
  fc.oneof(
    fc.double(),
    fc.nat(30),
    fc.constantFrom('a', 'b', 'c'),
    fc.boolean(),
    fc.constant(null),
  ),
  {
    maxLength: 120,
  },
);
const numbers = fc.array(fc.double(), { minLength: 30, maxLength: 120 });
const categories = fc.array(fc.nat(400).map(String), {
  minLength: 300,
  maxLength: 1500,
  size: 'max',
});
const values = fc.oneof(mixed, numbers, categories);

describe('binOfValue', () => {
  it('finds the bin in which binnedCounts counts a value', () => {
    fc.assert(
      fc.property(values, values, (reference: FeatureValue[], recent: FeatureValue[]) => {
        const profile = profileOf(recent);
        const bins = commonBins(profileOf(reference), [profile]);
        const counts = binnedCounts(profile, bins).fill(0);
        for (const value of recent) counts[binOfValue(value, bins)]! += 1;
        expect(counts).toEqual(binnedCounts(profile, bins));
      }),
    );
  });
});
