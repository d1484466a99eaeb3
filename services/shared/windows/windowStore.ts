import type { Clickhouse } from '../clickhouse/clickhouse.ts';
import { millisecondsOf, timeOf, windowSizeOfRow } from '../clickhouse/timeExpressions.ts';
import type { VersionName } from '../versionKey.ts';

/** Windows of one size that are stored for a version and a partition of predictions. */
export interface StoredWindows extends VersionName {
  sourcePartition: number;
  windowSizeMs: number;
  /** Ascending. */
  startsMs: number[];
  /**
   * Highest event time of the version in the partition, or null when none of its predictions was
   * counted there.
   */
  maxEventTimeMs: number | null;
}

export interface StoredWindowsOptions {
  /** Windows that start before are left out. */
  fromMs?: number;
  /** Table with keys of windows that are no longer stored and are listed as well. */
  formerWindows?: string;
}

const key = 'model, version, source_partition, window_start, window_end';

/** Lists the windows of all versions, as they are stored in window_profiles. */
export async function storedWindows(
  clickhouse: Clickhouse,
  { fromMs, formerWindows }: StoredWindowsOptions,
): Promise<StoredWindows[]> {
  const former = formerWindows === undefined ? '' : `UNION ALL SELECT ${key} FROM ${formerWindows}`;
  return clickhouse.select<StoredWindows>(
    `SELECT w.model AS model, w.version AS version, w.source_partition AS sourcePartition, windowSizeMs, startsMs, maxEventTimeMs
     FROM
     (
         SELECT model, version, source_partition, ${windowSizeOfRow} AS windowSizeMs,
                arraySort(groupUniqArray(${millisecondsOf('window_start')})) AS startsMs
         FROM
         (
             SELECT ${key} FROM window_profiles WHERE {all:Bool} OR window_start >= ${timeOf('{fromMs:Int64}')}
             ${former}
         )
         GROUP BY model, version, source_partition, windowSizeMs
     ) AS w
     LEFT JOIN
     (
         SELECT model, version, source_partition, toNullable(${millisecondsOf('max_event_time')}) AS maxEventTimeMs
         FROM stream_progress FINAL WHERE predictions > 0
     ) AS p ON p.model = w.model AND p.version = w.version AND p.source_partition = w.source_partition
     ORDER BY model, version, w.source_partition`,
    { all: fromMs === undefined, fromMs: fromMs ?? 0 },
  );
}
