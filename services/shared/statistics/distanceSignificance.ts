/**
 * The effect of sampling alone on a distance between two samples of n and m independent records of
 * one distribution, in the limit of large n and m.
 */
export interface DistanceSignificance {
  /** The probability of a distance at least as large as the one that was found, in [0, 1]. */
  pValue: number;
  /** Returns the distance whose p-value is `level`, in (0, 1), in the unit of the distance. */
  thresholdAt: (level: number) => number;
}
