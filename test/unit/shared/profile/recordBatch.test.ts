import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  emptyFeatureProfile,
  type FeatureProfile,
  type FeatureValue,
} from '../../../../services/shared/profile/featureProfile.ts';
import {
  countBatch,
  emptyRecordBatch,
  setValue,
} from '../../../../services/shared/profile/recordBatch.ts';
import { profileOf } from './profileOf.ts';

const mostRows = 7;
const columns = 3;

const number = fc.oneof(fc.double(), fc.integer(), fc.constant(-0), fc.constant(1e308));
const other = fc.oneof(fc.string({ unit: 'binary' }), fc.boolean(), fc.constant(null));
/** Generates rows with a column of numbers, one of texts, and one of both. */
const row = fc.tuple(number, other, fc.oneof(number, other));

function add(batch: ReturnType<typeof emptyRecordBatch>, values: readonly FeatureValue[]): void {
  for (const [column, value] of values.entries()) setValue(batch, column, value);
  batch.rows++;
  if (batch.rows === mostRows) countBatch(batch);
}

it('counts by columns exactly what counting value by value gives, to the last bit', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 1500, size: 'max' }), rows => {
      const profiles = Array.from({ length: columns }, emptyFeatureProfile);
      const batch = emptyRecordBatch(profiles, mostRows);
      for (const values of rows) add(batch, values);
      countBatch(batch);
      expect(profiles).toEqual(
        profiles.map((_, column) => profileOf(rows.map(values => values[column]))),
      );
    }),
    { numRuns: 50 },
  );
});

it('does not count undefined values, and counts a column as soon as it has a profile', () => {
  const profiles: (FeatureProfile | null)[] = [null];
  const batch = emptyRecordBatch(profiles, mostRows);
  for (const value of [undefined, undefined, 'a', undefined, 1, undefined, undefined]) {
    if (value !== undefined) profiles[0] ??= emptyFeatureProfile();
    add(batch, [value]);
  }
  expect(profiles).toEqual([profileOf(['a', 1])]);
  for (let index = 0; index < mostRows; index++) add(batch, [undefined]);
  expect(profiles).toEqual([profileOf(['a', 1])]);
});
