import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import { ofVersions, type PerVersion } from './perVersion.ts';
import { msOf } from './sqlTime.ts';

/** How far one partition of predictions has been profiled for a version. */
export interface StoredProgress {
  partition: number;
  maxEventTimeMs: number;
}

export function streamProgress(clickhouse: Clickhouse) {
  return {
    /** Reads the highest event time in each partition of predictions that carries a version. */
    async progress(names: readonly VersionName[]): Promise<PerVersion<StoredProgress[]>> {
      const { sql, parameters } = ofVersions(names);
      const rows = await clickhouse.select<VersionName & StoredProgress>(
        `SELECT model, version, source_partition AS partition,
                ${msOf('max_event_time')} AS maxEventTimeMs
         FROM stream_progress FINAL WHERE ${sql} AND predictions > 0`,
        parameters,
      );
      return Map.groupBy(rows, versionKey);
    },
  };
}
