/** A line that the scorer prints, as JSON. */
export type ScorerLine =
  /** Version 1 is ready. */
  | { event: 'trained'; model: string; version: string; rows: number; from: string; to: string }
  /** Driftloop has not processed everything yet. This is printed at most once a second. */
  | { event: 'waiting'; service: string; records: number }
  /** Labels and predictions of a step were sent, and all that follows from them was processed. */
  | { event: 'stepped'; until: string; version: string; predictions: number; labels: number }
  /** Another version serves the next step. */
  | { event: 'switched'; from: string; to: string; at: string }
  /** A quarter is over. */
  | ({ event: 'quarter' } & QuarterScore)
  /** The data have ended. */
  | { event: 'finished' };

export interface QuarterScore {
  /** Quarter in UTC, such as 1996-Q3. */
  quarter: string;
  predictions: number;
  /** Number of right predictions of the version that served. */
  rightWithLoop: number;
  /** Number of right predictions that version 1 would have made. */
  rightAlone: number;
}
