import type { Evidence } from '../families/evidence.ts';
import type { ReferenceSource } from '../reference/reference.ts';
import type { Harm } from './harm.ts';

/** Evidence with the window in which it was found. */
export interface DatedEvidence extends Evidence {
  windowStartMs: number;
}

/**
 * One drift from its first sign until its harm is over. Whatever is seen until a new reference has
 * held at each level belongs to it, but for something new at a level that was calm. Afterwards it
 * persists, and what is seen is another drift.
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
  /** Event time before which the drift is followed, however calm the stream is. */
  openUntilMs: number;
  /** Whether the stream still differed from the reference before when it was last compared. */
  differs: boolean;
  harm: Harm;
  /** Event time since which its level is stable; null while the change is followed. */
  persistingSinceMs: number | null;
  /** What was told of the harm when that changed last; null while the change is followed. */
  told: { standing: Harm['standing']; statement: string } | null;
}

/** The drifts of a stream that are not over. */
export interface OpenDrifts {
  /** The change that is followed until a new reference has held; null if there is none. */
  episode: Episode | null;
  /** Earlier drifts whose level is stable, and whose harm is not known to be over, oldest first. */
  persisting: readonly Episode[];
}

export const noDrifts: OpenDrifts = { episode: null, persisting: [] };

/** Returns the drifts in the order of time. */
export function openDriftsOf({ persisting, episode }: OpenDrifts): readonly Episode[] {
  return episode ? [...persisting, episode] : persisting;
}
