import {
  dictionaryColumn,
  float64Column,
  int32Column,
  int64Column,
  mapColumn,
  nativeBlock,
  nullableFloat64Column,
  textColumn,
} from '../../shared/clickhouse/nativeBlock.ts';
import type { LoggedPrediction } from '../../shared/profile/features.ts';
import { addEntries } from './predictionBlock.ts';

export type ShadowBlock = ReturnType<typeof shadowBlock>;

/** An empty block of rows of the table shadow_predictions. */
export function shadowBlock() {
  return nativeBlock({
    model: dictionaryColumn(),
    version: dictionaryColumn(),
    id: textColumn(),
    event_time: int64Column("DateTime64(3, 'UTC')"),
    prediction: textColumn(),
    prediction_value: nullableFloat64Column(),
    score: nullableFloat64Column(),
    probabilities: mapColumn(float64Column()),
    source_partition: int32Column(),
    source_offset: int64Column('UInt64'),
  });
}

/** Appends the row of one shadow prediction. Its features are those of the id that was served. */
export function addShadow(
  block: ShadowBlock,
  { model, version, id, time, prediction, score, probabilities }: LoggedPrediction,
  partition: number,
  offset: number,
): void {
  const { columns } = block;
  columns.model.add(model);
  columns.version.add(version);
  columns.id.add(id);
  columns.event_time.add(time);
  columns.prediction.add(String(prediction));
  columns.prediction_value.add(typeof prediction === 'number' ? prediction : null);
  columns.score.add(score);
  addEntries(columns.probabilities, probabilities);
  columns.source_partition.add(partition);
  columns.source_offset.add(offset);
  block.rows++;
}
