import type { WindowPerformance } from '../blocks/windowObservation.ts';
import {
  type Acceptance,
  acceptedEnd,
  coveredEnd,
  type DriftEnd,
  endOfHarm,
  worseClasses,
} from '../events/driftEnd.ts';
import {
  type DriftEventContent,
  datedEvidence,
  driftEventId,
  driftEventOf,
  isNews,
  type StreamName,
  withEvidence,
} from '../events/driftEpisode.ts';
import {
  type DatedEvidence,
  type Episode,
  type OpenDrifts,
  openDriftsOf,
} from '../events/episode.ts';
import { begunHarm, followHarm, harmStatement, type WindowQuality } from '../events/harm.ts';
import type { Said } from './streamLevels.ts';

/** Persisting drifts of a stream. A further one ends, because the earlier ones stand for it. */
const maxPersisting = 8;

/** What the levels of inputs and of labels say of a window together. */
export interface WindowSaid extends WindowQuality {
  startMs: number;
  endMs: number;
  /** Whether any block was judged. */
  isJudged: boolean;
  /** Whether all levels are calm after the window, and whether that of the windows is. */
  isCalm: boolean;
  isOwnCalm: boolean;
  /**
   * Whether the window differs from the reference before the change that is followed; null if none
   * is.
   */
  differs: boolean | null;
  /** At most one entry for each level, in the order of the levels. */
  said: readonly (Said & {
    /** Whether the level was calm before the window. */
    wasCalm: boolean;
  })[];
  /** The labels of the windows before, without those since a drift that is not over. */
  usual: WindowPerformance | null;
  /** As `Harm.outputsBefore`, of a drift that begins with the window. */
  usualOutputs: number | null;
}

/** Whose drifts are followed, and what people have said of them. */
interface FollowedStream extends StreamName {
  /** What people have accepted, by the id of the drift event. */
  acceptances?: ReadonlyMap<string, Acceptance>;
}

/** The drifts of a stream after a window. */
interface FollowedDrifts extends OpenDrifts {
  changes: DriftEventContent[];
  /** Whether a person has accepted a level, so that what was usual before counts no more. */
  isAccepted: boolean;
}

/**
 * Opens, continues, keeps or ends drifts by what the levels say of the next window. A drift is
 * followed until the stream has a new reference that holds. Then it ends if its harm is over, and
 * persists until then otherwise. Beside it the next one is found. One that is gone without harm left
 * ends when the windows are calm: days and weeks need not confirm a level that was there before.
 */
export function followDrifts(
  before: OpenDrifts,
  window: WindowSaid,
  stream: FollowedStream,
): FollowedDrifts {
  const earlier = openDriftsOf(before);
  const changes: DriftEventContent[] = [];
  const persisting: Episode[] = [];
  let isAccepted = false;
  const settle = (episode: Episode) => {
    const end = endOf(episode, window, stream, persisting.length);
    const told = end ? episode : toldOf(episode, window);
    if (end || told !== episode) changes.push(driftEventOf(stream, told, end));
    if (!end) persisting.push(told);
    isAccepted ||= end?.reason === 'accepted' && end.by !== null;
  };
  for (const episode of before.persisting) settle(withHarm(episode, window));
  const known = before.episode && withHarm(before.episode, window);
  let episode = known;
  for (const step of window.said) {
    const found = datedEvidence(step.evidence, window, step.windowsPerBlock);
    if (episode && step.alarm && step.wasCalm && isNews(episode, found)) {
      settle(episode);
      episode = null;
    }
    if (episode) episode = continued(episode, step, found);
    // What a level says that is not calm yet belongs to a drift that has ended.
    else if (step.alarm && step.wasCalm)
      episode = begun(step, found, window, persisting.length > 0 ? earlier.at(-1) : undefined);
  }
  if (episode && episode !== known) changes.push(driftEventOf(stream, episode, null));
  if (
    episode &&
    (isStable(episode, window) || isGone(episode, window) || acceptanceOf(episode, window, stream))
  ) {
    settle(episode);
    episode = null;
  }
  return { episode, persisting, changes, isAccepted };
}

function isStable({ openUntilMs }: Episode, { isCalm, isJudged, endMs }: WindowSaid): boolean {
  return isCalm && isJudged && endMs >= openUntilMs;
}

/** Returns whether the stream is as it was before the change, and no harm is left. */
function isGone(episode: Episode, { isOwnCalm, isJudged, endMs }: WindowSaid): boolean {
  const { differs, openUntilMs } = episode;
  const isLike = isOwnCalm && isJudged && endMs >= openUntilMs && !differs;
  return isLike && endOfHarm(episode, endMs) !== null;
}

/** Returns why a drift is over whose change is no longer followed; null if it is not. */
function endOf(
  episode: Episode,
  window: WindowSaid,
  stream: FollowedStream,
  earlier: number,
): DriftEnd | null {
  const acceptance = acceptanceOf(episode, window, stream);
  if (acceptance) return acceptedEnd(acceptance, window.endMs);
  const end = endOfHarm(episode, window.endMs);
  return end ?? (earlier < maxPersisting ? null : coveredEnd(window.endMs));
}

function acceptanceOf(
  episode: Episode,
  { endMs }: WindowSaid,
  { acceptances, ...name }: FollowedStream,
): Acceptance | null {
  if (!acceptances || acceptances.size === 0) return null;
  const acceptance = acceptances.get(driftEventId(name, episode));
  return acceptance && acceptance.fromMs <= endMs ? acceptance : null;
}

/** Returns a drift that persists, with what is told of its harm; itself if that was told before. */
function toldOf(episode: Episode, { endMs }: WindowSaid): Episode {
  const { harm, told, persistingSinceMs } = episode;
  if (told?.standing === harm.standing) return episode;
  const statement = harmStatement(harm, worseClasses(episode));
  return {
    ...episode,
    persistingSinceMs: persistingSinceMs ?? endMs,
    told: { standing: harm.standing, statement },
  };
}

/** Returns a drift with what the window shows of its harm. */
function withHarm(episode: Episode, window: WindowSaid): Episode {
  const harm = followHarm(episode.harm, window, worseClasses(episode));
  const differs =
    episode.persistingSinceMs === null ? (window.differs ?? episode.differs) : episode.differs;
  // An episode that stays the same is not published again, which is seen by its identity.
  return harm === episode.harm && differs === episode.differs
    ? episode
    : { ...episode, harm, differs };
}

/** @param earlier the newest drift that is open; what it has left is what a further one finds */
function begun(
  { alarm, reference }: Said,
  evidence: readonly DatedEvidence[],
  window: WindowSaid,
  earlier: Episode | undefined,
): Episode {
  const { startMs, endMs, usual, usualOutputs } = window;
  const before = earlier ? (earlier.harm.judged ?? earlier.harm.before) : usual;
  const episode: Episode = {
    windowStartMs: startMs,
    windowEndMs: endMs,
    reference,
    newCodeVersions: alarm!.newCodeVersions,
    evidence,
    renewals: 0,
    mostlyIn: null,
    openUntilMs: alarm!.openUntilMs,
    differs: true,
    harm: begunHarm(before, usualOutputs),
    persistingSinceMs: null,
    told: null,
  };
  return { ...episode, harm: followHarm(episode.harm, window, worseClasses(episode)) };
}

function continued(
  episode: Episode,
  { alarm, wasCalm, level }: WindowSaid['said'][number],
  found: readonly DatedEvidence[],
): Episode {
  const longer = withEvidence(episode, found);
  if (!alarm) return longer;
  return {
    ...longer,
    renewals: episode.renewals + (wasCalm ? 0 : 1),
    // Days and weeks confirm windows, and need not be confirmed themselves.
    openUntilMs:
      level === 0 || wasCalm
        ? Math.max(episode.openUntilMs, alarm.openUntilMs)
        : episode.openUntilMs,
  };
}
