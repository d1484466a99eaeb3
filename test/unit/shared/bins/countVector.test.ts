import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binnedCounts } from '../../../../services/shared/bins/binnedCounts.ts';
import { binOfValue } from '../../../../services/shared/bins/binOfValue.ts';
import {
  addMissing,
  countVector,
  missingCount,
  moveToUnseen,
  nonFiniteCount,
  seenBinsOf,
  seenCounts,
  totalBins,
  totalCount,
  unseenBin,
  unseenCount,
  validBinCount,
  validCounts,
  wrongTypeCount,
} from '../../../../services/shared/bins/countVector.ts';
import { seenBinCount } from '../../../../services/shared/bins/featureBins.ts';
import { freezeBins } from '../../../../services/shared/bins/freezeBins.ts';
import { profileOf } from '../profile/profileOf.ts';

const count = fc.nat(1000);
const parts = fc.record({
  valid: fc.array(count, { minLength: 1, maxLength: 40 }),
  nonFinite: count,
  wrongType: count,
  missing: count,
});

describe('CountVector', () => {
  it('returns the counts that it was made from', () => {
    fc.assert(
      fc.property(parts, ({ valid, nonFinite, wrongType, missing }) => {
        const counts = countVector(valid, nonFinite, wrongType, missing);
        expect(validCounts(counts)).toEqual(valid);
        expect(seenCounts(counts)).toEqual(valid.slice(0, -1));
        expect(unseenCount(counts)).toBe(valid.at(-1));
        expect(nonFiniteCount(counts)).toBe(nonFinite);
        expect(wrongTypeCount(counts)).toBe(wrongType);
        expect(missingCount(counts)).toBe(missing);
        expect(totalCount(counts)).toBe(
          valid.reduce((sum, one) => sum + one) + nonFinite + wrongType + missing,
        );
        const seenBins = seenBinsOf(counts);
        expect(totalBins(seenBins)).toBe(counts.length);
        expect(validBinCount(seenBins)).toBe(valid.length);
        expect(unseenBin(seenBins)).toBe(valid.length - 1);
      }),
    );
  });

  it('has a bin for each kind of value, at the place where binOfValue finds it', () => {
    for (const reference of [
      [1, 2, 2, 5],
      ['a', 'b', 'b'],
    ]) {
      const bins = freezeBins(profileOf(reference));
      const other = typeof reference[0] === 'number' ? 'text' : 7;
      const unseen = typeof reference[0] === 'number' ? 3 : 'c';
      const counts = binnedCounts(
        profileOf([reference[0]!, unseen, Number.NaN, other, null]),
        bins,
      );
      expect(seenBinsOf(counts)).toBe(seenBinCount(bins));
      for (const [value, countOf] of [
        [unseen, unseenCount],
        [Number.NaN, nonFiniteCount],
        [other, wrongTypeCount],
        [null, missingCount],
      ] as const) {
        expect(countOf(counts)).toBe(1);
        const alone = counts.map(() => 0);
        alone[binOfValue(value, bins)] = 1;
        expect(countOf(alone)).toBe(1);
      }
    }
  });

  it('keeps its total when a value moves to the unseen bin, and adds missing records to it', () => {
    fc.assert(
      fc.property(parts, count, ({ valid, nonFinite, wrongType, missing }, records) => {
        const counts = countVector(valid, nonFinite, wrongType, missing);
        const before = [...counts];
        moveToUnseen(counts, 0, records);
        expect(totalCount(counts)).toBe(totalCount(before));
        if (valid.length > 1) expect(unseenCount(counts)).toBe(unseenCount(before) + records);
        addMissing(counts, records);
        expect(missingCount(counts)).toBe(missing + records);
        expect(totalCount(counts)).toBe(totalCount(before) + records);
      }),
    );
  });
});
