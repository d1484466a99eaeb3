import type { SettingsTimeline } from '../fold/settingsTimeline.ts';
import { thinnedCheckpoints } from '../fold/thinnedCheckpoints.ts';

/** A checkpoint in ClickHouse. */
export interface StoredCheckpoint {
  /** Start of the last window in it. */
  windowStartMs: number;
  /** Windows folded up to there. */
  ordinal: number;
  slot: number;
  digest: string;
}

/**
 * Which stored checkpoints of a version can be trusted.
 *
 * The invariant: a ledger lists only checkpoints that hold every change of windows that was announced up to its position
 * in the topic `windows`. All announcements of a version are in one partition, and a row of a window is there before its
 * announcement, so a state read after an announcement was taken holds what that one speaks of.
 *
 * The ledger of every version that was heard of is written in each flush, after all else and before the offsets are
 * committed; of two rows the one with the higher position wins. So whoever loads a version finds a ledger that has heard of all
 * that was ever committed, and what it has not heard of is delivered to them: it makes them go back to a checkpoint before
 * the change. A crash at any point of a flush leaves the ledger of the flush before and its announcements to come again. A
 * process that no longer owns the partition can write a ledger of a lower position, which loses, and overwrite states, which
 * then lack the digest that the ledger names and are not used.
 */
export interface FoldLedger {
  windowSizeMs: number;
  position: AnnouncementPosition;
  /** `foldAlgorithm` of the code that folded. */
  algorithm: string;
  /** The given reference that the fold began with; null for none. */
  referenceId: string | null;
  /** Oldest first. */
  checkpoints: readonly StoredCheckpoint[];
  settings: SettingsTimeline;
}

/** How far the announcements of a version were taken. */
export interface AnnouncementPosition {
  /** The highest time of a record so far: it orders positions when the topic was created again. */
  announcedAtMs: number;
  offset: number;
}

/** Twice the logarithm of a million windows. */
const mostCheckpoints = 40;
const slots = mostCheckpoints + 1;

export const nothingAnnounced: AnnouncementPosition = { announcedAtMs: 0, offset: 0 };

export function advanced(
  { announcedAtMs }: AnnouncementPosition,
  timestampMs: number,
  offset: number,
): AnnouncementPosition {
  return { announcedAtMs: Math.max(announcedAtMs, timestampMs), offset };
}

/** A slot for one more checkpoint: the listed ones keep theirs until the ledger says otherwise. */
export function freeSlot({ checkpoints }: FoldLedger): number {
  const taken = new Set(checkpoints.map(({ slot }) => slot));
  return Array.from({ length: slots }, (_, slot) => slot).find(slot => !taken.has(slot))!;
}

export function withCheckpoint(ledger: FoldLedger, checkpoint: StoredCheckpoint): FoldLedger {
  return {
    ...ledger,
    checkpoints: thinnedCheckpoints([...ledger.checkpoints, checkpoint]).slice(-mostCheckpoints),
  };
}

/** The ledger when a window has changed: what was folded after it is void. */
export function rewoundLedger(ledger: FoldLedger, windowStartMs: number): FoldLedger {
  const checkpoints = ledger.checkpoints.filter(
    checkpoint => checkpoint.windowStartMs < windowStartMs,
  );
  return checkpoints.length === ledger.checkpoints.length ? ledger : { ...ledger, checkpoints };
}
