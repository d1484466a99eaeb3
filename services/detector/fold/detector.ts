/**
 * The detector's core: a fold of verdicts over the windows of one stream (model, version, segment)
 * in time order. It is synchronous and deterministic, and states are never changed, so that a fold
 * can be taken up again at any window.
 *
 * A stream is judged by two folds: one of its inputs and outputs, which no label changes, and one
 * of its labels and errors. Labels that come late have only the second one go back. It needs of the
 * first one what that noted of each window (`InputsNote`), and stays as it is in a window without
 * labels.
 *
 * Either fold judges at up to three levels: in windows, in days and in weeks. An alarm at any of
 * them opens an episode, which is followed until all of them are calm again. It is over when its
 * harm is.
 */
import { sum } from 'simple-statistics';
import {
  mergePerformance,
  type WindowObservation,
  type WindowPerformance,
} from '../blocks/windowObservation.ts';
import { type OpenDrifts, openDriftsOf } from '../events/episode.ts';
import type { WindowQuality } from '../events/harm.ts';
import type { InputFacts } from '../families/inputFacts.ts';
import { extendedVersionReference } from '../reference/reference.ts';
import {
  type FoldContext,
  type FoldState,
  type InputsState,
  type JudgedBlock,
  labelsOf,
  type StreamLevels,
  type TruthState,
  type Verdict,
} from './foldState.ts';
import { followDrifts, type WindowSaid } from './followDrifts.ts';
import { outputDistance } from './outputDistance.ts';
import { foldLevels, type LevelsStep, type Said } from './streamLevels.ts';

/** What the inputs and outputs of a window showed. It is small, and plain data. */
export interface InputsNote
  extends Pick<WindowObservation, 'startMs' | 'endMs' | 'records' | 'codeVersions'>,
    Pick<LevelsStep<InputsState>, 'status' | 'reference' | 'said'> {
  /** Records per ms, as the reference has them; 0 while there is none. */
  recordsPerMs: number;
  /** Whether any block was judged. */
  isJudged: boolean;
  /** For each level, that of the windows first. */
  levels: readonly LevelNote[];
  /** As `WindowSaid.differs`. */
  differs: boolean | null;
  outputs: WindowQuality['outputs'];
  /** Distance of the outputs from the first reference before the window; null if it is unknown. */
  usualOutputs: number | null;
}

interface LevelNote {
  facts: InputFacts | null;
  /** Whether the level was calm before the window, and after it. */
  wasCalm: boolean;
  isCalm: boolean;
}

/** The inputs and outputs after a window. */
interface FoldedInputs {
  state: InputsState;
  note: InputsNote;
  /** The window, pooled with those before it that were too small to be judged on their own. */
  observation: WindowObservation;
  judged: readonly JudgedBlock[];
}

/** What came of a window when its labels were folded. */
interface FoldedTruth {
  truth: TruthState;
  drifts: OpenDrifts;
  verdict: Verdict;
  judged: readonly JudgedBlock[];
}

export interface Folded extends Pick<FoldedInputs, 'note' | 'observation'> {
  state: FoldState;
  verdict: Verdict;
  /** The blocks of inputs that were judged (`LevelsStep.judged`). */
  judged: readonly JudgedBlock[];
  /** The blocks of labels that were judged. */
  judgedTruth: readonly JudgedBlock[];
}

/** Folds the next window, which starts after all those before. */
export function foldWindow(
  { inputs, truth, episode, persisting }: FoldState,
  window: WindowObservation,
  context: FoldContext,
): Folded {
  const ofInputs = foldInputs(inputs, window, context);
  const { note, observation } = ofInputs;
  const before = { truth, drifts: { episode, persisting } };
  const ofTruth = foldTruth(before, note, window.performance, context);
  return {
    state: { inputs: ofInputs.state, truth: ofTruth.truth, ...ofTruth.drifts },
    verdict: ofTruth.verdict,
    note,
    observation,
    judged: ofInputs.judged,
    judgedTruth: ofTruth.judged,
  };
}

/** Folds the inputs and outputs of a window. */
function foldInputs(
  before: InputsState,
  window: WindowObservation,
  context: FoldContext,
): FoldedInputs {
  const { startMs, endMs, records, codeVersions } = window;
  const step = foldLevels(before, { ...window, performance: null }, context, null);
  const { status, reference, said, observation, judged } = step;
  const calmBefore = calmLevels(before);
  const calmAfter = calmLevels(step.state);
  const isOwnJudged = status === 'steady';
  const outputs = isOwnJudged ? outputDistance(before.versionReference, observation) : null;
  const note = {
    startMs,
    endMs,
    records,
    codeVersions,
    status,
    reference,
    said,
    recordsPerMs: recordsPerMs(step.state),
    isJudged: judged.length > 0,
    levels: [step.state, ...step.state.longLevels].map(({ facts }, level) => ({
      facts,
      wasCalm: calmBefore[level]!,
      isCalm: calmAfter[level]!,
    })),
    differs:
      isOwnJudged && before.phase !== 'watching'
        ? said.some(({ level, evidence }) => level === 0 && evidence.length > 0)
        : null,
    outputs,
    usualOutputs: before.outputs.records > 0 ? before.outputs.sum / before.outputs.records : null,
  };
  return {
    state: {
      ...withVersionReference(before, step.state, observation, context),
      outputs: outputsAfter(before, step.state, outputs),
    },
    note,
    observation,
    judged,
  };
}

/** Returns the mean distance of the outputs in the regime after a window. */
function outputsAfter(
  before: InputsState,
  { phase }: InputsState,
  outputs: WindowQuality['outputs'],
): InputsState['outputs'] {
  const known = before.phase === phase ? before.outputs : { records: 0, sum: 0 };
  if (phase !== 'watching') return before.outputs;
  if (outputs === null) return known;
  const { records, distance } = outputs;
  return { records: known.records + records, sum: known.sum + records * distance };
}

/**
 * Folds the labels of a window whose inputs were folded, and says what came of the window.
 *
 * @param performance null for a window without labels, which leaves the labels' state as it is
 */
export function foldTruth(
  { truth: before, drifts }: { truth: TruthState; drifts: OpenDrifts },
  note: InputsNote,
  performance: WindowPerformance | null,
  context: FoldContext,
): FoldedTruth {
  const isLabelled = performance !== null && performance.labelled > 0;
  const step = isLabelled
    ? foldLevels(
        before,
        labelsOf(note, performance),
        context,
        note.levels.map(({ facts }) => facts),
      )
    : null;
  const levels = step?.state ?? before;
  const said = {
    ...note,
    ...together(note, step, before, levels),
    performance,
    usual: before.usual,
  };
  const { changes, isAccepted, ...after } = followDrifts(drifts, said, context);
  const isUsual = openDriftsOf(after).length === 0;
  const usual = isAccepted ? null : before.usual;
  const counted = isUsual && isLabelled ? mergePerformance(usual, performance) : usual;
  return {
    truth: counted === levels.usual ? levels : { ...levels, usual: counted },
    drifts: after,
    verdict: {
      status: said.said.length > 0 ? 'drift' : note.status,
      reference: note.reference,
      changes,
    },
    judged: step?.judged ?? [],
  };
}

/**
 * Puts together what inputs and labels say of a window. In a window without labels something new in
 * the inputs is not held against earlier labels; but what these began is not over before other
 * labels are calm.
 */
function together(
  note: InputsNote,
  step: LevelsStep<TruthState> | null,
  before: TruthState,
  after: TruthState,
): Pick<WindowSaid, 'said' | 'isJudged' | 'isCalm' | 'isOwnCalm'> {
  const wasCalm = step ? calmLevels(before) : [];
  const isCalm = calmLevels(after);
  const ofBoth = [...note.said, ...(step?.said ?? [])];
  return {
    isJudged: note.isJudged || (step !== null && step.judged.length > 0),
    isCalm: note.levels.every((level, index) => level.isCalm && isCalm[index]!),
    isOwnCalm: note.levels[0]!.isCalm && isCalm[0]!,
    said: [...Map.groupBy(ofBoth, ({ level }) => level).values()]
      .sort(([left], [right]) => left!.level - right!.level)
      .map(ofLevel => {
        const { level } = ofLevel[0]!;
        return {
          ...ofLevel.reduce(added),
          wasCalm: note.levels[level]!.wasCalm && wasCalm[level] !== false,
        };
      }),
  };
}

/** Returns what two steps of a level said of one window. */
function added(left: Said, right: Said): Said {
  return {
    ...left,
    evidence: [...left.evidence, ...right.evidence],
    alarm: left.alarm ?? right.alarm,
  };
}

function recordsPerMs({ regime }: StreamLevels): number {
  const blocks = regime?.history ?? [];
  if (blocks.length === 0) return 0;
  return sum(blocks.map(({ records }) => records)) / (blocks.at(-1)!.endMs - blocks[0]!.startMs);
}

function calmLevels(state: StreamLevels): boolean[] {
  return [state, ...state.longLevels].map(({ disturbed }) => !disturbed);
}

/** Adds the variables of a new reference that the version's first reference lacks. */
function withVersionReference(
  before: InputsState,
  after: InputsState,
  observation: WindowObservation,
  { detection }: FoldContext,
): InputsState {
  const isNew = after.phase === 'watching' && after.regime?.frozen !== before.regime?.frozen;
  if (!isNew) return after;
  const versionReference = extendedVersionReference(
    before.versionReference,
    'bootstrap',
    [...before.gathered, observation],
    detection.featureKinds,
  );
  return { ...after, versionReference };
}
