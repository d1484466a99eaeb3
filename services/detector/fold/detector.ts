/**
 * The detector's core: a fold of verdicts over the windows of one stream (model, version, segment)
 * in time order. It is synchronous and deterministic, and states are never changed, so that a fold
 * can be taken up again at any window.
 *
 *   bootstrap ─► watching ─(a family of tests fires: an episode opens)─► settling ─► renewing ─► watching ─(quiet: it closes)
 */
import { type Block, countBlock } from '../blocks/block.ts';
import type { WindowObservation } from '../blocks/windowObservation.ts';
import {
  datedEvidence,
  driftEventOf,
  type StreamName,
  withEvidence,
} from '../events/driftEpisode.ts';
import type { Episode } from '../events/episode.ts';
import { type BlockTests, testFamilies } from '../families/testFamilies.ts';
import { type Calendar, withBlock } from '../reference/calendar.ts';
import {
  type Comparison,
  comparisonsSinceChange,
  comparisonsWithinRegime,
  maxHistoryBlocks,
  maxScale,
  minReferenceBlocks,
} from '../reference/comparison.ts';
import { completedRegime, type Regime, regimeOf, withSample } from '../reference/reference.ts';
import {
  errorKey,
  labelsKey,
  noiseWeight,
  type StreamHistory,
  type TestKey,
  withAlarm,
  withQuietBlock,
} from '../significance/streamHistory.ts';
import {
  type DetectionSettings,
  type FoldContext,
  type FoldState,
  isFirstReference,
  isReference,
  type JudgedBlock,
  pendingBlock,
  type Verdict,
  watching,
  withRegime,
} from './foldState.ts';

/**
 * Number of blocks after a change that are left out of the new reference. The large scales still
 * contain blocks of the old regime there, and a gradual change may still go on.
 */
const settlingBlocks = maxScale;
/**
 * Number of blocks for which a new reference has to hold until the episode ends. A later drift is
 * another episode.
 */
const quietBlocks = 4;

interface Step {
  state: FoldState;
  verdict: Verdict;
}

export interface Folded extends Step {
  /** Null while there is no reference, and for a window that is too small to be judged. */
  judged: JudgedBlock | null;
}

/**
 * Folds the next window, which starts after all those before. Small windows are pooled until they
 * are large enough to be judged together.
 */
export function foldWindow(
  state: FoldState,
  window: WindowObservation,
  context: FoldContext,
): Folded {
  const observation = pendingBlock(state, window);
  const { regime, phase } = state;
  if (observation.records < context.detection.minimumRecords) {
    const status = phase === 'bootstrap' ? 'reference' : 'insufficient_data';
    const verdict: Verdict = { status, reference: regime?.source ?? 'bootstrap', change: null };
    return { state: { ...state, pending: observation }, verdict, judged: null };
  }
  const unpooled = { ...state, pending: null };
  if (!regime) return { ...bootstrap(unpooled, observation, context), judged: null };
  return foldBlock(unpooled, regime, observation, window, context);
}

function foldBlock(
  state: FoldState,
  regime: Regime,
  observation: WindowObservation,
  window: WindowObservation,
  context: FoldContext,
): Folded {
  const block = countBlock(observation, regime);
  const { frozen, pairs, complete, outputModel } = regime;
  const tests = testFamilies(comparisonsOf(state, regime, block), state.history, {
    frozen,
    pairs: pairs ?? [],
    detection: context.detection,
    newFeaturesMatter: complete,
    outputModel,
  });
  const judged: JudgedBlock = { observation, reference: regime.source, tests };
  if (state.phase !== 'watching')
    return { ...followChange(state, regime, observation, block, tests, window, context), judged };
  if (tests.evidence.length > 0)
    return { ...openEpisode(state, regime, block, tests, window, context), judged };
  return { ...watch(state, regime, observation, block, tests, context), judged };
}

/** Returns what a block is compared with in the present phase. */
function comparisonsOf({ phase, since }: FoldState, regime: Regime, block: Block): Comparison[] {
  const { history, calendar } = regime;
  if (phase === 'watching') return comparisonsWithinRegime([...history, block], calendar);
  return comparisonsSinceChange(history, [...since, block].slice(-maxScale), calendar);
}

/** Gathers the first windows of a version until they are its reference. */
function bootstrap(
  state: FoldState,
  observation: WindowObservation,
  { detection }: FoldContext,
): Step {
  const gathered = [...state.gathered, observation];
  const verdict: Verdict = { status: 'reference', reference: 'bootstrap', change: null };
  if (!isFirstReference(gathered, detection)) return { state: { ...state, gathered }, verdict };
  const regime = regimeOf('bootstrap', gathered, { declared: detection.featureKinds });
  const history = withRegime(state.history, regime, detection);
  return { state: watching({ ...state, history }, regime, gathered, detection), verdict };
}

function watch(
  state: FoldState,
  regime: Regime,
  observation: WindowObservation,
  block: Block,
  { measured }: BlockTests,
  context: FoldContext,
): Step {
  const blocks = [...regime.history, block];
  const history = blocks.slice(-(maxHistoryBlocks + maxScale));
  const calendar = nextCalendar(regime.calendar, blocks, state.history);
  const quiet = state.episode !== null && state.blocksInPhase + 1 >= quietBlocks;
  const next: FoldState = {
    ...gatherFurther(
      state,
      withSample({ ...regime, history, calendar }, observation.sample),
      observation,
      context.detection,
    ),
    blocksInPhase: state.blocksInPhase + 1,
    episode: quiet ? null : state.episode,
    history: withQuietBlock(state.history, measured),
  };
  const change = quiet ? driftEventOf(nameOf(context), state.episode!, 'closed') : null;
  return { state: next, verdict: { status: 'steady', reference: regime.source, change } };
}

/**
 * Adds all but the newest blocks to the calendar. It only contains variables whose variation
 * exceeds sampling noise, because for others the time makes no difference.
 */
function nextCalendar(
  calendar: Calendar,
  blocks: readonly Block[],
  history: StreamHistory,
): Calendar {
  const weight = noiseWeight(history);
  const isOrdered = (key: TestKey) => weight(key) < 0.5;
  const variables = new Set([...blocks.at(-1)!.variables.keys()].filter(isOrdered));
  const performance = isOrdered(labelsKey) || isOrdered(errorKey);
  if (variables.size === 0 && !performance) return calendar;
  const older = blocks.slice(calendar.size === 0 ? 0 : -1 - maxScale, -maxScale);
  return older.reduce(
    (counted, block) => withBlock(counted, block, { variables, performance }),
    calendar,
  );
}

/**
 * Gathers the version's own first windows for the variables that a given reference lacks. These are
 * mostly its outputs.
 */
function gatherFurther(
  state: FoldState,
  regime: Regime,
  observation: WindowObservation,
  detection: DetectionSettings,
): FoldState {
  if (regime.complete) return { ...state, regime };
  const gathered = [...state.gathered, observation];
  if (!isFirstReference(gathered, detection)) return { ...state, regime, gathered };
  const completed = completedRegime(regime, gathered, detection.featureKinds);
  return watching(state, completed, gathered, detection);
}

/**
 * Opens an episode, or continues one whose new reference did not hold. The change began where the
 * most significant scale begins; the blocks before stay the reference, so that more can be learned
 * about the change.
 */
function openEpisode(
  state: FoldState,
  regime: Regime,
  block: Block,
  { evidence, measured }: BlockTests,
  window: WindowObservation,
  context: FoldContext,
): Step {
  const blocks = [...regime.history, block];
  const { scale } = evidence.reduce((left, right) =>
    right.logPValue < left.logPValue ? right : left,
  );
  const found = datedEvidence(evidence, window);
  const episode: Episode = state.episode
    ? { ...withEvidence(state.episode, found), renewals: state.episode.renewals + 1 }
    : {
        windowStartMs: window.startMs,
        windowEndMs: window.endMs,
        reference: regime.source,
        newCodeVersions: newCodeVersions(blocks),
        evidence: found,
        renewals: 0,
      };
  const next: FoldState = {
    ...state,
    regime: { ...regime, history: blocks.slice(0, -scale) },
    phase: 'settling',
    gathered: [],
    since: blocks.slice(-scale),
    blocksInPhase: 0,
    episode,
    history: withAlarm(state.history, measured),
  };
  const change = driftEventOf(nameOf(context), episode, 'open');
  return { state: next, verdict: { status: 'drift', reference: regime.source, change } };
}

/**
 * Returns the versions of the serving code in the last blocks that the blocks before did not have,
 * if those logged any.
 */
function newCodeVersions(blocks: readonly Block[]): string[] {
  const recent = Math.min(maxScale, blocks.length - minReferenceBlocks);
  const known = new Set(blocks.slice(0, -recent).flatMap(({ codeVersions }) => [...codeVersions]));
  if (known.size === 0) return [];
  const logged = new Set(blocks.slice(-recent).flatMap(({ codeVersions }) => [...codeVersions]));
  return [...logged].filter(version => !known.has(version)).sort();
}

/**
 * Follows a change until the next reference. All differences of these blocks from the old regime
 * belong to the episode.
 */
function followChange(
  state: FoldState,
  regime: Regime,
  observation: WindowObservation,
  block: Block,
  { evidence }: BlockTests,
  window: WindowObservation,
  context: FoldContext,
): Step {
  const episode = withEvidence(state.episode!, datedEvidence(evidence, window));
  const followed: FoldState = {
    ...state,
    since: [...state.since, block].slice(-maxScale),
    blocksInPhase: state.blocksInPhase + 1,
    episode,
  };
  const verdict: Verdict = {
    status: evidence.length > 0 ? 'drift' : 'steady',
    reference: regime.source,
    change: episode === state.episode ? null : driftEventOf(nameOf(context), episode, 'open'),
  };
  return { state: renew(followed, observation, context.detection), verdict };
}

/** Lets the change settle, then gathers a new reference. */
function renew(
  state: FoldState,
  observation: WindowObservation,
  detection: DetectionSettings,
): FoldState {
  if (state.phase === 'settling') {
    return state.blocksInPhase < settlingBlocks
      ? state
      : { ...state, phase: 'renewing', blocksInPhase: 0 };
  }
  const gathered = [...state.gathered, observation];
  if (!isReference(gathered, detection)) return { ...state, gathered };
  const regime = regimeOf('bootstrap', gathered, {
    declared: detection.featureKinds,
    earlier: state.regime?.frozen,
  });
  return watching(state, regime, gathered, detection);
}

function nameOf({ model, version, segment }: FoldContext): StreamName {
  return { model, version, segment };
}
