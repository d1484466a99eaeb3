import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketKey } from '../../../../services/shared/profile/bucketKey.ts';
import type { NumericHistogram } from '../../../../services/shared/profile/numericHistogram.ts';
import {
  addNumber,
  addToBucket,
  emptyNumericHistogram,
  maxBuckets,
  mergeNumericHistograms,
} from '../../../../services/shared/profile/numericHistogram.ts';
import { sortedBuckets } from '../../../../services/shared/profile/sortedBuckets.ts';
import { distributions, draw } from './distributions.ts';
import { histogramOf } from './profileOf.ts';

/** Returns all contents that must not depend on the order of adding and merging. */
function contents(histogram: NumericHistogram) {
  const { count, nonFinite, minimum, maximum } = histogram;
  return { ...sortedBuckets(histogram), count, nonFinite, minimum, maximum };
}

/**
 * Returns the expected resolution by its definition. It is the highest one at which the set of
 * values fills at most 512 buckets.
 */
function expectedMantissaBits(numbers: number[]): number {
  const keys = numbers.filter(Number.isFinite).map(bucketKey);
  let bits = 20;
  while (new Set(keys.map(key => key >> (20 - bits))).size > maxBuckets) bits -= 1;
  return bits;
}

const anyNumbers = fc.array(fc.double(), { maxLength: 700, size: 'max' });
const drawn = fc
  .tuple(
    fc.constantFrom(...Object.keys(distributions)),
    fc.integer(),
    fc.integer({ min: 0, max: 3000 }),
  )
  .map(([name, seed, count]) => draw(name, seed, count));
const numbers = fc.oneof(drawn, anyNumbers);

describe('NumericHistogram', () => {
  it('has the highest resolution that the set of values allows', () => {
    fc.assert(
      fc.property(numbers, values => {
        expect(histogramOf(values).mantissaBits).toBe(expectedMantissaBits(values));
      }),
    );
  });

  it('counts every value once, in the bucket of its key', () => {
    fc.assert(
      fc.property(numbers, values => {
        const { mantissaBits, keys, counts } = sortedBuckets(histogramOf(values));
        const expected = new Map<number, number>();
        for (const value of values.filter(Number.isFinite)) {
          const key = bucketKey(value) >> (20 - mantissaBits);
          expected.set(key, (expected.get(key) ?? 0) + 1);
        }
        expect(Array.from(keys, (key, index) => [key, counts[index]])).toEqual(
          [...expected].sort(([left], [right]) => left - right),
        );
      }),
    );
  });

  it.each(Object.keys(distributions))(
    'has the same contents after one pass and after merges in any order: %s',
    name => {
      fc.assert(
        fc.property(
          fc.integer(),
          fc.array(fc.nat(3000), { minLength: 1, maxLength: 4 }),
          (seed, cuts) => {
            const values = draw(name, seed, 3000);
            const ends = [...cuts, values.length].sort((left, right) => left - right);
            const parts = ends.map((end, index) =>
              histogramOf(values.slice(ends[index - 1] ?? 0, end)),
            );
            const onePass = contents(histogramOf(values));
            expect(contents(histogramOf(values.toReversed()))).toEqual(onePass);
            expect(contents(mergeNumericHistograms(...parts))).toEqual(onePass);
            expect(contents(mergeNumericHistograms(...parts.toReversed()))).toEqual(onePass);
            expect(
              contents(parts.reduceRight((right, left) => mergeNumericHistograms(left, right))),
            ).toEqual(onePass);
          },
        ),
        { numRuns: 20 },
      );
    },
  );

  it('merges associatively and commutatively, with the empty histogram as identity', () => {
    fc.assert(
      fc.property(numbers, numbers, numbers, (first, second, third) => {
        const [a, b, c] = [histogramOf(first), histogramOf(second), histogramOf(third)];
        const left = mergeNumericHistograms(mergeNumericHistograms(a, b), c);
        const right = mergeNumericHistograms(a, mergeNumericHistograms(b, c));
        expect(contents(left)).toEqual(contents(right));
        expect(contents(mergeNumericHistograms(a, b))).toEqual(
          contents(mergeNumericHistograms(b, a)),
        );
        expect(contents(mergeNumericHistograms(a, emptyNumericHistogram()))).toEqual(contents(a));
      }),
    );
  });

  it('does not change the histograms that it merges', () => {
    const fine = histogramOf([1, 2, 3]);
    const coarse = histogramOf(draw('cauchy', 1, 5000));
    const before = structuredClone([fine, coarse]);
    mergeNumericHistograms(fine, coarse);
    expect([fine, coarse]).toEqual(before);
  });

  it('keeps the integers and years of everyday features exact', () => {
    const years = Array.from({ length: 500 }, (_, index) => 1700 + index);
    expect(sortedBuckets(histogramOf(years)).keys).toEqual(Int32Array.from(years, bucketKey));
  });

  it('holds at most 3 % of a continuous feature in a bucket', () => {
    for (const name of ['normal', 'lognormal', 'cauchy']) {
      const { counts } = sortedBuckets(histogramOf(draw(name, 7, 50_000)));
      expect(Math.max(...counts) / 50_000).toBeLessThan(0.03);
    }
  });

  it('covers the whole range of float64', () => {
    const values = Array.from(
      { length: 4000 },
      (_, index) => (index % 2 ? 1 : -1) * 2 ** ((index >> 1) - 1000),
    );
    const histogram = histogramOf([
      ...values,
      Number.MIN_VALUE,
      -Number.MIN_VALUE,
      Number.MAX_VALUE,
      -Number.MAX_VALUE,
    ]);
    expect(histogram.bucketsInUse).toBeLessThanOrEqual(maxBuckets);
    expect(histogram.mantissaBits).toBe(-3);
    expect(histogram.minimum).toBe(-Number.MAX_VALUE);
  });

  it('counts non-finite numbers separately', () => {
    const histogram = histogramOf([
      1,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
    ]);
    expect(histogram).toMatchObject({ count: 1, nonFinite: 3, minimum: 1, maximum: 1, sum: 1 });
  });

  it('counts beyond 32 bits, whether it grows or gets coarser', () => {
    const most = 2 ** 32 - 1;
    const histogram = histogramOf([1]);
    addToBucket(histogram, bucketKey(1), most - 2);
    expect(histogram.bucketCounts).toBeInstanceOf(Uint32Array);
    addNumber(histogram, 1);
    addToBucket(histogram, bucketKey(1.25), most);
    addNumber(histogram, 1);
    expect(sortedBuckets(histogram).counts).toEqual(Float64Array.of(most + 1, most));
    for (const number of draw('cauchy', 3, 3000)) addNumber(histogram, number);
    const apart = histogramOf(draw('cauchy', 3, 3000));
    addToBucket(apart, bucketKey(1) >> (20 - apart.mantissaBits), most + 1);
    addToBucket(apart, bucketKey(1.25) >> (20 - apart.mantissaBits), most);
    expect(sortedBuckets(mergeNumericHistograms(histogram))).toMatchObject(sortedBuckets(apart));
  });

  it('has a finite sum of any numbers', () => {
    const [high, low] = [histogramOf([1e308, 1e308]), histogramOf([-1e308, -1e308])];
    expect(high.sum).toBe(Number.MAX_VALUE);
    expect(mergeNumericHistograms(high, low).sum).toBe(0);
  });
});

describe('sortedBuckets', () => {
  it('adds up to the same at a coarser resolution, with ascending keys', () => {
    fc.assert(
      fc.property(numbers, fc.nat(10), (values, coarser) => {
        const histogram = histogramOf(values);
        const fine = sortedBuckets(histogram);
        const coarse = sortedBuckets(histogram, histogram.mantissaBits - coarser);
        const expected = new Map<number, number>();
        fine.keys.forEach((key, index) => {
          expected.set(key >> coarser, (expected.get(key >> coarser) ?? 0) + fine.counts[index]!);
        });
        expect(Array.from(coarse.keys, (key, index) => [key, coarse.counts[index]])).toEqual([
          ...expected,
        ]);
      }),
    );
  });

  it('includes numbers that were added since the last call', () => {
    fc.assert(
      fc.property(numbers, numbers, (values, more) => {
        const histogram = histogramOf(values);
        sortedBuckets(histogram);
        for (const value of more) addNumber(histogram, value);
        expect(sortedBuckets(histogram)).toEqual(sortedBuckets(histogramOf([...values, ...more])));
      }),
    );
  });

  it('rejects a resolution finer than that of the histogram', () => {
    expect(() => sortedBuckets(histogramOf(draw('normal', 1, 2000)), 20)).toThrow(RangeError);
  });
});
