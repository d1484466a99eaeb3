import { type Clickhouse, clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import type { Task } from '../../shared/task.ts';
import type { DataSplit, RowRange } from '../dataset/dataSplit.ts';
import type { SourcePositions } from './labelledRowQueries.ts';

/** A frozen dataset. */
export interface DatasetRecord {
  id: string;
  model: string;
  split: DataSplit;
  /** Event times of its first and its last row. */
  fromMs: number;
  toMs: number;
  features: { name: string; type: 'number' | 'text' }[];
  task: Task;
  uri: string;
  checksum: string;
  /** Where its rows came from. */
  positions?: SourcePositions;
}

/** The table datasets. */
export class DatasetTable {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  /** Returns the event time of the newest row of a dataset, or null if the dataset is not known. */
  async selectEnd(model: string, id: string): Promise<number | null> {
    const [row] = await this.#clickhouse.select<{ toMs: number }>(
      `SELECT toUnixTimestamp64Milli(to_time) AS toMs FROM datasets FINAL
       WHERE model = {model:String} AND id = {id:String}`,
      { model, id },
    );
    return row?.toMs ?? null;
  }

  async insert(record: DatasetRecord): Promise<void> {
    const { split, fromMs, toMs, features, positions, ...dataset } = record;
    const sizeOf = ({ start, end }: RowRange) => end - start;
    await this.#clickhouse.insert('datasets', [
      {
        ...dataset,
        features: features.map(({ name }) => name),
        feature_types: Object.fromEntries(features.map(({ name, type }) => [name, type])),
        ...(positions && {
          prediction_positions: positions.predictions,
          feedback_positions: positions.feedback,
        }),
        rows: split.gate.end,
        train_rows: sizeOf(split.train),
        select_rows: sizeOf(split.select),
        gate_rows: sizeOf(split.gate),
        from_time: clickhouseTime(fromMs),
        to_time: clickhouseTime(toMs),
      },
    ]);
  }
}
