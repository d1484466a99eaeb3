import type { OpenDrifts } from '../events/episode.ts';
import type { InputsNote } from './detector.ts';
import type { TruthState } from './foldState.ts';
import { thinnedCheckpoints } from './thinnedCheckpoints.ts';

/**
 * Number of the newest windows whose notes are kept, some 500 bytes each. Labels of these may come
 * late without folding any inputs again. At windows of an hour that is 42 days, and 14 days at
 * least, because notes go up to a checkpoint at a time.
 */
export const maxNotedWindows = 1024;

/** As in `thinnedCheckpoints`. Labels are folded fast, so that few checkpoints do. */
const checkpointSpread = 2;

/** A window whose inputs were folded, in each segment that has it. */
export interface NotedWindow {
  startMs: number;
  segments: ReadonlyMap<string, InputsNote>;
}

/** What a version has come to with a window. */
export interface Outcome {
  /** Number of windows with labels that were folded up to here. */
  ordinal: number;
  /** The drifts that are not over, by segment. Segments without any are left out. */
  drifts: ReadonlyMap<string, OpenDrifts>;
}

/** States of the labels of all segments after a window that has labels. */
export interface TruthCheckpoint {
  windowStartMs: number;
  /** Number of windows with labels that were folded up to here. */
  ordinal: number;
  states: ReadonlyMap<string, TruthState>;
}

/**
 * The fold of the labels of a version, over the notes of its windows. Windows without labels take
 * no checkpoint, so that labels that come two weeks late find the state of two weeks ago. Plain
 * data, never changed once made.
 */
export interface TruthFold {
  /** The newest windows, oldest first. */
  windows: readonly NotedWindow[];
  /** The outcomes of the first of these windows: of all, unless labels are folded again. */
  outcomes: readonly Outcome[];
  /** The outcome of the windows before. */
  before: Outcome;
  /** The newest one holds all labels up to the last outcome. */
  checkpoints: readonly TruthCheckpoint[];
}

/** Returns the fold before the first window. */
export function begunTruth(states: ReadonlyMap<string, TruthState>): TruthFold {
  return {
    windows: [],
    outcomes: [],
    before: { ordinal: 0, drifts: new Map() },
    checkpoints: [{ windowStartMs: Number.NEGATIVE_INFINITY, ordinal: 0, states }],
  };
}

/** Returns what a version has come to with the last window whose labels were folded. */
export function lastOutcome({ outcomes, before }: TruthFold): Outcome {
  return outcomes.at(-1) ?? before;
}

/** Returns the next window whose labels have to be folded again; null if there is none. */
export function nextNoted({ windows, outcomes }: TruthFold): NotedWindow | null {
  return windows[outcomes.length] ?? null;
}

/** Returns the start of the last window whose labels were folded; -Infinity if there is none. */
export function lastOutcomeMs({ windows, outcomes, checkpoints }: TruthFold): number {
  return windows[outcomes.length - 1]?.startMs ?? checkpoints[0]!.windowStartMs;
}

/**
 * Returns the fold with the outcome of its next noted window.
 * @param states after the window; null if it has no labels
 */
export function withOutcome(
  truth: TruthFold,
  states: ReadonlyMap<string, TruthState> | null,
  drifts: ReadonlyMap<string, OpenDrifts>,
): TruthFold {
  const { windows, outcomes, checkpoints } = truth;
  const ordinal = lastOutcome(truth).ordinal + (states ? 1 : 0);
  const { startMs: windowStartMs } = windows[outcomes.length]!;
  return trimmed({
    ...truth,
    outcomes: [...outcomes, { ordinal, drifts }],
    checkpoints: states
      ? thinnedCheckpoints([...checkpoints, { windowStartMs, ordinal, states }], checkpointSpread)
      : checkpoints,
  });
}

/** Returns the fold with other drifts after its last window. */
export function withDrifts(truth: TruthFold, drifts: Outcome['drifts']): TruthFold {
  const last = { ...lastOutcome(truth), drifts };
  const { outcomes } = truth;
  return outcomes.length === 0
    ? { ...truth, before: last }
    : { ...truth, outcomes: [...outcomes.slice(0, -1), last] };
}

/**
 * Returns the fold before the labels of a window, which have to be folded again together with all
 * that come later. Null if it does not go back so far.
 */
export function truthBefore(truth: TruthFold, windowStartMs: number): TruthFold | null {
  const checkpoints = truth.checkpoints.filter(
    checkpoint => checkpoint.windowStartMs < windowStartMs,
  );
  const newest = checkpoints.at(-1);
  if (!newest) return null;
  const last = truth.outcomes.findLastIndex(
    ({ ordinal }, index) =>
      ordinal === newest.ordinal && truth.windows[index]!.startMs < windowStartMs,
  );
  return { ...truth, checkpoints, outcomes: truth.outcomes.slice(0, last + 1) };
}

/** Returns the fold of the windows up to one. Null if it does not go back so far. */
export function truthUntil(truth: TruthFold, windowStartMs: number): TruthFold | null {
  const windows = truth.windows.filter(({ startMs }) => startMs <= windowStartMs);
  const outcomes = truth.outcomes.slice(0, windows.length);
  return truthBefore({ ...truth, windows, outcomes }, windowStartMs + 1);
}

/** Forgets the oldest windows, up to one after which the state of the labels is known. */
function trimmed(truth: TruthFold): TruthFold {
  const { windows, outcomes, checkpoints } = truth;
  const excess = windows.length - maxNotedWindows;
  if (excess <= 0 || outcomes.length < windows.length) return truth;
  const { ordinal } = outcomes[excess - 1]!;
  const [first, ...later] = checkpoints.filter(checkpoint => checkpoint.ordinal >= ordinal);
  const known =
    first!.ordinal === ordinal
      ? excess
      : outcomes.findIndex(outcome => outcome.ordinal === first!.ordinal) + 1;
  return {
    windows: windows.slice(known),
    outcomes: outcomes.slice(known),
    before: outcomes[known - 1]!,
    checkpoints: [{ ...first!, windowStartMs: windows[known - 1]!.startMs }, ...later],
  };
}
