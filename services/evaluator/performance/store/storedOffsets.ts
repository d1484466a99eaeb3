import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import type { VersionName } from '../../../shared/versionKey.ts';
import { isAnyVersion } from '../../windows/conditions.ts';

export interface StoredOffset extends VersionName {
  sourcePartition: number;
  /** Offset up to which all predictions of the version in the partition are stored. */
  lastOffset: number;
}

/** Reads how far the predictions of versions are stored, for each partition of their topic. */
export async function storedOffsets(
  clickhouse: Clickhouse,
  versions: readonly VersionName[],
): Promise<StoredOffset[]> {
  const { sql, parameters } = isAnyVersion(versions);
  const rows = await clickhouse.select<
    VersionName & { source_partition: number; last_offset: number }
  >(
    `SELECT model, version, source_partition, last_offset FROM stream_progress FINAL WHERE ${sql}`,
    parameters,
  );
  return rows.map(({ model, version, source_partition, last_offset }) => ({
    model,
    version,
    sourcePartition: source_partition,
    lastOffset: last_offset,
  }));
}
