import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import { type VersionName, versionKey } from '../../../shared/versionKey.ts';
import { isAnyVersion } from '../../windows/conditions.ts';

/** Reads the highest event time of each version, by `versionKey`. */
export async function maxEventTimesMs(
  clickhouse: Clickhouse,
  versions: readonly VersionName[],
): Promise<Map<string, number>> {
  const { sql, parameters } = isAnyVersion(versions);
  const rows = await clickhouse.select<VersionName & { max_ms: number }>(
    `SELECT model, version, toUnixTimestamp64Milli(max(max_event_time)) AS max_ms
     FROM stream_progress FINAL WHERE ${sql} AND predictions > 0 GROUP BY model, version`,
    parameters,
  );
  return new Map(rows.map(row => [versionKey(row), row.max_ms]));
}
