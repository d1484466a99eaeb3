import { type Clickhouse, clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import type { VersionName } from '../../shared/versionKey.ts';
import type { KnownFeature } from '../reference/knownFeature.ts';

/** What the features of a version are after a number of windows. */
export interface KnownFeatures extends VersionName {
  windows: number;
  features: readonly KnownFeature[];
}

export function featureKinds(clickhouse: Clickhouse) {
  return {
    async insertFeatureKinds(versions: readonly KnownFeatures[]): Promise<void> {
      const rows = versions.flatMap(({ model, version, windows, features }) =>
        features.map(({ feature, kind, declared, evidence, sinceMs }) => ({
          model,
          version,
          feature,
          kind,
          declared: declared ? 1 : 0,
          since: clickhouseTime(sinceMs),
          evidence,
          windows,
        })),
      );
      if (rows.length > 0) await clickhouse.insert('feature_kinds', rows);
    },
  };
}
