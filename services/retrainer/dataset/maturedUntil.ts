/** Predictions of a stretch of event time, and how many of them have labels. */
export interface LabelCoverage {
  endMs: number;
  predictions: number;
  labelled: number;
}

/** Labels of a stretch are complete when their share has come this near to the usual one. */
const matureShare = 0.8;

/**
 * Event time up to which labels have matured. The newest labels are those that came fast, and what comes fast is often of one kind (a
 * fraud is reported late, or never): rows from where only part of the labels has come would teach the wrong share. Coverage says so
 * without trusting the clocks that wrote `observed_at`.
 * @param coverage in the order of time
 * @returns end of the last stretch whose share of labels is at least 0.8 of the median share, exclusive
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
