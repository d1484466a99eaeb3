/** Number of predictions in a stretch of event time, and how many of them have labels. */
export interface LabelCoverage {
  endMs: number;
  predictions: number;
  labelled: number;
}

/** Labels of a stretch are mature if their share is at least this part of the usual share. */
const matureShare = 0.8;

/**
 * Returns the event time up to which labels have matured. The newest labels are those that came
 * fast, and these are often of one kind: a fraud, for example, is reported late or never. Rows of a
 * time whose labels have come only in part would teach the model a wrong share. Coverage tells this
 * without trusting the clocks that wrote `observed_at`.
 * @param coverage in the order of time
 * @returns end (exclusive) of the last stretch whose share of labels is at least 0.8 of the median
 * share, or 0
 */
export function maturedUntilMs(coverage: readonly LabelCoverage[]): number {
  const shares = coverage.filter(stretch => stretch.labelled > 0).map(share);
  const usual = shares.sort((a, b) => a - b)[Math.floor(shares.length / 2)] ?? 0;
  return (
    coverage.findLast(stretch => stretch.labelled > 0 && share(stretch) >= matureShare * usual)
      ?.endMs ?? 0
  );
}

function share({ predictions, labelled }: LabelCoverage): number {
  return labelled / Math.max(1, predictions);
}
