import type { ModelSettings } from '../../shared/config/settings.ts';
import type { WindowObservation, WindowPerformance } from '../blocks/windowObservation.ts';
import type { Acceptance } from '../events/driftEnd.ts';
import { type DriftEventContent, driftEventOf } from '../events/driftEpisode.ts';
import { noDrifts, type OpenDrifts, openDriftsOf } from '../events/episode.ts';
import type { GivenReference } from '../reference/reference.ts';
import { foldTruth, foldWindow, type InputsNote } from './detector.ts';
import type { DriftMetric } from './driftMetric.ts';
import { driftMetrics, resultMetrics } from './driftMetrics.ts';
import { explainingSegment } from './explainingSegment.ts';
import {
  type FoldContext,
  type FoldState,
  type InputsState,
  initialInputs,
  initialTruth,
  type TruthState,
  type Verdict,
} from './foldState.ts';
import { thinnedCheckpoints } from './thinnedCheckpoints.ts';
import {
  begunTruth,
  lastOutcome,
  lastOutcomeMs,
  nextNoted,
  type TruthFold,
  truthBefore,
  truthUntil,
  withOutcome,
} from './truthFold.ts';

/**
 * Number of the newest windows for which nearly every state may stay in memory, because late data
 * mostly concerns these. The states share most of their contents.
 */
const recentWindows = 64;

/** States of the inputs of all segments after a window. */
export interface Checkpoint {
  windowStartMs: number;
  /** Number of windows that were folded up to here. */
  ordinal: number;
  states: ReadonlyMap<string, InputsState>;
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
  /** Checkpoints of the inputs, the oldest first. */
  checkpoints: readonly Checkpoint[];
  /** The fold of the labels. Null before the first window. */
  truth: TruthFold | null;
}

export interface FoldedWindow {
  segment: string;
  observation: Pick<WindowObservation, 'startMs' | 'endMs' | 'records'>;
  verdict: Verdict;
  /** Metrics of the window; empty unless they were requested. */
  metrics: DriftMetric[];
  /** Whether only the labels were folded, so that the metrics are those of performance alone. */
  onlyLabels: boolean;
}

/** Returns the fold of a version before its first window. */
export function begunFold(
  name: { model: string; version: string },
  given: GivenReference | null = null,
): VersionFold {
  return { model: name.model, version: name.version, given, checkpoints: [], truth: null };
}

/**
 * Returns the fold without what was folded at and after a window. It has to be replayed from its
 * last checkpoint.
 */
export function rewound(fold: VersionFold, windowStartMs: number): VersionFold {
  const checkpoints = fold.checkpoints.filter(
    checkpoint => checkpoint.windowStartMs < windowStartMs,
  );
  const last = checkpoints.at(-1);
  const truth = last && fold.truth && truthUntil(fold.truth, last.windowStartMs);
  return truth ? { ...fold, checkpoints, truth } : begunFold(fold, fold.given);
}

/**
 * Returns the fold without the labels at and after a window, which have to be folded again
 * (`foldLabels`). Null if it does not go back so far: then its inputs have to go back, too.
 */
export function relabelled(fold: VersionFold, windowStartMs: number): VersionFold | null {
  const truth = fold.truth && truthBefore(fold.truth, windowStartMs);
  return truth && { ...fold, truth };
}

/** Returns the start of the last window that is in a fold with its labels; -Infinity if none is. */
export function foldedMs({ truth }: VersionFold): number {
  return truth ? lastOutcomeMs(truth) : Number.NEGATIVE_INFINITY;
}

/** Returns the start of the next window whose labels have to be folded again; null if none has. */
export function nextLabelsMs({ truth }: VersionFold): number | null {
  return truth && (nextNoted(truth)?.startMs ?? null);
}

/** Returns the drift events that are open after the last window of a fold. */
export function openEvents({ model, version, truth }: VersionFold): DriftEventContent[] {
  return [...(truth ? lastOutcome(truth).drifts : [])].flatMap(([segment, drifts]) =>
    openDriftsOf(drifts).map(episode => driftEventOf({ model, version, segment }, episode, null)),
  );
}

/** Returns the state of a segment after the last window of a fold; the first one if it has none. */
export function stateOf(fold: VersionFold, context: FoldContext, windowSizeMs: number): FoldState {
  const { segment } = context;
  // A given reference describes all predictions. A segment may differ from it without any drift.
  const given = segment === '' ? fold.given : null;
  const inputs =
    fold.checkpoints.at(-1)?.states.get(segment) ?? initialInputs(given, context, windowSizeMs);
  const truth = fold.truth ?? begunTruthOf(fold, context, windowSizeMs);
  const { drifts, truth: labels } = truthOf(truth, context, windowSizeMs);
  return { inputs, truth: labels, ...drifts };
}

function begunTruthOf(
  { given }: VersionFold,
  context: Pick<FoldContext, 'detection'>,
  windowSizeMs: number,
): TruthFold {
  return begunTruth(
    new Map(given ? [['', initialTruth(given, context, windowSizeMs)] as const] : []),
  );
}

function truthOf(
  truth: TruthFold,
  context: FoldContext,
  windowSizeMs: number,
): { truth: TruthState; drifts: OpenDrifts } {
  const { segment } = context;
  const { states } = truth.checkpoints.at(-1)!;
  return {
    truth: states.get(segment) ?? initialTruth(null, context, windowSizeMs),
    drifts: lastOutcome(truth).drifts.get(segment) ?? noDrifts,
  };
}

/** What came of a window in a segment. */
interface SegmentOutcome {
  /** Null if the window has no labels. */
  truth: TruthState | null;
  drifts: OpenDrifts;
}

/** How windows of a version are folded. */
export interface FoldOptions {
  detection: ModelSettings['detection'];
  /** As `FoldContext.acceptances`. */
  acceptances?: ReadonlyMap<string, Acceptance>;
  withMetrics: boolean;
}

/** Folds one window of every segment that has it. */
export function foldVersionWindow(
  fold: VersionFold,
  windowStartMs: number,
  segments: ReadonlyMap<string, WindowObservation>,
  { detection, acceptances, withMetrics }: FoldOptions,
): { fold: VersionFold; folded: FoldedWindow[] } {
  const last = fold.checkpoints.at(-1);
  const states = new Map(last?.states);
  const notes = new Map<string, InputsNote>();
  const after = new Map<string, SegmentOutcome>();
  const folded: FoldedWindow[] = [];
  let { truth } = fold;
  for (const segment of [...segments.keys()].sort()) {
    const observation = segments.get(segment)!;
    const windowSizeMs = observation.endMs - observation.startMs;
    const { model, version } = fold;
    const context = { model, version, segment, detection, acceptances };
    truth ??= begunTruthOf(fold, context, windowSizeMs);
    const before = stateOf(fold, context, windowSizeMs);
    const step = foldWindow(before, observation, context);
    states.set(segment, step.state.inputs);
    notes.set(segment, step.note);
    const { episode, persisting } = step.state;
    const drifts = { episode, persisting };
    after.set(segment, outcomeOf(before, { truth: step.state.truth, drifts }));
    folded.push({
      segment,
      observation,
      verdict: step.verdict,
      metrics: withMetrics ? driftMetrics(before, step, context) : [],
      onlyLabels: false,
    });
  }
  const checkpoint = { windowStartMs, ordinal: (last?.ordinal ?? 0) + 1, states };
  const recent = [...fold.checkpoints, checkpoint].filter(
    ({ ordinal }) => ordinal > checkpoint.ordinal - recentWindows,
  );
  const noted = { startMs: windowStartMs, segments: notes };
  nameSegment(fold, notes, after, folded);
  return {
    fold: {
      ...fold,
      given: null,
      checkpoints: thinnedCheckpoints(recent),
      truth: withSegments({ ...truth!, windows: [...truth!.windows, noted] }, after),
    },
    folded,
  };
}

/**
 * Folds the labels of the next window whose inputs were folded before and stay as they are.
 * @param performances of the segments that have labels
 */
export function foldLabels(
  fold: VersionFold,
  performances: ReadonlyMap<string, WindowPerformance>,
  { detection, acceptances, withMetrics }: FoldOptions,
): { fold: VersionFold; folded: FoldedWindow[] } {
  const truth = fold.truth!;
  const after = new Map<string, SegmentOutcome>();
  const folded: FoldedWindow[] = [];
  for (const [segment, note] of nextNoted(truth)!.segments) {
    const { model, version } = fold;
    const context = { model, version, segment, detection, acceptances };
    const before = truthOf(truth, context, note.endMs - note.startMs);
    const step = foldTruth(before, note, performances.get(segment) ?? null, context);
    after.set(segment, outcomeOf(before, step));
    folded.push({
      segment,
      observation: note,
      verdict: step.verdict,
      metrics: withMetrics ? resultMetrics(step.judged) : [],
      onlyLabels: true,
    });
  }
  nameSegment(fold, nextNoted(truth)!.segments, after, folded);
  return { fold: { ...fold, truth: withSegments(truth, after) }, folded };
}

function outcomeOf(
  before: Pick<FoldState, 'truth'>,
  { truth, drifts }: { truth: TruthState; drifts: OpenDrifts },
): SegmentOutcome {
  return { truth: truth === before.truth ? null : truth, drifts };
}

/** Returns the fold of labels with what its next noted window came to in each segment. */
function withSegments(truth: TruthFold, after: ReadonlyMap<string, SegmentOutcome>): TruthFold {
  const labelled = [...after].flatMap(([segment, outcome]) =>
    outcome.truth ? [[segment, outcome.truth] as const] : [],
  );
  const before = truth.checkpoints.at(-1)!.states;
  const states = labelled.length > 0 ? new Map([...before, ...labelled]) : null;
  const known = lastOutcome(truth).drifts;
  const changed = [...after].filter(
    ([segment, { drifts }]) => !isSame(drifts, known.get(segment) ?? noDrifts),
  );
  if (changed.length === 0) return withOutcome(truth, states, known);
  const next = new Map(known);
  for (const [segment, { drifts }] of changed) {
    if (openDriftsOf(drifts).length > 0) next.set(segment, drifts);
    else next.delete(segment);
  }
  return withOutcome(truth, states, next);
}

/** Returns whether the drifts are the very same, so that they are kept once. */
function isSame(one: OpenDrifts, other: OpenDrifts): boolean {
  const [left, right] = [openDriftsOf(one), openDriftsOf(other)];
  return (
    one.episode === other.episode &&
    left.length === right.length &&
    left.every((episode, index) => episode === right[index])
  );
}

/**
 * Adds to the open event of all predictions the segment in which most of its change happened, in
 * place, when that becomes known.
 */
function nameSegment(
  { model, version }: VersionFold,
  notes: ReadonlyMap<string, InputsNote>,
  after: Map<string, SegmentOutcome>,
  windows: FoldedWindow[],
): void {
  const whole = after.get('');
  const index = windows.findIndex(({ segment }) => segment === '');
  const changing = whole?.drifts.episode;
  if (!changing || changing.mostlyIn !== null || index < 0) return;
  const streams = [...after].map(([segment, { drifts }]) => {
    const { recordsPerMs } = notes.get(segment)!;
    return [segment, { episode: drifts.episode, recordsPerMs }] as const;
  });
  const mostlyIn = explainingSegment(new Map(streams));
  if (mostlyIn === null) return;
  const episode = { ...changing, mostlyIn };
  after.set('', { ...whole, drifts: { ...whole.drifts, episode } });
  const named = driftEventOf({ model, version, segment: '' }, episode, null);
  const window = windows[index]!;
  const others = window.verdict.changes.filter(({ id }) => id !== named.id);
  windows[index] = { ...window, verdict: { ...window.verdict, changes: [...others, named] } };
}
