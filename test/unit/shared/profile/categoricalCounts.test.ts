import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addCategory,
  type CategoricalCounts,
  categoryName,
  emptyCategoricalCounts,
  hashedCounts,
  maxCategories,
  mergeCategoricalCounts,
} from '../../../../services/shared/profile/categoricalCounts.ts';
import { categoryHash, fnv1a } from '../../../../services/shared/profile/categoryHash.ts';
import { countsOf, orderedCounts } from './profileOf.ts';

const names = (count: number) => Array.from({ length: count }, (_, index) => `category ${index}`);
const fewValues = fc.array(fc.string({ maxLength: 2 }), { maxLength: 400, size: 'max' });
const manyValues = fc.array(
  fc.nat(600).map(index => `category ${index}`),
  { maxLength: 900, size: 'max' },
);
const values = fc.oneof(fewValues, manyValues, fc.array(fc.string({ unit: 'binary' })));

describe('CategoricalCounts', () => {
  it('is exact up to 256 distinct values, and hashed with more', () => {
    const exact = countsOf([...names(maxCategories), ...names(3)]);
    expect(exact.hashed).toBeNull();
    expect(exact.exact.get('category 2')).toBe(2);
    addCategory(exact, 'one more');
    expect(exact.exact.size).toBe(0);
    expect(exact.hashed!.reduce((sum, count) => sum + count)).toBe(maxCategories + 4);
  });

  it('has the same contents after one pass and after merges in any order', () => {
    fc.assert(
      fc.property(values, values, values, (first, second, third) => {
        const [a, b, c] = [countsOf(first), countsOf(second), countsOf(third)];
        const onePass = orderedCounts(countsOf([...first, ...second, ...third]));
        const merged = (...parts: CategoricalCounts[]) =>
          orderedCounts(mergeCategoricalCounts(...parts));
        expect(merged(a, b, c)).toEqual(onePass);
        expect(merged(c, b, a)).toEqual(onePass);
        expect(merged(a, mergeCategoricalCounts(b, c))).toEqual(onePass);
        expect(orderedCounts(countsOf([...third, ...second, ...first].reverse()))).toEqual(onePass);
        expect(merged(a, emptyCategoricalCounts())).toEqual(orderedCounts(a));
      }),
    );
  });

  it('has the same hash buckets before and after it turns to them', () => {
    const exact = countsOf(names(200));
    const more = countsOf(names(400).slice(200));
    const expected = new Float64Array(256);
    for (const name of names(400)) expected[categoryHash(name)]! += 1;
    expect(mergeCategoricalCounts(exact, more).hashed).toEqual(expected);
    expect(hashedCounts(exact).reduce((sum, count) => sum + count)).toBe(200);
  });

  it('counts long values separately, under names of bounded length', () => {
    const long = 'x'.repeat(1_000_000);
    const counts = countsOf([`${long}a`, `${long}b`, `${long}a`]);
    expect([...counts.exact.values()].sort()).toEqual([1, 2]);
    for (const name of counts.exact.keys()) expect(name.length).toBeLessThanOrEqual(256);
  });

  it('returns names that are unchanged when they are named again, and that UTF-8 can encode', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400, size: 'max' }), value => {
        const name = categoryName(value);
        expect(categoryName(name)).toBe(name);
        expect(Buffer.from(name).toString()).toBe(name);
      }),
    );
    expect(categoryName('x'.repeat(300))).toBe(
      `${'x'.repeat(240)}…#${fnv1a('x'.repeat(300)).toString(16)}`,
    );
    expect(categoryName(`${'x'.repeat(239)}😀${'x'.repeat(100)}`)).toMatch(
      /^x{239}\ufffd…#[0-9a-f]{8}$/,
    );
    expect(categoryName('\ud800')).toBe('\ufffd');
  });
});

describe('categoryHash', () => {
  it('equals the test vectors of the authors of FNV-1a', () => {
    expect(fnv1a('').toString(16)).toBe('811c9dc5');
    expect(fnv1a('a').toString(16)).toBe('e40c292c');
    expect(fnv1a('foobar').toString(16)).toBe('bf9cf968');
  });

  it('spreads 10,000 similar names evenly over the 256 buckets', () => {
    const counts = new Float64Array(256);
    for (const name of names(10_000)) counts[categoryHash(name)]! += 1;
    const expected = 10_000 / 256;
    const chiSquared = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chiSquared).toBeLessThan(330); // the 99.9 % point at 255 degrees of freedom
  });
});
