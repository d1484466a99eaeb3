/** A loss is back where it was if it lies at most so far above, relative and for error rates. */
const backShare = 0.1;
const backOfErrorRate = 0.01;

/** Labelled rows that a loss has to have, before a change and after, to be compared. */
export const minRowsOfLoss = 200;

/**
 * Returns the largest loss that counts as that of before. The detector ends drift events by it, and
 * the retrainer ends its attempts.
 *
 * @param before mean loss before a change
 * @param isRate true for an error rate, and false for a mean absolute error
 * @example
 * lossReach(0.2, true); // 0.23
 * lossReach(1.5, false); // 1.65
 */
export function lossReach(before: number, isRate: boolean): number {
  return before * (1 + backShare) + (isRate ? backOfErrorRate : 0);
}
