import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeFeatureProfiles } from '../../../../services/shared/profile/featureProfile.ts';
import { featuresOf, readDeclaredVectors } from '../../../../services/shared/profile/features.ts';
import { fromProfileRow, toProfileRow } from '../../../../services/shared/profile/profileRow.ts';
import {
  addVector,
  emptyVectorSummary,
  maxDimension,
  mergeVectorSummaries,
  readVectorSummary,
  storedVectorSummary,
  type VectorSummary,
} from '../../../../services/shared/profile/vectorSummary.ts';
import { profileOf } from './profileOf.ts';

/** Multiples of 1/8, whose sums are exact in any order. */
const component = fc.integer({ min: -800, max: 800 }).map(number => number / 8);
const vectors = fc.array(
  fc.oneof(
    ...[1, 2, 3, 4, 5].map(length => fc.array(component, { minLength: length, maxLength: length })),
    fc.constant([1, Number.NaN]),
  ),
  { maxLength: 40 },
);

/** The same vector has the same id in whatever order it comes. */
const idOf = (value: readonly number[]) => String(value);

function summaryOf(values: readonly (readonly number[])[]): VectorSummary {
  const summary = emptyVectorSummary();
  for (const value of values) addVector(summary, value, idOf(value));
  return summary;
}

/** Norms are rounded, so that the last bits of their sums depend on the order. */
const ordered = (summary: VectorSummary) =>
  storedVectorSummary(summary).replaceAll(/"sum":-?[\d.e+-]+/g, '');

describe('a summary of vectors', () => {
  it('has the sum of the vectors, of their squares, and their norms, by dimension', () => {
    const summary = summaryOf([[3, 4], [0, 1], [1, Number.NaN], [2, 0, 0], []]);
    expect(summary).toMatchObject({ count: 5, nonFinite: 1, mixed: false });
    const plane = summary.byDimension.get(2)!;
    expect([...plane.sum]).toEqual([3, 5]);
    expect(plane).toMatchObject({ count: 2, squares: 26 });
    expect(plane.norms).toMatchObject({ count: 2, minimum: 1, maximum: 5 });
    expect(summary.byDimension.get(3)).toMatchObject({ count: 1, squares: 4 });
  });

  it('has the sums of four groups of records, chosen by their ids', () => {
    const values = Array.from({ length: 400 }, (_, index) => [index, 1]);
    const { sum, groups } = summaryOf(values).byDimension.get(2)!;
    expect(groups).toHaveLength(4);
    for (const { count } of groups!) expect(count).toBeGreaterThan(60);
    for (const at of [0, 1])
      expect(groups!.reduce((total, group) => total + group.sum[at]!, 0)).toBe(sum[at]);
  });

  it('goes on without groups where it was stored before there were any', () => {
    const stored = JSON.parse(storedVectorSummary(summaryOf([[1, 2]])));
    for (const sums of stored.sums) delete sums.groups;
    const old = readVectorSummary(JSON.stringify(stored))!;
    const merged = mergeVectorSummaries(old, summaryOf([[3, 4]]));
    addVector(merged, [5, 6], 'a');
    const { count, sum, groups } = merged.byDimension.get(2)!;
    expect({ count, sum: [...sum], groups }).toEqual({ count: 3, sum: [9, 12], groups: null });
    const { groups: stillNone } = readVectorSummary(storedVectorSummary(merged))!.byDimension.get(
      2,
    )!;
    expect(stillNone).toBeNull();
  });

  it('is the same after one pass and after merges in any order, stored in between', () => {
    fc.assert(
      fc.property(vectors, vectors, vectors, (first, second, third) => {
        const [a, b, c] = [summaryOf(first), summaryOf(second), summaryOf(third)];
        const onePass = ordered(summaryOf([...first, ...second, ...third]));
        expect(ordered(mergeVectorSummaries(a, b, c))).toBe(onePass);
        expect(ordered(mergeVectorSummaries(c, mergeVectorSummaries(b, a)))).toBe(onePass);
        const stored = readVectorSummary(storedVectorSummary(mergeVectorSummaries(a, b)))!;
        expect(ordered(mergeVectorSummaries(stored, c))).toBe(onePass);
      }),
    );
  });

  it('is bounded: of too many dimensions, and of too long vectors, only the number is kept', () => {
    const dimensions = [1, 2, 3, 4, 5].map(length => new Array<number>(length).fill(1));
    expect(summaryOf(dimensions.slice(0, 4)).byDimension.size).toBe(4);
    const mixed = summaryOf([...dimensions, [1]]);
    expect(mixed).toMatchObject({ count: 6, mixed: true });
    expect(mixed.byDimension.size).toBe(0);
    const long = summaryOf([new Array<number>(maxDimension + 1).fill(1)]);
    expect(long).toMatchObject({ count: 1, mixed: false });
    expect(long.byDimension.size).toBe(0);
  });
});

describe('a profile with vectors', () => {
  it('counts every record once, and returns from its row', () => {
    const profile = profileOf([[1, 2], 3, 'x', null, [1, Number.NaN], [1, 2, 3]]);
    const { count, missing, numeric, categorical, vectors: found } = profile;
    expect(found!.count).toBe(3);
    expect(count).toBe(missing + numeric.count + categorical.count + found!.count);
    const row = JSON.parse(JSON.stringify(toProfileRow(profile)));
    expect(toProfileRow(fromProfileRow(row))).toEqual(toProfileRow(profile));
    expect(mergeFeatureProfiles(profile, profileOf([1])).vectors!.count).toBe(3);
    expect(mergeFeatureProfiles(profileOf([1]), profileOf(['a'])).vectors).toBeNull();
  });
});

describe('a vector in base64', () => {
  const text = Buffer.from(new Float32Array([1, -0.5, 0.25]).buffer).toString('base64');

  it('is read from a name that ends in .vector', () => {
    expect(featuresOf({ 'embedding.vector': text, age: 41 })).toEqual({
      names: ['embedding', 'age'],
      values: [[1, -0.5, 0.25], 41],
    });
  });

  it('is read under any name where the settings say that it is a vector', () => {
    const features = featuresOf({ city: text, comment: text, note: 'no vector', age: 41 });
    readDeclaredVectors(features, {
      city: 'categorical',
      comment: 'vector',
      note: 'vector',
      age: 'vector',
      absent: 'vector',
    });
    expect(features.values).toEqual([text, [1, -0.5, 0.25], 'no vector', 41]);
  });

  it('stays text where it is none, or where the name does not say so', () => {
    const texts: Record<string, string>[] = [
      { comment: text },
      { 'a.vector': 'no numbers at all' },
      { 'a.vector': 'QUJD' },
    ];
    for (const features of texts)
      expect(featuresOf(features)).toEqual({
        names: Object.keys(features),
        values: Object.values(features),
      });
  });
});
