import { sum } from 'simple-statistics';
import { decidingEvidence } from '../events/driftCause.ts';
import type { DatedEvidence, Episode } from '../events/episode.ts';
import type { FoldState } from './foldState.ts';

/** A segment explains a change of the whole if it has this part of it at least. */
const minShareOfChange = 0.7;
/** A segment with more of the records is nearly the whole. */
const maxShareOfRecords = 0.8;

/**
 * Returns the segment in which most of a change of all predictions happened; null if none explains
 * it. Such a segment has an open event with the same evidence (family and feature), and its excess
 * times its records is at least 70 % of that of the whole. Where several do, as a country and its
 * language, it is the one with the fewest records.
 *
 * @param states of all segments, with that of all predictions as ''
 */
export function explainingSegment(states: ReadonlyMap<string, FoldState>): string | null {
  const whole = states.get('');
  if (!whole?.episode) return null;
  const change = decidingEvidence(whole.episode.evidence);
  const perMs = recordsPerMs(whole);
  if (!change.excess || perMs === 0) return null;
  const explaining = [...states].flatMap(([segment, state]) => {
    const own = segment !== '' && state.episode ? sameEvidence(state.episode, change) : undefined;
    if (!own?.excess) return [];
    const shareOfRecords = recordsPerMs(state) / perMs;
    const isMost = own.excess * shareOfRecords >= minShareOfChange * change.excess!;
    return isMost && shareOfRecords <= maxShareOfRecords ? [{ segment, shareOfRecords }] : [];
  });
  explaining.sort((left, right) => left.shareOfRecords - right.shareOfRecords);
  return explaining[0]?.segment ?? null;
}

function sameEvidence({ evidence }: Episode, { family, feature }: DatedEvidence) {
  return evidence.find(other => other.family === family && other.feature === feature);
}

/** Returns the records of a stream per ms, as its reference has them. */
function recordsPerMs({ regime }: FoldState): number {
  const blocks = regime?.history ?? [];
  if (blocks.length === 0) return 0;
  return sum(blocks.map(({ records }) => records)) / (blocks.at(-1)!.endMs - blocks[0]!.startMs);
}
