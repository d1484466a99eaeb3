import type { Clickhouse } from '../clickhouse/clickhouse.ts';
import { clickhouseTime } from '../clickhouse/timeExpressions.ts';
import type { ReferenceProfiles } from '../profile/referenceProfiles.ts';
import type { VersionName } from '../versionKey.ts';

export interface ReferenceOf extends VersionName {
  source: 'training' | 'upload';
}

/** Writes the profiles of a reference to reference_profiles. */
export async function insertReference(
  clickhouse: Clickhouse,
  reference: ReferenceProfiles,
  { model, version, source }: ReferenceOf,
): Promise<void> {
  await clickhouse.insert(
    'reference_profiles',
    reference.rows.map(row => ({
      ...row,
      reference_id: reference.id,
      model,
      version,
      source,
      window_start: clickhouseTime(row.window_start),
      window_end: clickhouseTime(row.window_end),
    })),
  );
}
