import { queryPortions } from '../../shared/clickhouse/queryPortions.ts';
import type { VersionName } from '../../shared/versionKey.ts';

/** Maximum versions that one query asks for. */
const maxVersionsPerQuery = 200;

/** Condition on rows that name a model version. `versionParameters` gives its parameters. */
export const inVersions =
  '(model, version) IN arrayZip({models:Array(String)}, {versions:Array(String)})';

export function versionParameters(versions: readonly VersionName[]) {
  return {
    models: versions.map(({ model }) => model),
    versions: versions.map(({ version }) => version),
  };
}

/** Versions in portions for one query each. A flood of new names must not cost a query for each. */
export function versionPortions<T extends VersionName>(versions: readonly T[]): Iterable<T[]> {
  return queryPortions(versions, longerName, maxVersionsPerQuery);
}

/** Returns the longer of the two names, which bounds the longest parameter of a query. */
export function longerName({ model, version }: VersionName): string {
  return model.length > version.length ? model : version;
}
