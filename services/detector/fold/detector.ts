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
 * them opens an episode, which closes when all of them are calm again.
 */
import { sum } from 'simple-statistics';
import type { WindowObservation, WindowPerformance } from '../blocks/windowObservation.ts';
import type { Episode } from '../events/episode.ts';
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
import { followEpisode, type WindowSaid } from './followEpisode.ts';
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
  episode: Episode | null;
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
  { inputs, truth, episode }: FoldState,
  window: WindowObservation,
  context: FoldContext,
): Folded {
  const ofInputs = foldInputs(inputs, window, context);
  const { note, observation } = ofInputs;
  const ofTruth = foldTruth({ truth, episode }, note, window.performance, context);
  return {
    state: { inputs: ofInputs.state, truth: ofTruth.truth, episode: ofTruth.episode },
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
  };
  return {
    state: withVersionReference(before, step.state, observation, context),
    note,
    observation,
    judged,
  };
}

/**
 * Folds the labels of a window whose inputs were folded, and says what came of the window.
 *
 * @param performance null for a window without labels, which leaves the labels' state as it is
 */
export function foldTruth(
  { truth: before, episode }: Pick<FoldState, 'truth' | 'episode'>,
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
  const truth = step?.state ?? before;
  const said = { ...note, ...together(note, step, before, truth) };
  const followed = followEpisode(episode, said, context);
  return {
    truth,
    episode: followed.episode,
    verdict: {
      status: said.said.length > 0 ? 'drift' : note.status,
      reference: note.reference,
      changes: followed.changes,
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
): Pick<WindowSaid, 'said' | 'isJudged' | 'isCalm'> {
  const wasCalm = step ? calmLevels(before) : [];
  const isCalm = calmLevels(after);
  const ofBoth = [...note.said, ...(step?.said ?? [])];
  return {
    isJudged: note.isJudged || (step !== null && step.judged.length > 0),
    isCalm: note.levels.every((level, index) => level.isCalm && isCalm[index]!),
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
