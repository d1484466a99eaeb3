import {
  type DriftEventContent,
  datedEvidence,
  driftEventOf,
  isNews,
  type StreamName,
  withEvidence,
} from '../events/driftEpisode.ts';
import type { DatedEvidence, Episode } from '../events/episode.ts';
import type { Said } from './streamLevels.ts';

/** What the levels of inputs and of labels say of a window together. */
export interface WindowSaid {
  startMs: number;
  endMs: number;
  /** Whether any block was judged. */
  isJudged: boolean;
  /** Whether all levels are calm after the window. */
  isCalm: boolean;
  /** At most one entry for each level, in the order of the levels. */
  said: readonly (Said & {
    /** Whether the level was calm before the window. */
    wasCalm: boolean;
  })[];
}

/** Opens, continues or closes an episode by what the levels say of the next window. */
export function followEpisode(
  before: Episode | null,
  window: WindowSaid,
  name: StreamName,
): { episode: Episode | null; changes: DriftEventContent[] } {
  const changes: DriftEventContent[] = [];
  let episode = before;
  for (const step of window.said) {
    const found = datedEvidence(step.evidence, window, step.windowsPerBlock);
    if (episode && step.alarm && step.wasCalm && isNews(episode, found)) {
      changes.push(driftEventOf(name, episode, 'closed'));
      episode = null;
    }
    if (episode) episode = continued(episode, step, found);
    else if (step.alarm) episode = begun(step, found, window);
  }
  if (episode && episode !== before) changes.push(driftEventOf(name, episode, 'open'));
  if (episode && window.isCalm && window.isJudged && window.endMs >= episode.openUntilMs) {
    changes.push(driftEventOf(name, episode, 'closed'));
    return { episode: null, changes };
  }
  return { episode, changes };
}

function begun(
  { alarm, reference }: Said,
  evidence: readonly DatedEvidence[],
  { startMs, endMs }: WindowSaid,
): Episode {
  return {
    windowStartMs: startMs,
    windowEndMs: endMs,
    reference,
    newCodeVersions: alarm!.newCodeVersions,
    evidence,
    renewals: 0,
    mostlyIn: null,
    openUntilMs: alarm!.openUntilMs,
  };
}

function continued(
  episode: Episode,
  { alarm, wasCalm }: WindowSaid['said'][number],
  found: readonly DatedEvidence[],
): Episode {
  const longer = withEvidence(episode, found);
  if (!alarm) return longer;
  return {
    ...longer,
    renewals: episode.renewals + (wasCalm ? 0 : 1),
    openUntilMs: Math.max(episode.openUntilMs, alarm.openUntilMs),
  };
}
