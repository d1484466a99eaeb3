import { decidingEvidence } from '../events/driftCause.ts';
import type { DatedEvidence, Episode } from '../events/episode.ts';

/** A segment explains a change of the whole if it has this part of it at least. */
const minShareOfChange = 0.7;
/** A segment with more of the records is nearly the whole. */
const maxShareOfRecords = 0.8;

/** What has come of a segment, and how much traffic it has. */
export interface SegmentStream {
  episode: Episode | null;
  /** Records per ms, as its reference has them. */
  recordsPerMs: number;
}

/**
 * Returns the segment in which most of a change of all predictions happened; null if none explains
 * it. Such a segment has an open event with the same evidence (family and feature), and its excess
 * times its records is at least 70 % of that of the whole. Where several do, as a country and its
 * language, it is the one with the fewest records.
 *
 * @param streams of the segments that have the window, with that of all predictions as ''
 */
export function explainingSegment(streams: ReadonlyMap<string, SegmentStream>): string | null {
  const whole = streams.get('');
  if (!whole?.episode) return null;
  const change = decidingEvidence(whole.episode.evidence);
  const perMs = whole.recordsPerMs;
  if (!change.excess || perMs === 0) return null;
  const explaining = [...streams].flatMap(([segment, state]) => {
    const own = segment !== '' && state.episode ? sameEvidence(state.episode, change) : undefined;
    if (!own?.excess) return [];
    const shareOfRecords = state.recordsPerMs / perMs;
    const isMost = own.excess * shareOfRecords >= minShareOfChange * change.excess!;
    return isMost && shareOfRecords <= maxShareOfRecords ? [{ segment, shareOfRecords }] : [];
  });
  explaining.sort((left, right) => left.shareOfRecords - right.shareOfRecords);
  return explaining[0]?.segment ?? null;
}

function sameEvidence({ evidence }: Episode, { family, feature }: DatedEvidence) {
  return evidence.find(other => other.family === family && other.feature === feature);
}
