import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { anyOf } from '../../services/shared/clickhouse/anyOf.ts';
import { connectClickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import {
  clickhouseErrorCodes,
  isClickhouseError,
  isTransientClickhouseError,
} from '../../services/shared/clickhouse/clickhouseErrors.ts';
import {
  hasWindowSize,
  inVersions,
  isVersion,
  isWithin,
} from '../../services/shared/clickhouse/conditions.ts';
import { finalSettings } from '../../services/shared/clickhouse/finalSettings.ts';
import { clickhouseTime, windowStartOf } from '../../services/shared/clickhouse/timeExpressions.ts';
import { readEnvironment } from '../../services/shared/config/environment.ts';
import { windowStartMs } from '../../services/shared/timeWindow.ts';

const database = `test_${randomBytes(6).toString('hex')}`;
const clickhouse = connectClickhouse(
  readEnvironment({ CLICKHOUSE_URL: inject('clickhouseUrl') }),
  { retry: false },
  'default',
);
const table = `${database}.windows`;
const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 1);

beforeAll(async () => {
  await clickhouse.command(`CREATE DATABASE ${database}`);
  await clickhouse.command(
    `CREATE TABLE ${table}
     (
         model LowCardinality(String), version LowCardinality(String),
         window_start DateTime64(3, 'UTC'), window_end DateTime64(3, 'UTC')
     )
     ENGINE = ReplacingMergeTree PARTITION BY toYear(window_start)
     ORDER BY (model, version, window_start, window_end) SETTINGS index_granularity = 64`,
  );
  await clickhouse.insert(
    table,
    Array.from({ length: 4_000 }, (_, index) => ({
      model: `m${index % 40}`,
      version: `${index % 2}`,
      window_start: clickhouseTime(startMs + index * hourMs),
      window_end: clickhouseTime(startMs + index * hourMs + (index % 3 === 0 ? 2 : 1) * hourMs),
    })),
  );
});
afterAll(async () => {
  await clickhouse.command(`DROP DATABASE ${database}`);
  await clickhouse.close();
});

async function count(condition: string, parameters: Record<string, unknown> = {}) {
  const [row] = await clickhouse.select<{ rows: number }>(
    `SELECT count() AS rows FROM ${table} FINAL WHERE ${condition} ${finalSettings}`,
    parameters,
  );
  return row!.rows;
}

const names = [
  { model: 'm3', version: '1' },
  { model: 'm8', version: '0' },
  { model: 'm8', version: '1' },
];

describe('conditions', () => {
  it('find the rows of versions', async () => {
    const inThese = inVersions(names);
    const anyOfThese = anyOf(names, isVersion);
    expect(await count(inThese.sql, inThese.parameters)).toBe(200);
    expect(await count(anyOfThese.sql, anyOfThese.parameters)).toBe(200);
    const inNone = inVersions([]);
    expect(await count(inNone.sql, inNone.parameters)).toBe(0);
  });

  it('let ClickHouse find versions by the primary key', async () => {
    for (const { sql, parameters } of [inVersions(names), anyOf(names, isVersion)]) {
      const lines = await clickhouse.select<{ explain: string }>(
        `EXPLAIN indexes = 1 SELECT count() FROM ${table} WHERE ${sql}`,
        parameters,
      );
      const [read, all] = lines
        .map(({ explain }) => /Granules: (\d+)\/(\d+)/.exec(explain))
        .findLast(match => match !== null)!
        .slice(1)
        .map(Number);
      expect(read).toBeLessThan(all! / 4);
    }
  });

  it('find times in a half-open interval, and windows of a size', async () => {
    expect(await count(isWithin('window_start', startMs, startMs + 5 * hourMs))).toBe(5);
    const until = { untilMs: startMs + 5 * hourMs };
    expect(await count(isWithin('window_start', startMs, '{untilMs:Int64}'), until)).toBe(5);
    expect(await count(hasWindowSize(2 * hourMs))).toBe(1_334);
    expect(await count(hasWindowSize('{windowSizeMs:Int64}'), { windowSizeMs: hourMs })).toBe(
      2_666,
    );
  });

  it('put a time into the same window as the services do', async () => {
    const sizeMs = 7 * hourMs;
    const rows = await clickhouse.select<{ atMs: number; windowMs: number }>(
      `SELECT toUnixTimestamp64Milli(window_start) AS atMs, ${windowStartOf('window_start', sizeMs)} AS windowMs
       FROM ${table} LIMIT 50`,
    );
    expect(rows.length).toBe(50);
    for (const { atMs, windowMs } of rows) expect(windowMs).toBe(windowStartMs(atMs, sizeMs));
  });
});

describe('error codes', () => {
  it('have the names that ClickHouse gives them', async () => {
    const codes = Object.values(clickhouseErrorCodes).map(Number);
    const rows = await clickhouse.select<{ name: string }>(
      'SELECT errorCodeToName(arrayJoin({codes:Array(UInt32)})) AS name',
      { codes },
    );
    expect(rows.map(({ name }) => name)).toEqual(Object.keys(clickhouseErrorCodes));
  });

  it('distinguish a missing table, for which a retry is useless, from other errors', async () => {
    const error = await clickhouse
      .select(`SELECT * FROM ${database}.nothing`)
      .catch((error: unknown) => error);
    expect(isClickhouseError(error, ['UNKNOWN_DATABASE', 'UNKNOWN_TABLE'])).toBe(true);
    expect(isClickhouseError(error, ['UNKNOWN_DATABASE'])).toBe(false);
    expect(isTransientClickhouseError(error)).toBe(false);
    expect(isTransientClickhouseError(new Error('connect ECONNREFUSED'))).toBe(true);
    expect(isTransientClickhouseError(new TypeError('x is not a function'))).toBe(false);
  });
});
