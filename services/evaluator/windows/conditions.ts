/*
 * Parts of SQL statements that name versions, windows and times.
 */

import { anyOf, type Condition } from '../../shared/clickhouse/anyOf.ts';
import type { VersionName } from '../../shared/versionKey.ts';
import { joinedWindows, type VersionWindows } from './versionWindows.ts';

/**
 * Setting of queries that read with FINAL. The rows of a key are never in two partitions of a
 * table, so ClickHouse need not merge across partitions.
 */
export const finalSetting = 'do_not_merge_across_partitions_select_final = 1';

/**
 * Windows that one query names. The text of two conditions on as many versions stays below the
 * 256 KiB that ClickHouse reads of a query.
 */
export const maxWindowsPerQuery = 500;

/** Start of the window that holds an event time, in milliseconds. */
export const windowStartOf = (eventMs: string) =>
  `intDiv(${eventMs}, {windowSizeMs:Int64}) * {windowSizeMs:Int64}`;

/** Holds for windows of a size. @param windowSizeMs a number, or a query parameter */
export const hasWindowSize = (windowSizeMs: number | string) =>
  `toUnixTimestamp64Milli(window_end) - toUnixTimestamp64Milli(window_start) = ${windowSizeMs}`;

/** Holds for the rows of one version. */
export const isVersion = 'model = {model:String} AND version = {version:String}';

/** Returns a condition that holds for the rows of any of the versions. */
export function isAnyVersion(versions: readonly VersionName[]): Condition {
  return {
    sql: '(model, version) IN arrayZip({models:Array(String)}, {versions:Array(String)})',
    parameters: {
      models: versions.map(({ model }) => model),
      versions: versions.map(({ version }) => version),
    },
  };
}

/**
 * Returns a condition that holds for the rows of any of the windows. It states ranges of the
 * primary key (model, version, time), so that ClickHouse reads only the granules of the windows.
 *
 * The parameters depend on the windows alone, so two conditions on the same windows can be used in
 * one query with the parameters of either.
 *
 * @param conditionOf what must hold besides
 */
export function isInWindows<Windows extends VersionWindows>(
  windows: readonly Windows[],
  timeColumn: 'event_time' | 'window_start',
  windowSizeMs: number,
  conditionOf: (windows: Windows) => string = () => 'true',
): Condition {
  return anyOf(windows, (ofVersion, value) => {
    const { model, version, startsMs } = ofVersion;
    const ranges = joinedWindows(startsMs, windowSizeMs).map(
      ({ startMs, endMs }) =>
        `${timeColumn} >= ${sqlTime(startMs)} AND ${timeColumn} < ${sqlTime(endMs)}`,
    );
    return [
      `model = ${value('String', model)}`,
      `version = ${value('String', version)}`,
      conditionOf(ofVersion),
      `(${ranges.join(' OR ')})`,
    ].join(' AND ');
  });
}

/** Returns an event time as SQL. */
export function sqlTime(timeMs: number): string {
  return `fromUnixTimestamp64Milli(${timeMs}, 'UTC')`;
}
