import { describe, expect, it } from 'vitest';
import { windowBlock } from '../../../services/profiler/blocks/windowBlock.ts';
import { anyOf } from '../../../services/shared/clickhouse/anyOf.ts';
import { inVersions, isVersion, isWithin } from '../../../services/shared/clickhouse/conditions.ts';
import {
  profileColumnNames,
  storedProfileColumns,
} from '../../../services/shared/clickhouse/storedProfile.ts';
import { clickhouseTime, timeOf } from '../../../services/shared/clickhouse/timeExpressions.ts';
import { maxCategories } from '../../../services/shared/profile/categoricalCounts.ts';
import { addValue, emptyFeatureProfile } from '../../../services/shared/profile/featureProfile.ts';
import { toProfileRow } from '../../../services/shared/profile/profileRow.ts';

const names = [
  { model: 'churn', version: '1' },
  { model: "o'hara", version: '2' },
];

describe('conditions', () => {
  it('hold values as parameters, and never as SQL', () => {
    expect(inVersions(names)).toEqual({
      sql: '(model, version) IN arrayZip({models:Array(String)}, {versions:Array(String)})',
      parameters: { models: ['churn', "o'hara"], versions: ['1', '2'] },
    });
    expect(anyOf(names, isVersion)).toEqual({
      sql: '((model = {p0:String} AND version = {p1:String}) OR (model = {p2:String} AND version = {p3:String}))',
      parameters: { p0: 'churn', p1: '1', p2: "o'hara", p3: '2' },
    });
  });

  it('are false for no items', () => {
    expect(anyOf([], isVersion)).toEqual({ sql: 'false', parameters: {} });
  });

  it('accept times as numbers and as placeholders', () => {
    expect(isWithin('event_time', -5, '{untilMs:Int64}')).toBe(
      "event_time >= fromUnixTimestamp64Milli(-5, 'UTC') AND event_time < fromUnixTimestamp64Milli({untilMs:Int64}, 'UTC')",
    );
    expect(timeOf(0)).toBe("fromUnixTimestamp64Milli(0, 'UTC')");
    expect(clickhouseTime(0)).toBe('1970-01-01 00:00:00.000');
  });
});

describe('profile columns', () => {
  it('are all fields of a profile row, in the order of the table', () => {
    // Only many categories and vectors have the last two columns.
    const profile = emptyFeatureProfile();
    for (let index = 0; index <= maxCategories; index++) addValue(profile, `name ${index}`);
    addValue(profile, [1, 2]);
    expect(Object.keys(toProfileRow(profile))).toEqual([...profileColumnNames]);
    expect(Object.keys(windowBlock().columns).slice(-profileColumnNames.length)).toEqual([
      ...profileColumnNames,
    ]);
    for (const name of profileColumnNames) expect(storedProfileColumns).toContain(name);
  });
});
