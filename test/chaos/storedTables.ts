import { createHash } from 'node:crypto';
import { readTopic } from '../../infra/kafka/readTopic.ts';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import type { Kafka, KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { prefixed, topics } from '../../services/shared/kafka/topics.ts';
import { deadLetterOrigin } from '../../services/shared/service/deadLetters.ts';
import { comparedClass, comparedClassColumn } from './hostileRegistry.ts';
import { deadLetterColumns, key, type OracleTables, type Rows } from './oracle.ts';

type Row = Record<string, string | number | null>;

/** How to read a table. All columns that are not part of the key are compared. */
interface TableQuery {
  keys: string[];
  sql: string;
}

/** Returns SQL that turns a map into text, ordered by its names. */
const entries = (map: string) =>
  `arrayStringConcat(arraySort(arrayMap((name, value) -> concat(name, '=', toString(value)), mapKeys(${map}), mapValues(${map}))), ' ')`;
const milliseconds = (column: string, name: string) =>
  `toUnixTimestamp64Milli(${column}) AS ${name}`;

/** Queries of the tables in the shape of the oracle's rows. */
const oracleQueries: Record<Exclude<keyof OracleTables, 'topic dead-letters'>, TableQuery> = {
  predictions: {
    keys: ['model', 'version', 'time_ms', 'id'],
    sql: `SELECT model, version, ${milliseconds('event_time', 'time_ms')}, id,
                 source_partition AS partition, source_offset AS offset, prediction, score,
                 ${entries('numeric_features')} AS numbers, ${entries('categorical_features')} AS texts FROM predictions FINAL`,
  },
  window_profiles: {
    keys: ['model', 'version', 'start_ms', 'kind', 'feature', 'source_partition'],
    sql: `SELECT model, version, ${milliseconds('window_start', 'start_ms')}, kind, feature, source_partition, count, missing,
                 numeric_count, minimum, maximum, sum, arraySum(bucket_counts) AS in_buckets,
                 arrayStringConcat(arrayMap((value, n) -> concat(value, '=', toString(n)), category_values, category_counts), ' ') AS categories
          FROM window_profiles FINAL`,
  },
  window_samples: {
    keys: ['model', 'version', 'start_ms', 'source_partition'],
    sql: `SELECT model, version, ${milliseconds('window_start', 'start_ms')}, source_partition, last_offset,
                 arrayStringConcat(arrayMap((hash, output, row) -> concat(toString(hash), ':', arrayStringConcat(arrayFilter(pair -> pair != '',
                   arrayMap((name, code) -> if(code = -2147483648, '', concat(name, '=', toString(code))), features,
                            arraySlice(codes, row * length(features) + 1, length(features)))), ','), ':', toString(output)),
                   id_hashes, outputs, range(length(id_hashes))), ' ') AS records
          FROM window_samples FINAL`,
  },
  stream_progress: {
    keys: ['model', 'version', 'source_partition'],
    sql: `SELECT model, version, source_partition, predictions, duplicates, late, too_late,
                 ${milliseconds('max_event_time', 'max_ms')}, last_offset FROM stream_progress FINAL`,
  },
  feedback: {
    keys: ['id', 'model'],
    sql: `SELECT id, model, label, value, ${milliseconds('observed_at', 'observed_ms')} FROM feedback FINAL`,
  },
  outcomes: {
    keys: ['model', 'version', 'time_ms', 'id'],
    sql: `SELECT model, version, ${milliseconds('event_time', 'time_ms')}, id, label,
                 ${milliseconds('observed_at', 'observed_ms')} FROM outcomes FINAL`,
  },
  performance_windows: {
    keys: ['model', 'version', 'start_ms'],
    sql: `SELECT model, version, ${milliseconds('window_start', 'start_ms')}, predictions, labelled, errors
          FROM performance_windows FINAL`,
  },
  dead_letters: {
    keys: ['topic', 'source_partition', 'source_offset'],
    sql: `SELECT replaceOne(source_topic, concat(currentDatabase(), '-'), '') AS topic, source_partition, source_offset,
                 ${comparedClassColumn} AS class
          FROM dead_letters FINAL`,
  },
};

const windowKeys = ['model', 'version', 'segment', 'start_ms', 'end_ms'];
const windowColumns = `model, version, segment, ${milliseconds('window_start', 'start_ms')}, ${milliseconds('window_end', 'end_ms')}`;

/**
 * Queries of the verdicts, which must equal those of an undisturbed run over the same records. Two
 * things are not compared, because they depend on when data arrived: how often something was
 * revised (an alert: updated), and whether a drift was published and withdrawn.
 */
const verdictQueries = {
  evaluated_windows: {
    keys: windowKeys,
    sql: `SELECT ${windowColumns}, records, status, reference FROM evaluated_windows FINAL`,
  },
  drift_metrics: {
    keys: [...windowKeys, 'kind', 'feature', 'metric'],
    sql: `SELECT ${windowColumns}, kind, feature, metric, value, threshold, p_value, records, reference_records, reference, scale,
                 overdispersion FROM drift_metrics FINAL`,
  },
  estimated_quality: {
    keys: ['model', 'version', 'start_ms', 'metric'],
    sql: `SELECT model, version, ${milliseconds('window_start', 'start_ms')}, metric, status, estimate, lower, upper, records,
                 ${milliseconds('calibration_to', 'calibration_to_ms')}, calibration_records FROM estimated_quality FINAL`,
  },
  drift_events: {
    keys: ['id'],
    sql: `SELECT id, ${windowColumns}, feature, cause, severity, status, records, reference FROM drift_events FINAL
          WHERE status != 'withdrawn'`,
  },
  alerts: {
    keys: ['drift_events'],
    sql: `WITH (SELECT groupArray(id) FROM drift_events FINAL WHERE status != 'withdrawn') AS standing
          SELECT arrayStringConcat(arraySort(arrayFilter(id -> has(standing, id), drift_event_ids)), ' ') AS drift_events, state = 'resolved' AS resolved, model, version
          FROM alerts FINAL WHERE state != 'resolved' OR drift_events != ''`,
  },
} satisfies Record<string, TableQuery>;

export const oracleTables = Object.keys(oracleQueries) as (keyof typeof oracleQueries)[];
export type VerdictTable = keyof typeof verdictQueries;
export const verdictTables = Object.keys(verdictQueries) as VerdictTable[];

/** Reads the rows of a table from ClickHouse. */
export async function storedRows(
  clickhouse: Clickhouse,
  table: keyof typeof oracleQueries | VerdictTable,
): Promise<Rows> {
  const { keys, sql } = { ...oracleQueries, ...verdictQueries }[table];
  const rows: Rows = new Map();
  for (const row of await clickhouse.select<Row>(sql)) {
    const columns = Object.fromEntries(
      Object.entries(row).filter(([name]) => !keys.includes(name)),
    );
    rows.set(key(...keys.map(name => row[name]!)), columns);
  }
  return rows;
}

/**
 * Reads the dead letters of the topic, by their origin. One that was sent again after a crash
 * counts once if its contents are the same.
 */
export async function deadLettersOfTopic(
  kafka: Kafka,
  admin: KafkaAdmin,
  environment: Environment,
): Promise<{ rows: Rows; letters: number; differences: string[] }> {
  const rows: Rows = new Map();
  const found: string[] = [];
  let letters = 0;
  await readTopic(kafka, admin, prefixed(environment, topics.deadLetters), async records => {
    for (const record of records) {
      letters++;
      const origin = deadLetterOrigin(record)!;
      const topic = origin.topic.slice(environment.DRIFTLOOP_TOPIC_PREFIX.length);
      const place = key(topic, origin.partition, origin.offset);
      const columns = deadLetterColumns(
        { ...record, headers: origin.headers },
        comparedClass(origin.class, record.value),
      );
      const known = rows.get(place);
      if (known && fingerprint(known) !== fingerprint(columns))
        found.push(`topic dead-letters: ${place} occurs twice with different contents`);
      rows.set(place, columns);
    }
  });
  return { rows, letters, differences: found };
}

function fingerprint(row: object): string {
  return createHash('sha256').update(JSON.stringify(row)).digest('hex');
}

/** Returns a line for each row that is missing, unexpected or different. */
export function differences(table: string, expected: Rows, found: Rows): string[] {
  const lines: string[] = [];
  for (const [place, row] of expected) {
    const other = found.get(place);
    if (!other) lines.push(`${table}: ${place} is missing`);
    else
      for (const [column, value] of Object.entries(row))
        if (!isSame(value, other[column]))
          lines.push(`${table}: ${place}: ${column} is ${other[column]} instead of ${value}`);
  }
  for (const place of found.keys())
    if (!expected.has(place)) lines.push(`${table}: ${place} is unexpected`);
  return lines;
}

const tolerance = 1e-9;

/**
 * Returns whether two values are equal. Sums of floats may differ in the last bits between runs;
 * whole numbers may not.
 */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'number' || typeof other !== 'number') return false;
  if (Number.isInteger(one) && Number.isInteger(other)) return false;
  return Math.abs(one - other) <= tolerance * Math.max(1, Math.abs(one), Math.abs(other));
}
