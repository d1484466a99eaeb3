import { createHash } from 'node:crypto';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';

/** One labelled prediction of a dataset. */
export interface DatasetRow {
  id: string;
  eventTimeMs: number;
  /** Version that predicted. The next three fields are what it logged. */
  version: string;
  prediction: string;
  predictionValue: number | null;
  score: number | null;
  /** The true class or number as text. `labelValue` is the number, if it is one. */
  label: string;
  labelValue: number | null;
  /** Probability that the version gave to the true class; null or absent if it logged none. */
  labelProbability?: number | null;
  /** How much the row counts in figures of quality. */
  weight: number;
  /** Declared segments that the row belongs to. */
  segments: Record<string, string>;
  /** Inputs. A missing one is absent. Booleans are the texts 'true' and 'false'. */
  features: Record<string, number | string>;
}

/**
 * Prefixes of columns in the Parquet file. A feature has a column for each type that its values
 * have, mostly one: `number:price`, `text:city`. The prefixes keep features from colliding with
 * each other and with the other columns.
 */
export const columnPrefixes = { number: 'number:', text: 'text:', segment: 'segment:' } as const;

/** Reads the rows of the Parquet file of a dataset, in their order. */
export async function readDataset(file: string): Promise<DatasetRow[]> {
  const records = await parquetReadObjects({ file: await asyncBufferFromFile(file) });
  const columns = Object.keys(records[0] ?? {});
  const features = [
    ...prefixed(columns, columnPrefixes.number),
    ...prefixed(columns, columnPrefixes.text),
  ];
  const segments = prefixed(columns, columnPrefixes.segment);
  return records.map(record => ({
    id: record.id,
    eventTimeMs: record.event_time.getTime(),
    version: record.version,
    prediction: record.prediction,
    predictionValue: record.prediction_value,
    score: record.score,
    label: record.label,
    labelValue: record.label_value,
    labelProbability: record.label_probability ?? null,
    // Files of earlier versions do not have it.
    weight: record.weight ?? 1,
    segments: present<string>(record, segments),
    features: present<number | string>(record, features),
  }));
}

function prefixed(columns: readonly string[], prefix: string): { name: string; column: string }[] {
  return columns
    .filter(column => column.startsWith(prefix))
    .map(column => ({ name: column.slice(prefix.length), column }));
}

function present<T>(
  record: Record<string, unknown>,
  columns: { name: string; column: string }[],
): Record<string, T> {
  // Without a prototype, because a feature may have the name of a property that objects inherit.
  const values: Record<string, T> = Object.create(null);
  for (const { name, column } of columns) {
    const value = record[column];
    if (value !== null && value !== undefined) values[name] = value as T;
  }
  return values;
}

/**
 * Returns the identity of a dataset: the SHA-256 of the canonical text of its rows in their order.
 * It does not depend on how Parquet packs the rows.
 * @returns 64 hexadecimal digits
 */
export function datasetHash(rows: readonly DatasetRow[]): string {
  const hash = createHash('sha256');
  for (const row of rows) hash.update(`${canonicalRow(row)}\n`);
  return hash.digest('hex');
}

function canonicalRow(row: DatasetRow): string {
  const sorted = (record: Record<string, number | string>) =>
    Object.entries(record)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      // JSON has neither NaN nor infinities.
      .map(([name, value]) => [
        name,
        typeof value === 'string' || Number.isFinite(value) ? value : { number: String(value) },
      ]);
  return JSON.stringify([
    row.id,
    row.eventTimeMs,
    row.version,
    row.prediction,
    row.score,
    row.label,
    sorted(row.segments),
    sorted(row.features),
    // Rows without a weight have the identity that they had before there were weights.
    ...(row.weight === 1 ? [] : [row.weight]),
  ]);
}
