import type { Evidence } from '../families/evidence.ts';
import type { ReferenceSource } from '../reference/reference.ts';

/** Evidence with the window in which it was found. */
export interface DatedEvidence extends Evidence {
  windowStartMs: number;
}

/**
 * One drift from its first sign until a new reference has held at each level. Whatever is seen in
 * between belongs to it, but for something new at a level that was calm.
 */
export interface Episode {
  windowStartMs: number;
  windowEndMs: number;
  reference: ReferenceSource;
  /** Versions of the serving code that appeared with it. */
  newCodeVersions: readonly string[];
  /** For each family, the last evidence that said more than what was known before. */
  evidence: readonly DatedEvidence[];
  /** How often the new reference did not hold either. */
  renewals: number;
  /**
   * Segment in which most of the change happened, as name=value; null if none explains it, and for
   * the episode of a segment.
   */
  mostlyIn: string | null;
  /** Event time before which the event is not closed. */
  openUntilMs: number;
}
