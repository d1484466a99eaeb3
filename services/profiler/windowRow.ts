import type { FeatureProfile } from '../shared/profile/featureProfile.ts';
import { toProfileRow } from '../shared/profile/profileRow.ts';
import {
  type RowBinary,
  writeArray,
  writeByte,
  writeFloat64,
  writeInt32,
  writeInt64,
  writeNullableFloat64,
  writeText,
} from '../shared/rowBinary.ts';
import type { VersionName } from '../shared/versionKey.ts';
import type { ProfileKind, WindowState } from './profiler.ts';

/** Columns of the table window_profiles in the order in which they are written. */
export const windowColumns = [
  'model',
  'version',
  'segment',
  'window_start',
  'window_end',
  'kind',
  'feature',
  'source_partition',
  'last_offset',
  'count',
  'missing',
  'non_finite',
  'numeric_count',
  'minimum',
  'maximum',
  'sum',
  'mantissa_bits',
  'bucket_keys',
  'bucket_counts',
  'categorical_count',
  'hashed',
  'category_values',
  'category_counts',
] as const;

/** Values of the enum in infra/clickhouse/0001_predictions.sql. */
const kindValues: Record<ProfileKind, number> = { feature: 1, output: 2, operation: 3 };
const profileKinds = Object.keys(kindValues) as ProfileKind[];

/** Appends the rows of window_profiles for one window of one partition. */
export function writeWindowRows(
  rows: RowBinary,
  { model, version }: VersionName,
  window: WindowState,
  partition: number,
): void {
  for (const [segment, profiles] of window.segments) {
    for (const kind of profileKinds) {
      for (const [feature, profile] of profiles[kind]) {
        writeText(rows, model);
        writeText(rows, version);
        writeText(rows, segment);
        writeInt64(rows, window.startMs);
        writeInt64(rows, window.endMs);
        writeByte(rows, kindValues[kind]);
        writeText(rows, feature);
        writeInt32(rows, partition);
        writeInt64(rows, window.lastOffset);
        writeProfile(rows, profile);
        rows.rows++;
      }
    }
  }
}

function writeProfile(rows: RowBinary, profile: FeatureProfile): void {
  const row = toProfileRow(profile);
  writeInt64(rows, row.count);
  writeInt64(rows, row.missing);
  writeInt64(rows, row.non_finite);
  writeInt64(rows, row.numeric_count);
  writeNullableFloat64(rows, row.minimum);
  writeNullableFloat64(rows, row.maximum);
  writeFloat64(rows, row.sum);
  writeByte(rows, row.mantissa_bits);
  writeArray(rows, row.bucket_keys, writeInt32);
  writeArray(rows, row.bucket_counts, writeInt64);
  writeInt64(rows, row.categorical_count);
  writeByte(rows, row.hashed);
  writeArray(rows, row.category_values, writeText);
  writeArray(rows, row.category_counts, writeInt64);
}
