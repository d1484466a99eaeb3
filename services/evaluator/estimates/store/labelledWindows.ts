import { anyOf } from '../../../shared/clickhouse/anyOf.ts';
import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import { type VersionName, versionKey } from '../../../shared/versionKey.ts';
import { finalSetting, hasWindowSize, sqlTime } from '../../windows/conditions.ts';
import type { LabelledWindow } from '../quality/calibrationPeriod.ts';

/** A version whose first labelled windows are looked for. */
export interface LabelledVersion extends VersionName {
  windowSizeMs: number;
  /**
   * Only windows that start before this time are read, because they held enough labels at an
   * earlier look, and labels do not become fewer. Null if that is not known.
   */
  beforeMs: number | null;
}

/**
 * Reads the first windows of each version that have labels, until they hold at least `minLabelled`
 * together, in the order of time; by `versionKey`.
 */
export async function labelledWindows(
  clickhouse: Clickhouse,
  versions: readonly LabelledVersion[],
  minLabelled: number,
): Promise<Map<string, LabelledWindow[]>> {
  const { sql, parameters } = anyOf(versions, ({ model, version, windowSizeMs, beforeMs }, value) =>
    [
      `model = ${value('String', model)}`,
      `version = ${value('String', version)}`,
      "segment = ''",
      hasWindowSize(windowSizeMs),
      ...(beforeMs === null ? [] : [`window_start < ${sqlTime(beforeMs)}`]),
    ].join(' AND '),
  );
  const rows = await clickhouse.select<
    VersionName & { end_ms: number; labelled: number; progress: string }
  >(
    `SELECT model, version, end_ms, labelled, toString(progress) AS progress
     FROM
     (
         SELECT model, version, toUnixTimestamp64Milli(window_end) AS end_ms, labelled, progress,
                sum(labelled) OVER earlier - labelled AS before
         FROM performance_windows FINAL WHERE ${sql}
         WINDOW earlier AS
             (PARTITION BY model, version ORDER BY window_start ROWS UNBOUNDED PRECEDING)
     )
     WHERE before < {minLabelled:UInt64} ORDER BY model, version, end_ms SETTINGS ${finalSetting}`,
    { ...parameters, minLabelled },
  );
  const windows = new Map<string, LabelledWindow[]>(
    versions.map(version => [versionKey(version), []]),
  );
  for (const row of rows)
    windows
      .get(versionKey(row))!
      .push({ endMs: row.end_ms, labelled: row.labelled, progress: BigInt(row.progress) });
  return windows;
}
