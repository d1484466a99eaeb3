/** Rows from `start` to before `end`. */
export interface RowRange {
  start: number;
  end: number;
}

/** The rows of a dataset by what they are for. */
export interface DataSplit {
  /** The oldest rows, to fit the weights. */
  train: RowRange;
  /** The next rows, to choose when to stop. */
  select: RowRange;
  /** The newest rows, to compare champion and challenger. */
  gate: RowRange;
}

const trainShare = 0.7;
const selectShare = 0.15;

/**
 * Splits rows that are in the order of event time into 70 % train, 15 % select and 15 % gate. The
 * parts never overlap, because choosing and comparing on the same rows promotes models that are no
 * better. The newest rows compare, because they are the most similar to those that the model will
 * serve.
 * @example dataSplit(100).select // { start: 70, end: 85 }
 */
export function dataSplit(rows: number): DataSplit {
  const trainEnd = Math.floor(rows * trainShare);
  const selectEnd = Math.floor(rows * (trainShare + selectShare));
  return {
    train: { start: 0, end: trainEnd },
    select: { start: trainEnd, end: selectEnd },
    gate: { start: selectEnd, end: rows },
  };
}
