import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import { type VersionName, versionKey } from '../../../shared/versionKey.ts';
import { finalSetting, isAnyVersion } from '../../windows/conditions.ts';
import type { NewestOutcomes } from '../quality/outputNotices.ts';

/** Windows with outcomes in which something that is set apart is still worth a notice. */
const newestWindows = 100;

/** Outcomes of the newest windows of a version, and how many it has had in all. */
export interface SeenOutcomes extends NewestOutcomes {
  all: number;
}

/** Reads what was set apart in the newest windows of versions, by `versionKey`. */
export async function newestOutcomes(
  clickhouse: Clickhouse,
  versions: readonly VersionName[],
): Promise<Map<string, SeenOutcomes>> {
  const { sql, parameters } = isAnyVersion(versions);
  const rows = await clickhouse.select<
    VersionName & {
      all_outcomes: number;
      outcomes: number;
      apart: number;
      examples: string[];
      since_ms: number;
    }
  >(
    `SELECT model, version, sum(labelled + set_apart) AS all_outcomes,
            sumIf(labelled + set_apart, place <= ${newestWindows}) AS outcomes,
            sumIf(set_apart, place <= ${newestWindows}) AS apart,
            argMinIf(set_apart_examples, window_start, set_apart > 0 AND place <= ${newestWindows})
                AS examples,
            toUnixTimestamp64Milli(minIf(window_start, set_apart > 0 AND place <= ${newestWindows}))
                AS since_ms
     FROM
     (
         SELECT model, version, window_start, labelled, set_apart, set_apart_examples,
                row_number() OVER (PARTITION BY model, version ORDER BY window_start DESC) AS place
         FROM performance_windows FINAL WHERE ${sql} AND segment = ''
     )
     GROUP BY model, version SETTINGS ${finalSetting}`,
    parameters,
  );
  return new Map(
    rows.map(row => [
      versionKey(row),
      {
        all: row.all_outcomes,
        outcomes: row.outcomes,
        setApart: row.apart,
        examples: row.examples,
        sinceMs: row.since_ms,
      },
    ]),
  );
}
