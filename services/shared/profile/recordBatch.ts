import { addValue, type FeatureProfile, type FeatureValue, type Vector } from './featureProfile.ts';
import { addNumbers } from './numericHistogram.ts';

/**
 * The values of a few records that wait to be counted together, one column at a time. A profile
 * then comes into the processor's caches once per batch and not once per record, which is most of
 * the cost of counting where there are many profiles.
 *
 * Rows below `rows` are complete and not counted yet; the row at `rows` is being filled by
 * `setValue`.
 */
export interface RecordBatch {
  /** The profile of each column; null while nothing is to be counted in it. */
  profiles: (FeatureProfile | null)[];
  /** Complete rows. */
  rows: number;
  /** Rows that there is room for. The caller counts the batch when they are complete. */
  mostRows: number;
  /** The values, row by row; NaN where the value is not a finite number. */
  numbers: Float64Array;
  /** The memory of `numbers` as 32-bit integers. */
  words: Int32Array;
  /** For each column, the values that are not finite numbers, by row; null while there are none. */
  others: ((FeatureValue | Vector)[] | null)[];
  /** The number of finite numbers in each column. */
  numbersOf: Uint8Array;
  /** The ids of the records, by row. */
  ids: string[];
}

/** Returns a batch without rows. @param mostRows at most 255 */
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
    ids: new Array(mostRows).fill(''),
  };
}

/**
 * Sets one value of the row that is being filled. The caller sets the value of every column that
 * has a profile and the id of the record, then increments `rows`. There has to be room for the row, which is not checked.
 * O(1).
 *
 * @param value undefined is not counted at all, whereas null is counted as missing
 */
export function setValue(batch: RecordBatch, column: number, value: FeatureValue | Vector): void {
  const { profiles, rows, mostRows, numbers, numbersOf, others } = batch;
  const cell = rows * profiles.length + column;
  if (typeof value === 'number' && Number.isFinite(value)) {
    // No -0, which `addNumbers` does not expect.
    numbers[cell] = value + 0;
    numbersOf[column]! += 1;
    return;
  }
  numbers[cell] = Number.NaN;
  if (others[column] === null && value !== undefined)
    others[column] = new Array(mostRows).fill(undefined);
  if (others[column] !== null) others[column]![rows] = value;
}

/**
 * Counts all rows, with the same result as `addValue` for one after the other, and empties the
 * batch. O(rows · columns).
 */
export function countBatch(batch: RecordBatch): void {
  const { profiles, numbersOf } = batch;
  for (let column = 0; column < profiles.length; column++) countColumn(batch, column);
  numbersOf.fill(0);
  batch.rows = 0;
}

function countColumn(
  { profiles, rows, numbers, words, others, numbersOf, ids }: RecordBatch,
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
      addValue(profile, value, ids[row]!);
  }
}
