import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import type { GivenReference } from '../reference/reference.ts';
import { observationOf, type StoredProfile } from './observedWindows.ts';
import { ofVersions, type PerVersion } from './perVersion.ts';
import { msOf } from './sqlTime.ts';
import { profileColumns } from './windowTables.ts';

export function referenceProfiles(clickhouse: Clickhouse) {
  return {
    /** Reads the id of the newest reference that came with each version or was uploaded for it. */
    async referenceIds(names: readonly VersionName[]): Promise<PerVersion<string>> {
      const { sql, parameters } = ofVersions(names);
      const rows = await clickhouse.select<VersionName & { id: string }>(
        `SELECT model, version, argMax(reference_id, (created_at, reference_id)) AS id
         FROM reference_profiles WHERE ${sql} GROUP BY model, version`,
        parameters,
      );
      return new Map(rows.map(row => [versionKey(row), row.id]));
    },

    async givenReference({ model, version }: VersionName, id: string): Promise<GivenReference> {
      const rows = await clickhouse.select<
        StoredProfile & { source: GivenReference['source']; end_ms: number }
      >(
        `SELECT toString(source) AS source, '' AS segment, ${msOf('window_start')} AS start_ms,
                ${msOf('window_end')} AS end_ms, toString(kind) AS kind, feature, ${profileColumns}
         FROM reference_profiles FINAL
         WHERE model = {model:String} AND version = {version:String} AND reference_id = {id:String}
         ORDER BY window_start, kind, feature`,
        { model, version, id },
      );
      const parts = [...Map.groupBy(rows, ({ start_ms }) => start_ms).values()].map(part =>
        observationOf(part, undefined, undefined, part[0]!.end_ms - part[0]!.start_ms),
      );
      return { id, source: rows[0]!.source, parts };
    },
  };
}
