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
/** Parts of the rows since a change that select and gate take at most. */
const selectShareOfChanged = 0.2;
const gateShareOfChanged = 0.3;
/**
 * Rows since a change that a comparison needs: 60 of them compare, which is the least that an
 * interval can be computed from, and half of them train.
 */
export const minRowsSinceChange = 200;

/**
 * Splits rows that are in the order of event time into 70 % train, 15 % select and 15 % gate. The
 * parts never overlap, because choosing and comparing on the same rows promotes models that are no
 * better. The newest rows compare, because they are the most similar to those that the model will
 * serve. For the same reason select and gate lie behind a change, where enough rows do: they take
 * at most a fifth and three tenths of the rows since then.
 *
 * @param changedAt first row since the change; 0 if none is known
 * @example
 * dataSplit(100).select // { start: 70, end: 85 }
 * dataSplit(3000, 2800).gate // { start: 2940, end: 3000 }
 */
export function dataSplit(rows: number, changedAt = 0): DataSplit {
  const changed = rows - changedAt;
  const isBehindChange = changedAt > 0 && changed >= minRowsSinceChange;
  const most = (share: number) => (isBehindChange ? Math.ceil(share * changed) : rows);
  const fromTrain = Math.floor(rows * trainShare);
  const fromSelect = Math.floor(rows * (trainShare + selectShare));
  const selectEnd = Math.max(fromSelect, rows - most(gateShareOfChanged));
  const trainEnd = Math.max(fromTrain, selectEnd - most(selectShareOfChanged));
  return {
    train: { start: 0, end: trainEnd },
    select: { start: trainEnd, end: selectEnd },
    gate: { start: selectEnd, end: rows },
  };
}
