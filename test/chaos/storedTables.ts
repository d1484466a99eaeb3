import type { Clickhouse } from '../../services/shared/clickhouse.ts';
import { key, type OracleTables, type Rows, roundedSum } from './oracle.ts';

type Row = Record<string, string | number | null>;

/** A map as text in the order of its names. */
const entries = (map: string) =>
  `arrayStringConcat(arraySort(arrayMap((name, value) -> concat(name, '=', toString(value)), mapKeys(${map}), mapValues(${map}))), ' ')`;

/** How to read each table in the shape of the oracle: columns of the key, then those that are compared. */
const queries: Record<keyof OracleTables, { keys: string[]; sql: string }> = {
  predictions: {
    keys: ['model', 'version', 'time_ms', 'id'],
    sql: `SELECT model, version, toUnixTimestamp64Milli(event_time) AS time_ms, id,
                 source_partition AS partition, source_offset AS offset, prediction, score,
                 ${entries('numeric_features')} AS numbers, ${entries('categorical_features')} AS texts FROM predictions FINAL`,
  },
  window_profiles: {
    keys: ['model', 'version', 'start_ms', 'kind', 'feature', 'source_partition'],
    sql: `SELECT model, version, toUnixTimestamp64Milli(window_start) AS start_ms, kind, feature, source_partition, count, missing,
                 numeric_count, minimum, maximum, sum, arraySum(bucket_counts) AS in_buckets,
                 arrayStringConcat(arrayMap((value, n) -> concat(value, '=', toString(n)), category_values, category_counts), ' ') AS categories
          FROM window_profiles FINAL`,
  },
  stream_progress: {
    keys: ['model', 'version', 'source_partition'],
    sql: `SELECT model, version, source_partition, predictions, duplicates, late, too_late,
                 toUnixTimestamp64Milli(max_event_time) AS max_ms, last_offset FROM stream_progress FINAL`,
  },
  feedback: {
    keys: ['id', 'model'],
    sql: 'SELECT id, model, label, value, toUnixTimestamp64Milli(observed_at) AS observed_ms FROM feedback FINAL',
  },
  outcomes: {
    keys: ['model', 'version', 'time_ms', 'id'],
    sql: `SELECT model, version, toUnixTimestamp64Milli(event_time) AS time_ms, id, label,
                 toUnixTimestamp64Milli(observed_at) AS observed_ms FROM outcomes FINAL`,
  },
  performance_windows: {
    keys: ['model', 'version', 'start_ms'],
    sql: `SELECT model, version, toUnixTimestamp64Milli(window_start) AS start_ms, predictions, labelled, errors
          FROM performance_windows FINAL`,
  },
  dead_letters: {
    keys: ['topic', 'source_partition', 'source_offset'],
    sql: `SELECT replaceOne(source_topic, concat(currentDatabase(), '-'), '') AS topic, source_partition, source_offset, class
          FROM dead_letters FINAL`,
  },
};

export const comparedTables = Object.keys(queries) as (keyof OracleTables)[];

/** What ClickHouse holds of a table. */
export async function storedRows(clickhouse: Clickhouse, table: keyof OracleTables): Promise<Rows> {
  const { keys, sql } = queries[table];
  const rows: Rows = new Map();
  for (const row of await clickhouse.select<Row>(sql)) {
    const columns = Object.fromEntries(Object.entries(row).filter(([name]) => !keys.includes(name)));
    if (typeof columns.sum === 'number') columns.sum = roundedSum(columns.sum);
    rows.set(key(...keys.map(name => row[name]!)), columns);
  }
  return rows;
}

/** Lines that say what is missing, too much or different. */
export function differences(table: string, expected: Rows, found: Rows): string[] {
  const lines: string[] = [];
  for (const [place, row] of expected) {
    const other = found.get(place);
    if (!other) lines.push(`${table}: ${place} is missing`);
    else
      for (const [column, value] of Object.entries(row))
        if (value !== other[column]) lines.push(`${table}: ${place}: ${column} is ${other[column]}, must be ${value}`);
  }
  for (const place of found.keys()) if (!expected.has(place)) lines.push(`${table}: ${place} must not be there`);
  return lines;
}
