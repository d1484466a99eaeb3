import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketKey } from '../../../../services/shared/profile/bucketKey.ts';
import { fnv1a } from '../../../../services/shared/profile/categoryHash.ts';
import type { FeatureValue } from '../../../../services/shared/profile/featureProfile.ts';
import {
  addToSample,
  emptyRecordSample,
  fromSampleRow,
  maxSampledRecords,
  mergeSampledRecords,
  missingCode,
  type RecordSample,
  recordSampleOf,
  sampledRecords,
} from '../../../../services/shared/profile/recordSample.ts';

type Records = [id: string, features: Record<string, FeatureValue>, output?: FeatureValue][];

function sampleOf(records: Records, sample = emptyRecordSample()): RecordSample {
  for (const [id, features, output] of records)
    addToSample(
      sample,
      fnv1a(id),
      { names: Object.keys(features), values: Object.values(features) },
      output,
    );
  return sample;
}

const merged = (...parts: Records[]) =>
  mergeSampledRecords(...parts.map(part => sampledRecords(sampleOf(part))));

const value: fc.Arbitrary<FeatureValue> = fc.oneof(
  fc.double(),
  fc.constantFrom('Rome', 'Oslo', '', true, false, null, undefined),
);
/**
 * Generates records. Some lack a feature, and some have more features than are sampled. The ids are
 * unique, as duplicates are dropped before.
 */
const records: fc.Arbitrary<Records> = fc
  .array(
    fc.tuple(fc.dictionary(fc.constantFrom(...'abcdefghijklmnopq'), value, { maxKeys: 17 }), value),
    {
      maxLength: 200,
    },
  )
  .map(drawn => drawn.map(([features, output], index) => [`id-${index}`, features, output]));

describe('a sample of records', () => {
  it('has the same contents in any order and grouping of the records', () => {
    fc.assert(
      fc.property(records, fc.integer({ min: 1, max: 7 }), (drawn, parts) => {
        const groups = Array.from({ length: parts }, (_, part) =>
          drawn.filter((_, index) => index % parts === part),
        );
        const whole = merged(drawn);
        expect(merged(...groups)).toEqual(whole);
        expect(merged(...groups.toReversed())).toEqual(whole);
        expect(merged(drawn.toReversed())).toEqual(whole);
        expect(
          mergeSampledRecords(merged(...groups.slice(0, 2)), merged(...groups.slice(2))),
        ).toEqual(whole);
      }),
    );
  });

  it('continues after it was stored as if it had stayed in memory', () => {
    fc.assert(
      fc.property(records, fc.nat(200), (drawn, at) => {
        const stored = recordSampleOf(sampledRecords(sampleOf(drawn.slice(0, at))));
        expect(sampledRecords(sampleOf(drawn.slice(at), stored))).toEqual(
          sampledRecords(sampleOf(drawn)),
        );
      }),
    );
  });

  it('continues from a row that was stored by a version that did not sample outputs', () => {
    const drawn: Records = [1, 2, 3].map(index => [`id-${index}`, { index }, index]);
    const { names, hashes, codes } = sampledRecords(sampleOf(drawn.slice(0, 2)));
    const stored = fromSampleRow({ features: names, id_hashes: hashes, codes, outputs: [] });
    const { outputs, ...others } = sampledRecords(sampleOf(drawn.slice(2), recordSampleOf(stored)));
    const { outputs: _, ...expected } = sampledRecords(sampleOf(drawn));
    expect(others).toEqual(expected);
    expect(outputs.toSorted((left, right) => left - right)).toEqual([
      missingCode,
      missingCode,
      bucketKey(3),
    ]);
  });

  it('holds the whole records with the lowest hashes, each value as a code', () => {
    const drawn: Records = Array.from({ length: 1000 }, (_, index) => [
      `p-${index}`,
      { row: index, twice: 2 * index },
      -index,
    ]);
    const { names, hashes, codes, outputs } = merged(drawn);
    expect(names).toEqual(['row', 'twice']);
    expect(hashes).toHaveLength(maxSampledRecords);
    const lowest = drawn.flatMap(one => merged([one]).hashes).sort((left, right) => left - right);
    expect(hashes).toEqual(lowest.slice(0, maxSampledRecords));
    const rowOf = new Map(drawn.map(([, { row }]) => [bucketKey(row as number), row as number]));
    for (let index = 0; index < codes.length; index += 2) {
      expect(codes[index + 1]).toBe(bucketKey(2 * rowOf.get(codes[index]!)!));
      expect(outputs[index / 2]).toBe(bucketKey(-rowOf.get(codes[index]!)!));
    }
  });

  it('draws each record with the same probability, for any form of its id', () => {
    const tenths = new Array<number>(10).fill(0);
    for (let window = 0; window < 100; window++) {
      const ids: Records = Array.from({ length: 640 }, (_, index) => [
        `model-1-${window * 640 + index}`,
        { index },
      ]);
      const indexOf = new Map(ids.map((_, index) => [bucketKey(index), index]));
      for (const code of merged(ids).codes) tenths[Math.floor(indexOf.get(code)! / 64)]! += 1;
    }
    // Each count should be about 640, with a standard deviation of 24.
    for (const count of tenths) expect(Math.abs(count - 640)).toBeLessThan(120);
  });

  it('holds the first twelve features of a record by name, and at most 64 of a window', () => {
    const wide = Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [`f${10 + index}`, index]),
    );
    expect(merged([['1', wide]]).names).toEqual(
      Array.from({ length: 12 }, (_, index) => `f${10 + index}`),
    );
    const different: Records = Array.from({ length: 60 }, (_, index) => [
      `${index}`,
      { [`a${index}`]: 1, [`b${index}`]: 1 },
    ]);
    expect(merged(different).names).toHaveLength(64);
  });

  it('gives missing and non-finite values a code that no other value has', () => {
    const codeOf = (value: FeatureValue) => sampledRecords(sampleOf([['1', { value }]])).codes[0]!;
    for (const value of [null, undefined, Number.NaN, Number.POSITIVE_INFINITY])
      expect(codeOf(value)).toBe(missingCode);
    fc.assert(
      fc.property(
        fc.oneof(fc.double({ noNaN: true }).filter(Number.isFinite), fc.string()),
        value => {
          expect(codeOf(value)).toBeGreaterThan(missingCode);
        },
      ),
    );
    expect(codeOf(-1)).toBeLessThan(codeOf(0));
    expect(codeOf(true)).toBe(codeOf('true'));
    expect(['1.25', '1,25', '+1,250e0'].map(codeOf)).toEqual(new Array(3).fill(codeOf(1.25)));
  });
});
