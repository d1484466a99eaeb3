import type { Prediction } from '../shared/contracts.ts';
import {
  type RowBinary,
  writeFloat64,
  writeInt32,
  writeInt64,
  writeNullableFloat64,
  writeText,
  writeVarint,
} from '../shared/rowBinary.ts';

/** Columns of the table predictions in the order in which `writePredictionRow` writes them. */
export const predictionColumns = [
  'model',
  'version',
  'id',
  'event_time',
  'numeric_features',
  'categorical_features',
  'prediction',
  'prediction_value',
  'score',
  'probabilities',
  'segments',
  'code_version',
  'latency_ms',
  'source_partition',
  'source_offset',
] as const;

/** Appends one row of the table predictions. */
export function writePredictionRow(rows: RowBinary, prediction: Prediction, partition: number, offset: number): void {
  writeText(rows, prediction.model);
  writeText(rows, prediction.version);
  writeText(rows, prediction.id);
  writeInt64(rows, prediction.time);
  writeFeatures(rows, prediction.features);
  const output = prediction.prediction;
  writeText(rows, String(output));
  writeNullableFloat64(rows, typeof output === 'number' ? output : null);
  writeNullableFloat64(rows, prediction.score);
  writeMap(rows, prediction.probabilities, writeFloat64);
  writeMap(rows, prediction.segment, writeText);
  writeText(rows, prediction.codeVersion ?? '');
  writeNullableFloat64(rows, prediction.latencyMs);
  writeInt32(rows, partition);
  writeInt64(rows, offset);
  rows.rows++;
}

/** Numbers in one map, text and booleans in another; a missing value is in neither. */
function writeFeatures(rows: RowBinary, features: Prediction['features']): void {
  let numeric = 0;
  let categorical = 0;
  for (const name in features) {
    const value = features[name];
    if (typeof value === 'number') numeric++;
    else if (value !== null) categorical++;
  }
  writeVarint(rows, numeric);
  for (const name in features) {
    const value = features[name];
    if (typeof value !== 'number') continue;
    writeText(rows, name);
    writeFloat64(rows, value);
  }
  writeVarint(rows, categorical);
  for (const name in features) {
    const value = features[name];
    if (typeof value === 'number' || value === null) continue;
    writeText(rows, name);
    writeText(rows, String(value));
  }
}

function writeMap<T>(
  rows: RowBinary,
  map: Record<string, T> | null,
  writeValue: (rows: RowBinary, value: T) => void,
): void {
  const names = Object.keys(map ?? {});
  writeVarint(rows, names.length);
  for (const name of names) {
    writeText(rows, name);
    writeValue(rows, map![name]!);
  }
}
