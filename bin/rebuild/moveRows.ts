import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';

/** How many rows of a table were written, and how many were removed because they were wrong. */
export interface MovedRows {
  table: string;
  written: number;
  removed: number;
}

interface MovedTable {
  table: string;
  key: string;
  /** Column that decides between two rows of a key. */
  version: string;
  timeColumn: 'event_time' | 'window_start';
}

/** In the order in which services write them, so that a row exists before others refer to it. */
export const movedTables: readonly MovedTable[] = [
  {
    table: 'predictions',
    key: 'model, version, event_time, id',
    version: 'precedence',
    timeColumn: 'event_time',
  },
  {
    table: 'shadow_predictions',
    key: 'model, version, event_time, id',
    version: 'precedence',
    timeColumn: 'event_time',
  },
  {
    table: 'flags',
    key: 'model, version, rule, event_time, id',
    version: 'ingested_at',
    timeColumn: 'event_time',
  },
  {
    table: 'window_profiles',
    key: 'model, version, segment, window_start, window_end, kind, feature, source_partition',
    version: 'last_offset',
    timeColumn: 'window_start',
  },
  {
    table: 'window_samples',
    key: 'model, version, window_start, window_end, source_partition',
    version: 'last_offset',
    timeColumn: 'window_start',
  },
  {
    table: 'outcomes',
    key: 'model, version, event_time, id',
    version: 'precedence',
    timeColumn: 'event_time',
  },
  {
    table: 'performance_windows',
    key: 'model, version, segment, window_start, window_end',
    version: 'progress',
    timeColumn: 'window_start',
  },
];

const judgedTables = ['evaluated_windows', 'drift_metrics'] as const;
const windowKey = 'model, version, segment, window_start, window_end';

/**
 * Returns the SQL condition on the rows that the rebuild replaces.
 * @param fromMs null: all rows
 */
export function inScope(timeColumn: string, fromMs: number | null): string {
  return fromMs === null ? 'true' : `${timeColumn} >= fromUnixTimestamp64Milli(${fromMs}, 'UTC')`;
}

/**
 * Moves the rows of a rebuild into the tables. New rows are written before wrong ones are removed,
 * so that no reader misses any. Of two rows with the same key and version, the one that was written
 * last is valid.
 * @param clickhouse database of the tables
 * @param shadow name of the database of the rebuild
 * @param fromMs event time from which the rows of the rebuild are complete; null: all are complete
 * @param sources topics of producers
 */
export async function moveRows(
  clickhouse: Clickhouse,
  shadow: string,
  fromMs: number | null,
  sources: readonly string[],
): Promise<MovedRows[]> {
  const moved: MovedRows[] = [];
  const write = (table: string, selected: string) =>
    clickhouse.command(`INSERT INTO ${table} ${selected}`);

  moved.push({
    table: 'feedback',
    written: await count(clickhouse, `${shadow}.feedback FINAL`),
    removed: 0,
  });
  await write('feedback', `SELECT * FROM ${shadow}.feedback FINAL`);
  for (const movedTable of movedTables)
    moved.push(await moveTable(clickhouse, shadow, movedTable, fromMs));
  for (const table of judgedTables)
    moved.push({
      table,
      written: 0,
      removed: await removeUnseenWindows(clickhouse, table, fromMs),
    });
  moved.push(await removeEstimates(clickhouse, fromMs));
  moved.push(await moveProgress(clickhouse, shadow, fromMs));

  const letters = `${shadow}.dead_letters FINAL WHERE source_topic IN (${sources.map(topic => `'${topic}'`).join(', ')})
    AND (source_topic, source_partition, source_offset) NOT IN (SELECT source_topic, source_partition, source_offset FROM dead_letters)`;
  moved.push({ table: 'dead_letters', written: await count(clickhouse, letters), removed: 0 });
  await write('dead_letters', `SELECT * FROM ${letters}`);
  if (fromMs === null) {
    // What outputs mean was decided from rows that may have been wrong.
    await clickhouse.command('TRUNCATE TABLE output_meanings');
    await write('output_meanings', `SELECT * FROM ${shadow}.output_meanings FINAL`);
  }
  return moved;
}

async function moveTable(
  clickhouse: Clickhouse,
  shadow: string,
  { table, key, version, timeColumn }: MovedTable,
  fromMs: number | null,
): Promise<MovedRows> {
  const scope = inScope(timeColumn, fromMs);
  const written = await count(clickhouse, `${shadow}.${table} FINAL WHERE ${scope}`);
  await clickhouse.command(
    `INSERT INTO ${table} SELECT * FROM ${shadow}.${table} FINAL WHERE ${scope}`,
  );
  const wrong = `${shadow}.wrong_${table}`;
  const row = `sipHash128(${key}, ${version})`;
  const right = `SELECT ${row} FROM ${shadow}.${table} FINAL WHERE ${scope}`;
  await clickhouse.command(
    `CREATE TABLE ${wrong} ENGINE = MergeTree ORDER BY tuple() AS
     SELECT ${key} FROM ${table} FINAL WHERE ${scope} AND ${row} NOT IN (${right})`,
  );
  const removed = await count(clickhouse, wrong);
  if (removed > 0) {
    const ofWrong = `(${key}) IN (SELECT ${key} FROM ${wrong})`;
    await clickhouse.command(
      `DELETE FROM ${table} WHERE ${scope} AND ${ofWrong} AND ${row} NOT IN (${right})`,
    );
    // Before it was removed, a wrong row of a higher version may have replaced the right one in a
    // merge.
    await clickhouse.command(
      `INSERT INTO ${table} SELECT * FROM ${shadow}.${table} FINAL WHERE ${scope} AND ${ofWrong}`,
    );
  }
  return { table, written, removed };
}

/** Removes verdicts on windows that turn out not to exist. */
async function removeUnseenWindows(
  clickhouse: Clickhouse,
  table: string,
  fromMs: number | null,
): Promise<number> {
  const scope = inScope('window_start', fromMs);
  const condition = `${scope} AND (${windowKey}) NOT IN (SELECT ${windowKey} FROM window_profiles WHERE ${scope})`;
  const removed = await count(clickhouse, `${table} FINAL WHERE ${condition}`);
  if (removed > 0) await clickhouse.command(`DELETE FROM ${table} WHERE ${condition}`);
  return removed;
}

/**
 * Removes the estimates of quality. The rebuild cannot make them, because it lacks the records
 * before its start. The evaluator makes them again when the windows are announced.
 */
async function removeEstimates(clickhouse: Clickhouse, fromMs: number | null): Promise<MovedRows> {
  const scope = inScope('window_start', fromMs);
  const removed = await count(clickhouse, `estimated_quality FINAL WHERE ${scope}`);
  if (removed > 0) await clickhouse.command(`DELETE FROM estimated_quality WHERE ${scope}`);
  return { table: 'estimated_quality', written: 0, removed };
}

/**
 * Replaces the counters over the life of a version if all of it was read. Otherwise the counters
 * stay, and only those that were lost are taken from the rebuild.
 */
async function moveProgress(
  clickhouse: Clickhouse,
  shadow: string,
  fromMs: number | null,
): Promise<MovedRows> {
  const key = 'model, version, source_partition';
  if (fromMs === null) {
    const table = {
      table: 'stream_progress',
      key,
      version: 'last_offset',
      timeColumn: 'event_time',
    } as const;
    return moveTable(clickhouse, shadow, table, null);
  }
  const lost = `${shadow}.stream_progress FINAL WHERE (${key}) NOT IN (SELECT ${key} FROM stream_progress)`;
  const written = await count(clickhouse, lost);
  await clickhouse.command(`INSERT INTO stream_progress SELECT * FROM ${lost}`);
  return { table: 'stream_progress', written, removed: 0 };
}

export async function count(clickhouse: Clickhouse, from: string): Promise<number> {
  const [row] = await clickhouse.select<{ rows: number }>(`SELECT count() AS rows FROM ${from}`);
  return row!.rows;
}
