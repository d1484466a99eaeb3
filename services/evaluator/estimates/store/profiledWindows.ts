import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import {
  type FeatureProfile,
  mergeFeatureProfiles,
} from '../../../shared/profile/featureProfile.ts';
import { fromProfileRow, type ProfileRow } from '../../../shared/profile/profileRow.ts';
import type { VersionName } from '../../../shared/versionKey.ts';
import { finalSetting, hasWindowSize, isInWindows } from '../../windows/conditions.ts';
import type { VersionWindows } from '../../windows/versionWindows.ts';
import { rowsByWindow, type WindowName } from './rowsByWindow.ts';

/** The profiles of a window's outputs and features, by name. */
export interface ProfiledWindow extends WindowName {
  outputs: ReadonlyMap<string, FeatureProfile>;
  features: ReadonlyMap<string, FeatureProfile>;
}

interface StoredProfile extends ProfileRow, VersionName {
  start_ms: number;
  kind: 'feature' | 'output';
  feature: string;
}

/**
 * Reads the profiles of windows, merged over partitions. A window without predictions is absent.
 */
export async function profiledWindows(
  clickhouse: Clickhouse,
  windows: readonly VersionWindows[],
  windowSizeMs: number,
): Promise<ProfiledWindow[]> {
  const { sql, parameters } = isInWindows(
    windows,
    'window_start',
    windowSizeMs,
    () => "segment = ''",
  );
  const rows = await clickhouse.select<StoredProfile>(
    `SELECT model, version, toUnixTimestamp64Milli(window_start) AS start_ms,
            toString(kind) AS kind, feature, count, missing, non_finite,
            numeric_count, minimum, maximum, sum, mantissa_bits, bucket_keys, bucket_counts,
            categorical_count, hashed, category_values, category_counts
     FROM window_profiles FINAL
     WHERE ${sql} AND ${hasWindowSize('{windowSizeMs:Int64}')} AND kind IN ('feature', 'output')
     ORDER BY model, version, window_start, kind, feature, source_partition
     SETTINGS ${finalSetting}`,
    { ...parameters, windowSizeMs },
  );
  return rowsByWindow(rows).map(({ window, rows: ofWindow }) => ({
    ...window,
    outputs: mergedProfiles(ofWindow.filter(({ kind }) => kind === 'output')),
    features: mergedProfiles(ofWindow.filter(({ kind }) => kind === 'feature')),
  }));
}

function mergedProfiles(rows: readonly StoredProfile[]): Map<string, FeatureProfile> {
  const byName = Map.groupBy(rows, ({ feature }) => feature);
  return new Map(
    [...byName].map(([name, parts]) => [name, mergeFeatureProfiles(...parts.map(fromProfileRow))]),
  );
}
