/**
 * Figures that counting adds up for limits and metrics. They are no part of what is stored. The
 * caller of `countPrediction` owns the tally: it reads it, and begins a new one when the counts
 * have been stored.
 */
export interface Tally {
  /** Profiles that were begun. They take memory, and none of them has been stored. */
  newProfiles: number;
  /** Values of features that were counted under the name (other). */
  foldedNames: number;
  /** Predictions that were counted in a segment called (other). */
  foldedSegmentValues: number;
  /** Ids that were forgotten within the deduplication horizon, because there were too many. */
  idsForgottenEarly: number;
}

export function emptyTally(): Tally {
  return { newProfiles: 0, foldedNames: 0, foldedSegmentValues: 0, idsForgottenEarly: 0 };
}
