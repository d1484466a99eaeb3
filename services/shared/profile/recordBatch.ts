import { addValue, type FeatureProfile, type FeatureValue } from './featureProfile.ts';
import { addNumbers } from './numericHistogram.ts';

/**
 * Values of a few records, row by row, that wait to be counted together and a column at a time: a profile then comes into the processor's
 * caches once per batch and not once per record. Where there are many profiles, that is most of what counting costs.
 */
export interface RecordBatch {
  /** Of each column; null while nothing is to be counted in it. */
  profiles: (FeatureProfile | null)[];
  rows: number;
  mostRows: number;
  /** NaN where the value is no finite number. */
  numbers: Float64Array;
  /** The memory of `numbers`. */
  words: Int32Array;
  /** Of each column the values that are no finite numbers, by row; null while there are none. */
  others: (FeatureValue[] | null)[];
  /** How many finite numbers are in each column. */
  numbersOf: Uint8Array;
}

export function emptyRecordBatch(
  profiles: (FeatureProfile | null)[],
  mostRows: number,
): RecordBatch {
  const numbers = new Float64Array(profiles.length * mostRows).fill(Number.NaN);
  return {
    profiles,
    rows: 0,
    mostRows,
    numbers,
    words: new Int32Array(numbers.buffer),
    others: new Array(profiles.length).fill(null),
    numbersOf: new Uint8Array(profiles.length),
  };
}

/**
 * Sets a value of the row to come, which is there when all are set and `rows` says so. A column without a profile needs none.
 * @param value undefined is not counted, in contrast to null
 */
export function setValue(batch: RecordBatch, column: number, value: FeatureValue): void {
  const { profiles, rows, mostRows, numbers, numbersOf, others } = batch;
  const cell = rows * profiles.length + column;
  if (typeof value === 'number' && Number.isFinite(value)) {
    numbers[cell] = value + 0; // no -0
    numbersOf[column]! += 1;
    return;
  }
  numbers[cell] = Number.NaN;
  if (others[column] === null && value !== undefined)
    others[column] = new Array(mostRows).fill(undefined);
  if (others[column] !== null) others[column]![rows] = value;
}

/** Counts all rows, as `addValue` would one after the other, and empties the batch. */
export function countBatch(batch: RecordBatch): void {
  const { profiles, numbersOf } = batch;
  for (let column = 0; column < profiles.length; column++) countColumn(batch, column);
  numbersOf.fill(0);
  batch.rows = 0;
}

function countColumn(
  { profiles, rows, numbers, words, others, numbersOf }: RecordBatch,
  column: number,
): void {
  const profile = profiles[column]!;
  const width = profiles.length;
  const numbersOfColumn = numbersOf[column]!;
  if (numbersOfColumn > 0) {
    profile.count += numbersOfColumn;
    addNumbers(profile.numeric, numbers, words, column, width, rows);
  }
  const values = others[column]!;
  if (values === null || numbersOfColumn === rows) return;
  for (let row = 0; row < rows; row++) {
    const value = values[row];
    if (value !== undefined && Number.isNaN(numbers[row * width + column]))
      addValue(profile, value);
  }
}
