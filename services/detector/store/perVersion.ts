import { anyOf, type Condition } from '../../shared/clickhouse/anyOf.ts';
import type { VersionName } from '../../shared/versionKey.ts';

/** What a query found per model version, by `versionKey`. Versions without rows are absent. */
export type PerVersion<T> = Map<string, T>;

/** Returns the condition that holds for the rows of the given versions. */
export function ofVersions(names: readonly VersionName[]): Condition {
  return anyOf(
    names,
    ({ model, version }, value) =>
      `model = ${value('String', model)} AND version = ${value('String', version)}`,
  );
}
