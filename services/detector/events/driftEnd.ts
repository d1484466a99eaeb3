import type { DriftEvent } from '../../shared/contracts.ts';
import type { Episode } from './episode.ts';
import { harmStatement, hasNothingToTell } from './harm.ts';

/** Why a drift is over. */
export interface DriftEnd {
  reason: Exclude<NonNullable<DriftEvent['endReason']>, 'withdrawn'>;
  /** The person who accepted it, or the version that mended it; null if the stream shows it. */
  by: string | null;
  atMs: number;
  /** What ended it, as a sentence. */
  statement: string;
}

/** A person says that the level after a drift is the new normal. */
export interface Acceptance {
  /** Event time up to which the person had seen the verdicts. */
  fromMs: number;
  by: string;
  note: string;
}

/** Returns the end of a drift that a person has accepted. */
export function acceptedEnd({ by, note }: Acceptance, atMs: number): DriftEnd {
  return { reason: 'accepted', by, atMs, statement: `It is accepted as the new normal: ${note}` };
}

/** Returns the end of a drift of which earlier ones that are open say the same. */
export function coveredEnd(atMs: number): DriftEnd {
  const statement = 'Many earlier drifts of the stream are open, and stand for this one.';
  return { reason: 'covered', by: null, atMs, statement };
}

/**
 * Returns the end of a drift whose level is stable and whose harm is over; null if the harm is
 * left, or not known yet. What never did harm is the new normal, unless it is gone itself.
 */
export function endOfHarm(episode: Episode, atMs: number): DriftEnd | null {
  const { harm } = episode;
  if (harm.standing !== 'over' && !hasNothingToTell(harm)) return null;
  const statement = harmStatement(harm, worseClasses(episode));
  return isHarmful(episode) || !episode.differs
    ? { reason: 'recovered', by: null, atMs, statement }
    : { reason: 'accepted', by: null, atMs, statement: `Nothing depends on it. ${statement}` };
}

/** Returns the classes that became worse by themselves with a drift. */
export function worseClasses({ evidence }: Episode): string[] {
  const ofClasses = evidence.find(({ family }) => family === 'class_error');
  return ofClasses ? Object.keys(ofClasses.contributions) : [];
}

/** Returns whether a drift was seen to do harm. */
export function isHarmful({ harm, evidence }: Episode): boolean {
  return (
    harm.wasFound || evidence.some(({ family }) => family === 'error' || family === 'class_error')
  );
}
