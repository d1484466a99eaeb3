import type { SettingsTimeline } from '../fold/settingsTimeline.ts';
import { thinnedCheckpoints } from '../fold/thinnedCheckpoints.ts';

/** A checkpoint as the ledger lists it. Its states are a row of fold_states. */
export interface StoredCheckpoint {
  /** Start of the last window that is in the states. */
  windowStartMs: number;
  /** Number of windows that are in the states. */
  ordinal: number;
  /** Which of the version's rows of fold_states holds the states. */
  slot: number;
  /** `PackedStates.digest` of the states. */
  digest: string;
}

/**
 * Lists the stored checkpoints of a version that can be trusted.
 *
 * The invariant: a listed checkpoint holds every change of windows that was announced up to the
 * ledger's position in the topic `windows`. It holds because all announcements of a version are in
 * one partition, and the rows of a window are written before its announcement. So a state that was
 * read after an announcement had been taken contains the announced change.
 *
 * Each flush writes the ledger of every version that was announced since the last one, after
 * everything else and before the offsets are committed. Of two rows, the one with the higher
 * position wins. It follows that:
 *
 * - A process that loads a version finds a ledger that has heard of every committed announcement.
 *   The others are delivered to it, and take it back to a checkpoint before the change.
 * - A crash at any point of a flush leaves the ledger of the previous flush, and the announcements
 *   since then are delivered again.
 * - A process that no longer owns the partition can write a ledger with a lower position, which
 *   loses, and overwrite states, which then lack the digest that the ledger names and are not used.
 */
export interface FoldLedger {
  windowSizeMs: number;
  position: AnnouncementPosition;
  /** `foldAlgorithm` of the code that made the states. */
  algorithm: string;
  /** Id of the reference that the fold was begun with; null if none was given. */
  referenceId: string | null;
  /** Oldest first. */
  checkpoints: readonly StoredCheckpoint[];
  settings: SettingsTimeline;
}

/** Up to where the announcements of a version were taken. */
export interface AnnouncementPosition {
  /** Highest time of a record so far. It orders positions when the topic was created again. */
  announcedAtMs: number;
  offset: number;
}

/** 2 log₂ of a million windows: as many as thinning leaves. */
const maxCheckpoints = 40;
/** One more, for the next checkpoint while all others are listed. */
const slots = maxCheckpoints + 1;

export const nothingAnnounced: AnnouncementPosition = { announcedAtMs: 0, offset: 0 };

/** Returns the position after a record has been taken. */
export function advanced(
  { announcedAtMs }: AnnouncementPosition,
  timestampMs: number,
  offset: number,
): AnnouncementPosition {
  return { announcedAtMs: Math.max(announcedAtMs, timestampMs), offset };
}

/** Returns a slot that no listed checkpoint uses. */
export function freeSlot({ checkpoints }: FoldLedger): number {
  const taken = new Set(checkpoints.map(({ slot }) => slot));
  return Array.from({ length: slots }, (_, slot) => slot).find(slot => !taken.has(slot))!;
}

/** Returns the ledger with one more checkpoint, the newest, and older ones thinned out. */
export function withCheckpoint(ledger: FoldLedger, checkpoint: StoredCheckpoint): FoldLedger {
  return {
    ...ledger,
    checkpoints: thinnedCheckpoints([...ledger.checkpoints, checkpoint]).slice(-maxCheckpoints),
  };
}

/** Returns the ledger without the checkpoints that hold a window that has changed. */
export function rewoundLedger(ledger: FoldLedger, windowStartMs: number): FoldLedger {
  const checkpoints = ledger.checkpoints.filter(
    checkpoint => checkpoint.windowStartMs < windowStartMs,
  );
  return checkpoints.length === ledger.checkpoints.length ? ledger : { ...ledger, checkpoints };
}
