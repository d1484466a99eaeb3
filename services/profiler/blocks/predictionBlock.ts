import {
  addArray,
  arrayColumn,
  dictionaryColumn,
  float64Column,
  int32Column,
  int64Column,
  mapColumn,
  nativeBlock,
  nullableFloat64Column,
  textColumn,
} from '../../shared/clickhouse/nativeBlock.ts';
import type { Features, LoggedPrediction } from '../../shared/profile/features.ts';
import { weightOf } from '../../shared/records/weightOf.ts';

export type PredictionBlock = ReturnType<typeof predictionBlock>;

const none: readonly string[] = [];

/** An empty block of rows of the table predictions. */
export function predictionBlock() {
  return nativeBlock({
    model: dictionaryColumn(),
    version: dictionaryColumn(),
    id: textColumn(),
    event_time: int64Column("DateTime64(3, 'UTC')"),
    numeric_features: mapColumn(float64Column()),
    categorical_features: mapColumn(textColumn()),
    vector_features: mapColumn(textColumn()),
    prediction: textColumn(),
    prediction_value: nullableFloat64Column(),
    score: nullableFloat64Column(),
    probabilities: mapColumn(float64Column()),
    segments: mapColumn(textColumn()),
    code_version: dictionaryColumn(),
    latency_ms: nullableFloat64Column(),
    quantiles: mapColumn(float64Column()),
    ranking: arrayColumn(textColumn()),
    weight: float64Column(),
    source_partition: int32Column(),
    source_offset: int64Column('UInt64'),
  });
}

/**
 * Appends the row of one prediction.
 *
 * @param keepVectors whether its vectors are stored as well
 */
export function addPrediction(
  block: PredictionBlock,
  prediction: LoggedPrediction,
  partition: number,
  offset: number,
  keepVectors: boolean,
): void {
  const { columns } = block;
  const output = prediction.prediction;
  columns.model.add(prediction.model);
  columns.version.add(prediction.version);
  columns.id.add(prediction.id);
  columns.event_time.add(prediction.time);
  addFeatures(block, prediction.features);
  columns.vector_features.end(keepVectors ? addVectors(block, prediction.features) : 0);
  columns.prediction.add(String(output));
  columns.prediction_value.add(typeof output === 'number' ? output : null);
  columns.score.add(prediction.score);
  addEntries(columns.probabilities, prediction.probabilities);
  addEntries(columns.segments, prediction.segment);
  columns.code_version.add(prediction.codeVersion ?? '');
  columns.latency_ms.add(prediction.latencyMs);
  addEntries(columns.quantiles, prediction.quantiles);
  addArray(columns.ranking, prediction.ranking ?? none);
  columns.weight.add(weightOf(prediction));
  columns.source_partition.add(partition);
  columns.source_offset.add(offset);
  block.rows++;
}

/**
 * Numbers go to one map, texts and booleans to another. A missing value is in neither, and a vector
 * belongs to `vector_features`: its window has the sums.
 */
function addFeatures({ columns }: PredictionBlock, { names, values }: Features): void {
  const { numeric_features, categorical_features } = columns;
  let numeric = 0;
  let categorical = 0;
  for (let index = 0; index < names.length; index++) {
    const name = names[index]!;
    const value = values[index];
    if (typeof value === 'number') {
      numeric_features.keys.add(name);
      numeric_features.items.add(value);
      numeric++;
    } else if (value != null && typeof value !== 'object') {
      categorical_features.keys.add(name);
      categorical_features.items.add(String(value));
      categorical++;
    }
  }
  numeric_features.end(numeric);
  categorical_features.end(categorical);
}

/** Returns how many vectors there are. */
function addVectors({ columns }: PredictionBlock, { names, values }: Features): number {
  const { keys, items } = columns.vector_features;
  let vectors = 0;
  for (const [index, value] of values.entries()) {
    if (typeof value !== 'object' || value === null) continue;
    keys.add(names[index]!);
    items.add(JSON.stringify(value));
    vectors++;
  }
  return vectors;
}

/** Ends a row of a map with the entries of an object. */
export function addEntries<T>(
  column: ReturnType<typeof mapColumn<T>>,
  map: Record<string, T> | null,
): void {
  const names = map === null ? [] : Object.keys(map);
  for (const name of names) {
    column.keys.add(name);
    column.items.add(map![name]!);
  }
  column.end(names.length);
}
