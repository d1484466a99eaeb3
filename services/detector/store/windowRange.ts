import { anyOf, type Condition } from '../../shared/clickhouse/anyOf.ts';
import type { VersionName } from '../../shared/versionKey.ts';
import { msOf, timeOf } from './sqlTime.ts';

/** The windows of a version that start between two times, both inclusive. */
export interface WindowRange extends VersionName {
  fromMs: number;
  toMs: number;
  /** Windows of another size, from before the setting was changed, are not in the range. */
  windowSizeMs: number;
}

/** Returns the condition that holds for the windows of any of the ranges. */
export function inRanges(ranges: readonly WindowRange[]): Condition {
  return anyOf(
    ranges,
    ({ model, version, fromMs, toMs, windowSizeMs }, value) =>
      `model = ${value('String', model)} AND version = ${value('String', version)}
       AND window_start >= ${timeOf(value('Int64', fromMs))}
       AND window_start <= ${timeOf(value('Int64', toMs))}
       AND ${msOf('window_end')} - ${msOf('window_start')} = ${value('Int64', windowSizeMs)}`,
  );
}
