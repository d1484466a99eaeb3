import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import type { TaskDecision } from '../../../shared/task.ts';
import type { VersionName } from '../../../shared/versionKey.ts';
import { finalSetting, hasWindowSize, isVersion } from '../../windows/conditions.ts';

/** Finds the starts of a version's windows that were computed under another decision. */
export async function windowsDecidedOtherwise(
  clickhouse: Clickhouse,
  { model, version }: VersionName,
  { task, positiveLabel }: TaskDecision,
  windowSizeMs: number,
): Promise<number[]> {
  const rows = await clickhouse.select<{ start_ms: number }>(
    `SELECT DISTINCT toUnixTimestamp64Milli(window_start) AS start_ms FROM performance_windows FINAL
     WHERE ${isVersion} AND (task != {task:String} OR positive_label != {positiveLabel:String})
       AND ${hasWindowSize('{windowSizeMs:Int64}')}
     SETTINGS ${finalSetting}`,
    { model, version, task, positiveLabel: positiveLabel ?? '', windowSizeMs },
  );
  return rows.map(row => row.start_ms);
}
