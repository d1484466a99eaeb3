/**
 * What sampling alone does to a distance between n and m records: independent ones, of one distribution. In the limit of
 * large n and m.
 */
export interface DistanceSignificance {
  /** The probability of at least the distance that was found, in [0, 1]. */
  pValue: number;
  /** The distance that is reached with probability `level`, in (0, 1): the one whose p-value it is. */
  thresholdAt: (level: number) => number;
}
