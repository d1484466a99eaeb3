import {
  addArray,
  arrayColumn,
  dictionaryColumn,
  int32Column,
  int64Column,
  nativeBlock,
  uint32Column,
} from '../../shared/clickhouse/nativeBlock.ts';
import { sampledRecords } from '../../shared/profile/recordSample.ts';
import type { VersionName } from '../../shared/versionKey.ts';
import type { WindowState } from '../counting/windowState.ts';

export type SampleBlock = ReturnType<typeof sampleBlock>;

/** An empty block of rows of the table window_samples. */
export function sampleBlock() {
  return nativeBlock({
    model: dictionaryColumn(),
    version: dictionaryColumn(),
    window_start: int64Column("DateTime64(3, 'UTC')"),
    window_end: int64Column("DateTime64(3, 'UTC')"),
    source_partition: int32Column(),
    last_offset: int64Column('UInt64'),
    id_hashes: arrayColumn(uint32Column()),
    features: arrayColumn(dictionaryColumn()),
    codes: arrayColumn(int32Column()),
    outputs: arrayColumn(int32Column()),
  });
}

/** Appends the row of one window of one partition. */
export function addSample(
  block: SampleBlock,
  { model, version }: VersionName,
  { startMs, endMs, sample, sampledOffset }: WindowState,
  partition: number,
): void {
  const { columns } = block;
  const { names, hashes, codes, outputs } = sampledRecords(sample);
  columns.model.add(model);
  columns.version.add(version);
  columns.window_start.add(startMs);
  columns.window_end.add(endMs);
  columns.source_partition.add(partition);
  columns.last_offset.add(sampledOffset);
  addArray(columns.id_hashes, hashes);
  addArray(columns.features, names);
  addArray(columns.codes, codes);
  addArray(columns.outputs, outputs);
  block.rows++;
}
