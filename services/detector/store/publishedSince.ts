import { anyOf, type Condition } from '../../shared/clickhouse/anyOf.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import type { PerVersion } from './perVersion.ts';
import { timeOf } from './sqlTime.ts';

/** Asks what was published for a version: what is open, what began after a time, and some ids. */
export interface PublishedSince extends VersionName {
  sinceMs: number;
  ids: readonly string[];
}

/**
 * Returns the condition that holds for the wanted rows.
 * @param isOpen condition for rows that are open
 * @param start column with the event time at which a row began
 */
export function publishedSince(
  wanted: readonly PublishedSince[],
  { isOpen, start }: { isOpen: string; start: string },
): Condition {
  return anyOf(
    wanted,
    ({ model, version, sinceMs, ids }, value) =>
      `model = ${value('String', model)} AND version = ${value('String', version)}
       AND (${isOpen} OR ${start} > ${timeOf(value('Int64', sinceMs))}
            OR id IN ${value('Array(String)', ids)})`,
  );
}

/** Groups rows by version and by id. */
export function byVersionAndId<Row extends VersionName & { id: string }>(
  rows: readonly Row[],
): PerVersion<Map<string, Row>> {
  const perVersion: PerVersion<Map<string, Row>> = new Map();
  for (const [key, ofVersion] of Map.groupBy(rows, versionKey)) {
    perVersion.set(key, new Map(ofVersion.map(row => [row.id, row])));
  }
  return perVersion;
}
