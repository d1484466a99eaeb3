import type { ModelSettings } from '../../shared/config/settings.ts';
import type { WindowObservation } from '../blocks/windowObservation.ts';
import { type DriftEventContent, driftEventOf } from '../events/driftEpisode.ts';
import type { GivenReference } from '../reference/reference.ts';
import { foldWindow } from './detector.ts';
import type { DriftMetric } from './driftMetric.ts';
import { driftMetrics } from './driftMetrics.ts';
import { explainingSegment } from './explainingSegment.ts';
import { type FoldState, initialState, type Verdict } from './foldState.ts';
import { thinnedCheckpoints } from './thinnedCheckpoints.ts';

/**
 * Number of the newest windows for which nearly every state may stay in memory, because late data
 * mostly concerns these. The states share most of their contents.
 */
const recentWindows = 64;

/** States of all segments after a window. */
export interface Checkpoint {
  windowStartMs: number;
  /** Number of windows that were folded up to here. */
  ordinal: number;
  states: ReadonlyMap<string, FoldState>;
}

/** The folds of all segments of a model version. A fold is never changed after it was made. */
export interface VersionFold {
  model: string;
  version: string;
  /**
   * Given reference that the first window is compared with, if there is one. It is only needed
   * until then.
   */
  given: GivenReference | null;
  /** Checkpoints, the oldest first. */
  checkpoints: readonly Checkpoint[];
}

export interface FoldedWindow {
  segment: string;
  observation: WindowObservation;
  verdict: Verdict;
  /** Metrics of the window; empty unless they were requested. */
  metrics: DriftMetric[];
}

/**
 * Returns the fold without the checkpoints at and after a window. It has to be replayed from its
 * last checkpoint.
 */
export function rewound(fold: VersionFold, windowStartMs: number): VersionFold {
  return {
    ...fold,
    checkpoints: fold.checkpoints.filter(checkpoint => checkpoint.windowStartMs < windowStartMs),
  };
}

/** Returns the drift events of the episodes that are open after the last window of a fold. */
export function openEpisodes(fold: VersionFold): DriftEventContent[] {
  const { model, version } = fold;
  return [...(fold.checkpoints.at(-1)?.states ?? [])].flatMap(([segment, { episode }]) =>
    episode ? [driftEventOf({ model, version, segment }, episode, 'open')] : [],
  );
}

/** Folds one window of every segment that has it. */
export function foldVersionWindow(
  fold: VersionFold,
  windowStartMs: number,
  segments: ReadonlyMap<string, WindowObservation>,
  detection: ModelSettings['detection'],
  withMetrics: boolean,
): { fold: VersionFold; folded: FoldedWindow[] } {
  const last = fold.checkpoints.at(-1);
  const states = new Map(last?.states);
  const windows: FoldedWindow[] = [];
  for (const [segment, observation] of [...segments].sort(([left], [right]) =>
    left < right ? -1 : 1,
  )) {
    const context = { model: fold.model, version: fold.version, segment, detection };
    // A given reference describes all predictions. A segment may differ from it without any drift.
    const given = segment === '' ? fold.given : null;
    const windowSizeMs = observation.endMs - observation.startMs;
    const before = states.get(segment) ?? initialState(given, context, windowSizeMs);
    const folded = foldWindow(before, observation, context);
    const { state, verdict } = folded;
    states.set(segment, state);
    windows.push({
      segment,
      observation,
      verdict,
      metrics: withMetrics ? driftMetrics(before, folded, context) : [],
    });
  }
  nameSegment(fold, states, windows);
  const checkpoint = { windowStartMs, ordinal: (last?.ordinal ?? 0) + 1, states };
  const recent = [...fold.checkpoints, checkpoint].filter(
    ({ ordinal }) => ordinal > checkpoint.ordinal - recentWindows,
  );
  return {
    fold: { ...fold, given: null, checkpoints: thinnedCheckpoints(recent) },
    folded: windows,
  };
}

/**
 * Adds to the open event of all predictions the segment in which most of its change happened, in
 * place, when that becomes known.
 */
function nameSegment(
  { model, version }: VersionFold,
  states: Map<string, FoldState>,
  windows: FoldedWindow[],
): void {
  const whole = states.get('');
  const index = windows.findIndex(({ segment }) => segment === '');
  if (!whole?.episode || whole.episode.mostlyIn !== null || index < 0) return;
  const mostlyIn = explainingSegment(states);
  if (mostlyIn === null) return;
  const episode = { ...whole.episode, mostlyIn };
  states.set('', { ...whole, episode });
  const named = driftEventOf({ model, version, segment: '' }, episode, 'open');
  const window = windows[index]!;
  const others = window.verdict.changes.filter(({ id }) => id !== named.id);
  windows[index] = { ...window, verdict: { ...window.verdict, changes: [...others, named] } };
}
