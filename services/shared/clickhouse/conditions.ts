import type { VersionName } from '../versionKey.ts';
import type { Condition, ParameterOf } from './anyOf.ts';
import { timeOf, windowSizeOfRow } from './timeExpressions.ts';

/**
 * Returns the condition that a row is of one of these versions. It has two parameters, `models` and
 * `versions`, however many versions there are, and ClickHouse uses the primary key (model, version,
 * …) for it as it does for `anyOf`.
 */
export function inVersions(versions: readonly VersionName[]): Condition {
  return {
    sql: '(model, version) IN arrayZip({models:Array(String)}, {versions:Array(String)})',
    parameters: {
      models: versions.map(({ model }) => model),
      versions: versions.map(({ version }) => version),
    },
  };
}

/** Returns the condition that a row is of this version, for use in `anyOf`. */
export function isVersion({ model, version }: VersionName, parameterOf: ParameterOf): string {
  return `model = ${parameterOf('String', model)} AND version = ${parameterOf('String', version)}`;
}

/**
 * Returns the condition that a time is in `[from, before)`.
 * @param column of type DateTime64
 * @param from milliseconds since the epoch, as a number or in SQL; the same for `before`
 * @example isWithin('event_time', 0, '{untilMs:Int64}')
 */
export function isWithin(column: string, from: number | string, before: number | string): string {
  return `${column} >= ${timeOf(from)} AND ${column} < ${timeOf(before)}`;
}

/**
 * Returns the condition that the window of a row has this size. A table holds windows of several
 * sizes when the setting `window` was changed.
 * @param windowSizeMs as a number or in SQL
 */
export function hasWindowSize(windowSizeMs: number | string): string {
  return `${windowSizeOfRow} = ${windowSizeMs}`;
}
