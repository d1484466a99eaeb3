import {
  addArray,
  arrayColumn,
  byteColumn,
  dictionaryColumn,
  float64Column,
  int32Column,
  int64Column,
  nativeBlock,
  nullableFloat64Column,
  textColumn,
} from '../../shared/clickhouse/nativeBlock.ts';
import type { FeatureProfile } from '../../shared/profile/featureProfile.ts';
import { toProfileRow } from '../../shared/profile/profileRow.ts';
import type { VersionName } from '../../shared/versionKey.ts';
import type { ProfileKind } from '../counting/segmentProfiles.ts';
import type { WindowState } from '../counting/windowState.ts';

/** Values of the Enum8 in infra/clickhouse/0001_predictions.sql. */
const kindValues: Record<ProfileKind, number> = { feature: 1, output: 2, operation: 3 };
const profileKinds = Object.keys(kindValues) as ProfileKind[];
const kindType = `Enum8(${profileKinds.map(kind => `'${kind}' = ${kindValues[kind]}`).join(', ')})`;

export type WindowBlock = ReturnType<typeof windowBlock>;

/** An empty block of rows of the table window_profiles. */
export function windowBlock() {
  return nativeBlock({
    model: dictionaryColumn(),
    version: dictionaryColumn(),
    segment: dictionaryColumn(),
    window_start: int64Column("DateTime64(3, 'UTC')"),
    window_end: int64Column("DateTime64(3, 'UTC')"),
    kind: byteColumn(kindType),
    feature: dictionaryColumn(),
    source_partition: int32Column(),
    last_offset: int64Column('UInt64'),
    count: int64Column('UInt64'),
    missing: int64Column('UInt64'),
    non_finite: int64Column('UInt64'),
    numeric_count: int64Column('UInt64'),
    minimum: nullableFloat64Column(),
    maximum: nullableFloat64Column(),
    sum: float64Column(),
    mantissa_bits: byteColumn('Int8'),
    bucket_keys: arrayColumn(int32Column()),
    bucket_counts: arrayColumn(int64Column('UInt64')),
    categorical_count: int64Column('UInt64'),
    hashed: byteColumn('UInt8'),
    category_values: arrayColumn(textColumn()),
    category_counts: arrayColumn(int64Column('UInt64')),
    text_summary: textColumn(),
    vector_summary: textColumn(),
  });
}

/** Appends the rows of one window of one partition. Its waiting records must have been counted. */
export function addWindow(
  block: WindowBlock,
  { model, version }: VersionName,
  window: WindowState,
  partition: number,
): void {
  const { columns } = block;
  for (const [segment, profiles] of window.segments) {
    if (profiles.waiting !== null)
      throw new Error(
        `segment "${segment}" of ${model} ${version} has records that are not counted yet`,
      );
    for (const kind of profileKinds) {
      for (const [feature, profile] of profiles[kind]) {
        columns.model.add(model);
        columns.version.add(version);
        columns.segment.add(segment);
        columns.window_start.add(window.startMs);
        columns.window_end.add(window.endMs);
        columns.kind.add(kindValues[kind]);
        columns.feature.add(feature);
        columns.source_partition.add(partition);
        columns.last_offset.add(window.lastOffset);
        addProfile(block, profile);
        block.rows++;
      }
    }
  }
}

function addProfile({ columns }: WindowBlock, profile: FeatureProfile): void {
  const row = toProfileRow(profile);
  columns.count.add(row.count);
  columns.missing.add(row.missing);
  columns.non_finite.add(row.non_finite);
  columns.numeric_count.add(row.numeric_count);
  columns.minimum.add(row.minimum);
  columns.maximum.add(row.maximum);
  columns.sum.add(row.sum);
  columns.mantissa_bits.add(row.mantissa_bits);
  addArray(columns.bucket_keys, row.bucket_keys);
  addArray(columns.bucket_counts, row.bucket_counts);
  columns.categorical_count.add(row.categorical_count);
  columns.hashed.add(row.hashed);
  addArray(columns.category_values, row.category_values);
  addArray(columns.category_counts, row.category_counts);
  columns.text_summary.add(row.text_summary ?? '');
  columns.vector_summary.add(row.vector_summary ?? '');
}
