import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import { inVersions } from '../../shared/clickhouse/conditions.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import type { PerVersion } from './perVersion.ts';

export function openNotices(clickhouse: Clickhouse) {
  return {
    /** Reads the messages of the notices that are open for some versions, the oldest first. */
    async openNotices(names: readonly VersionName[]): Promise<PerVersion<string[]>> {
      if (names.length === 0) return new Map();
      const { sql, parameters } = inVersions(names);
      const rows = await clickhouse.select<VersionName & { messages: string[] }>(
        `SELECT model, version, groupArray(message) AS messages
         FROM (SELECT model, version, message FROM notices FINAL
               WHERE ${sql} AND status = 'open' ORDER BY since, code, subject)
         GROUP BY model, version`,
        parameters,
      );
      return new Map(rows.map(row => [versionKey(row), row.messages]));
    },
  };
}
