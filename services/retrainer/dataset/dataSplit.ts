/** Rows from `start` to before `end`. */
export interface RowRange {
  start: number;
  end: number;
}

export interface DataSplit {
  /** Oldest rows: fit the weights. */
  train: RowRange;
  /** Next: choose when to stop. */
  select: RowRange;
  /** Newest: compare champion and challenger. */
  gate: RowRange;
}

const trainShare = 0.7;
const selectShare = 0.15;

/**
 * Splits rows that are in the order of event time. Never overlapping: who chooses and judges on the same rows promotes models that are
 * no better. The newest rows judge, as they are the most like those that the model will serve.
 * @example dataSplit(100) // { train: { start: 0, end: 70 }, select: { start: 70, end: 85 }, gate: { start: 85, end: 100 } }
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
