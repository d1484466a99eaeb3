import { describe, expect, it } from 'vitest';
import { isInWindows, maxWindowsPerQuery } from '../../../services/evaluator/windows/conditions.ts';

const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 1);

describe('isInWindows', () => {
  it('uses one range for windows that follow each other, and passes names as parameters', () => {
    const windows = [{ model: "it's", version: '1', startsMs: new Set([0, 20, 10, 40]) }];
    expect(isInWindows(windows, 'window_start', 10)).toEqual({
      sql:
        '((model = {p0:String} AND version = {p1:String} AND true AND ' +
        "(window_start >= fromUnixTimestamp64Milli(0, 'UTC') AND " +
        "window_start < fromUnixTimestamp64Milli(30, 'UTC') OR " +
        "window_start >= fromUnixTimestamp64Milli(40, 'UTC') AND " +
        "window_start < fromUnixTimestamp64Milli(50, 'UTC'))))",
      parameters: { p0: "it's", p1: '1' },
    });
  });

  it('fits twice into a query, even for windows of different versions and high offsets', () => {
    const windows = Array.from({ length: maxWindowsPerQuery }, (_, index) => ({
      model: `model ${index}`,
      version: '1',
      startsMs: new Set([startMs]),
    }));
    const { sql } = isInWindows(
      windows,
      'event_time',
      hourMs,
      () => `source_partition = 3 AND toInt64(source_offset) > ${2 ** 42}`,
    );
    expect(2 * sql.length).toBeLessThan(256 * 1024 - 2_000);
  });
});
