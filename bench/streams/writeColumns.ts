import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Prediction } from '../../services/shared/contracts.ts';

export interface ColumnsOptions {
  folder: string;
  predictionOf: (index: number) => Prediction;
  recordsPerWindow: number;
  windows: number;
  referenceWindows: number;
}

/**
 * Writes the features and the output of predictions for programs in other languages. Each column is
 * a file of little-endian numbers: float64, or uint16 for positions in the categories of the
 * column. columns.json describes the files.
 */
export function writeColumns(options: ColumnsOptions): void {
  const { folder, predictionOf, recordsPerWindow, windows, referenceWindows } = options;
  const predictions = Array.from({ length: windows * recordsPerWindow }, (_, index) =>
    predictionOf(index),
  );
  const names = Object.keys(predictions[0]!.features);
  const columns = [...names, 'prediction'].map(name => {
    const values = predictions.map(({ features, prediction }) =>
      name === 'prediction' ? prediction : features[name],
    );
    const file = `${name}.bin`;
    const numeric = typeof values[0] === 'number';
    const categories = numeric ? [] : [...new Set(values as string[])];
    const positions = new Map(categories.map((category, position) => [category, position]));
    const bytes = numeric
      ? Float64Array.from(values as number[])
      : Uint16Array.from(values as string[], value => positions.get(value)!);
    writeFileSync(join(folder, file), bytes);
    return numeric ? { name, file } : { name, file, categories };
  });
  writeFileSync(
    join(folder, 'columns.json'),
    JSON.stringify({ columns, recordsPerWindow, referenceWindows }),
  );
}
