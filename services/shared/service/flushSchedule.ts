/**
 * Limits of what has been taken and is not durable yet. At either of them a flush is due whatever
 * the time.
 */
export const maxUnflushedRecords = 100_000;
export const maxUnflushedBytes = 64 * 1024 * 1024;

/**
 * Under backlog a flush waits for this many intervals: few large inserts cost a third of many small
 * ones.
 */
const backlogFlushIntervals = 5;
/**
 * Under backlog a flush also waits for this many times the duration of the last one, up to
 * `maxBacklogWaitMs`.
 */
const flushDurationsBetween = 4;
const maxBacklogWaitMs = 30_000;
/** Urgent records wait this long for those that come with them. */
const urgentWaitMs = 50;
/**
 * Minimum time between two urgent flushes, so that a stream of urgent records does not turn into a
 * stream of small inserts.
 */
const minUrgentGapMs = 250;

export interface FlushSituation {
  nowMs: number;
  /** End of the last flush. */
  flushedAtMs: number;
  /** Duration of the last flush. */
  lastFlushMs: number;
  flushIntervalMs: number;
  unflushed: { records: number; bytes: number };
  /** `maxUnflushedRecords`, unless the handler has a limit of its own. */
  maxRecords: number;
  /** Records between the last ones taken and the ends of the partitions. */
  backlogRecords: number;
  /**
   * Whether somebody waits for the records that were just taken, and their partition has no further
   * ones.
   */
  isUrgent: boolean;
}

/**
 * Returns when to flush what has been taken; `nowMs` means at once.
 *
 * A flush is due at once when too much has been taken, or when the last flush was one wait ago.
 * Otherwise the records wait for one wait, or for less when they are urgent.
 */
export function nextFlushAtMs(situation: FlushSituation): number {
  const { nowMs, flushedAtMs, lastFlushMs, isUrgent } = situation;
  const waitMs = flushWaitMs(situation);
  if (isFull(situation) || nowMs - flushedAtMs >= waitMs) return nowMs;
  const ordinaryMs = nowMs + waitMs;
  if (!isUrgent) return ordinaryMs;
  const gapEndMs = flushedAtMs + Math.max(minUrgentGapMs, lastFlushMs);
  return Math.min(ordinaryMs, Math.max(nowMs + urgentWaitMs, gapEndMs));
}

function isFull({ unflushed, maxRecords }: FlushSituation): boolean {
  return unflushed.records >= maxRecords || unflushed.bytes >= maxUnflushedBytes;
}

/**
 * Returns how long records wait for a flush: `flushIntervalMs`, or under backlog max(5 ×
 * flushIntervalMs, min(4 × lastFlushMs, 30 s)), so that flushing cannot consume all the time while
 * many models make flushes long.
 */
function flushWaitMs({ backlogRecords, flushIntervalMs, lastFlushMs }: FlushSituation): number {
  if (backlogRecords <= maxUnflushedRecords) return flushIntervalMs;
  return Math.max(
    backlogFlushIntervals * flushIntervalMs,
    Math.min(maxBacklogWaitMs, flushDurationsBetween * lastFlushMs),
  );
}
