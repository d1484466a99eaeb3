import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import { meaningKey, type OutputMeaning } from '../../../shared/output/outputMeaning.ts';
import type { VersionName } from '../../../shared/versionKey.ts';
import { finalSetting, hasWindowSize, isVersion } from '../../windows/conditions.ts';

/** Finds the starts of a version's windows that were computed under another meaning of the outputs. */
export async function windowsDecidedOtherwise(
  clickhouse: Clickhouse,
  { model, version }: VersionName,
  meaning: OutputMeaning,
  windowSizeMs: number,
): Promise<number[]> {
  const rows = await clickhouse.select<{ start_ms: number }>(
    `SELECT DISTINCT toUnixTimestamp64Milli(window_start) AS start_ms FROM performance_windows FINAL
     WHERE ${isVersion} AND meaning_key != {meaningKey:String}
       AND ${hasWindowSize('{windowSizeMs:Int64}')}
     SETTINGS ${finalSetting}`,
    { model, version, meaningKey: meaningKey(meaning), windowSizeMs },
  );
  return rows.map(row => row.start_ms);
}
