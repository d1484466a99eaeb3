import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import {
  profileColumns,
  type StoredProfile,
  storedProfileColumns,
} from '../../services/shared/clickhouse/storedProfile.ts';
import {
  type FeatureProfile,
  mergeFeatureProfiles,
} from '../../services/shared/profile/featureProfile.ts';
import { fromProfileRow, type ProfileRow } from '../../services/shared/profile/profileRow.ts';
import type { VersionName } from '../../services/shared/versionKey.ts';

/** A feature or output of a version. */
export interface VariableName {
  kind: 'feature' | 'output';
  name: string;
}

/** The profile of a variable in one window. */
export interface WindowProfile {
  startMs: number;
  profile: FeatureProfile;
}

/** Lists the features and outputs of a version, outputs first. */
export function variableNames(
  clickhouse: Clickhouse,
  { model, version }: VersionName,
): Promise<VariableName[]> {
  return clickhouse.select<VariableName>(
    `SELECT DISTINCT toString(kind) AS kind, feature AS name FROM window_profiles
     WHERE model = {model:String} AND version = {version:String} AND segment = ''
       AND kind IN ('feature', 'output')
     ORDER BY kind DESC, name`,
    { model, version },
  );
}

/** Reads the profiles of one variable in all windows, in their order. */
export async function windowProfiles(
  clickhouse: Clickhouse,
  { model, version }: VersionName,
  { kind, name }: VariableName,
): Promise<WindowProfile[]> {
  const rows = await clickhouse.select<StoredProfile>(
    `SELECT ${storedProfileColumns} FROM window_profiles FINAL
     WHERE model = {model:String} AND version = {version:String} AND segment = ''
       AND kind = {kind:String} AND feature = {name:String}
     ORDER BY window_start`,
    { model, version, kind, name },
  );
  return Array.from(
    Map.groupBy(rows, ({ start_ms }) => start_ms),
    ([startMs, parts]) => ({ startMs, profile: mergedRows(parts) }),
  );
}

/** Reads the profile of a variable in the newest reference that came with a version, if any did. */
export async function referenceProfile(
  clickhouse: Clickhouse,
  { model, version }: VersionName,
  { kind, name }: VariableName,
): Promise<FeatureProfile | null> {
  const rows = await clickhouse.select<ProfileRow>(
    `SELECT ${profileColumns} FROM reference_profiles FINAL
     WHERE model = {model:String} AND version = {version:String}
       AND kind = {kind:String} AND feature = {name:String}
       AND reference_id = (
         SELECT argMax(reference_id, (created_at, reference_id)) FROM reference_profiles
         WHERE model = {model:String} AND version = {version:String})`,
    { model, version, kind, name },
  );
  return rows.length === 0 ? null : mergedRows(rows);
}

function mergedRows(rows: readonly ProfileRow[]): FeatureProfile {
  return mergeFeatureProfiles(...rows.map(fromProfileRow));
}
