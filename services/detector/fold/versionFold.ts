import type { ModelSettings } from '../../shared/config/settings.ts';
import type { WindowObservation } from '../blocks/windowObservation.ts';
import { type DriftEventContent, driftEventOf } from '../events/driftEpisode.ts';
import type { GivenReference } from '../reference/reference.ts';
import { foldWindow } from './detector.ts';
import type { DriftMetric } from './driftMetric.ts';
import { driftMetrics } from './driftMetrics.ts';
import { type FoldState, initialState, type Verdict } from './foldState.ts';
import { thinnedCheckpoints } from './thinnedCheckpoints.ts';

/**
 * Late data mostly concern the last windows: of so many some states stay in memory. They share most
 * of what they hold.
 */
const recentWindows = 64;

/** States of all segments after a window. */
export interface Checkpoint {
  windowStartMs: number;
  /** Windows folded up to here. */
  ordinal: number;
  states: ReadonlyMap<string, FoldState>;
}

/** The folds of all segments of a model version, side by side. Never changed once made. */
export interface VersionFold {
  model: string;
  version: string;
  /** What the first window is compared with, if anything was given; only needed until then. */
  given: GivenReference | null;
  /** Oldest first. */
  checkpoints: readonly Checkpoint[];
}

export interface FoldedWindow {
  segment: string;
  observation: WindowObservation;
  verdict: Verdict;
  /** Empty unless asked for. */
  metrics: DriftMetric[];
}

/**
 * The fold as it was before a window and all after it; it has to be replayed from its last
 * checkpoint.
 */
export function rewound(fold: VersionFold, windowStartMs: number): VersionFold {
  return {
    ...fold,
    checkpoints: fold.checkpoints.filter(checkpoint => checkpoint.windowStartMs < windowStartMs),
  };
}

/** The drift events of the episodes that are open after the last window of a fold. */
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
  const folded: FoldedWindow[] = [];
  for (const [segment, observation] of [...segments].sort(([left], [right]) =>
    left < right ? -1 : 1,
  )) {
    const context = { model: fold.model, version: fold.version, segment, detection };
    // A given reference describes all predictions; a segment may well differ from it without any
    // drift.
    const before = states.get(segment) ?? initialState(segment === '' ? fold.given : null, context);
    const { state, verdict, judged } = foldWindow(before, observation, context);
    states.set(segment, state);
    folded.push({
      segment,
      observation,
      verdict,
      metrics: withMetrics && judged ? driftMetrics(before, judged, context) : [],
    });
  }
  const checkpoint = { windowStartMs, ordinal: (last?.ordinal ?? 0) + 1, states };
  const recent = [...fold.checkpoints, checkpoint].filter(
    ({ ordinal }) => ordinal > checkpoint.ordinal - recentWindows,
  );
  return { fold: { ...fold, given: null, checkpoints: thinnedCheckpoints(recent) }, folded };
}
