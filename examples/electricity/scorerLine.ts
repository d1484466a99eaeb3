/** What the scorer says on standard output, one JSON object per line. */
export type ScorerLine =
  /** Version 1 is ready. */
  | { event: 'trained'; model: string; version: string; rows: number; from: string; to: string }
  /** Driftloop has not processed everything yet; said once a second at most. */
  | { event: 'waiting'; service: string; records: number }
  /** Labels and predictions of a step were sent, and everything that followed from them has been processed. */
  | { event: 'stepped'; until: string; version: string; predictions: number; labels: number }
  /** The next step is served by another version. */
  | { event: 'switched'; from: string; to: string; at: string }
  /** All predictions of a quarter are made. */
  | ({ event: 'quarter' } & QuarterScore)
  /** The data are at their end. */
  | { event: 'finished' };

export interface QuarterScore {
  /** Such as 1996-Q3, in UTC. */
  quarter: string;
  predictions: number;
  /** Right predictions of the version that served. */
  rightWithLoop: number;
  /** Those that version 1 would have had, had it served all the time. */
  rightAlone: number;
}
