/**
 * The detector's core: a fold of verdicts over the windows of one stream (model, version, segment) in time order.
 * It is synchronous and deterministic, and states are never changed, so that a fold can be taken up again at any window.
 *
 *   bootstrap ─► watching ─(a family of tests fires: an episode opens)─► settling ─► renewing ─► watching ─(quiet: it closes)
 */
import { type Block, countBlock } from '../blocks/block.ts';
import { mergeObservations, type WindowObservation } from '../blocks/windowObservation.ts';
import {
  type DriftEventContent,
  driftEventOf,
  type Episode,
  type StreamName,
  withEvidence,
} from '../events/driftEpisode.ts';
import type { Evidence } from '../families/evidence.ts';
import {
  type BlockTests,
  type DetectionSettings,
  measureReference,
  testFamilies,
} from '../families/familyTests.ts';
import { type Calendar, withBlock } from '../reference/calendar.ts';
import {
  type Comparison,
  comparisonsSinceChange,
  comparisonsWithinRegime,
  largestScale,
  longestHistoryBlocks,
  minimumReferenceBlocks,
} from '../reference/comparison.ts';
import {
  completedRegime,
  extendedVersionReference,
  type GivenReference,
  type ReferenceSource,
  type Regime,
  regimeOf,
  type VersionReference,
  withSample,
} from '../reference/reference.ts';
import {
  emptyStreamHistory,
  errorKey,
  labelsKey,
  noiseWeight,
  type StreamHistory,
  type TestKey,
  withAlarm,
  withQuietBlock,
  withReference,
} from '../significance/streamHistory.ts';

/** After a change the next blocks still show the old regime in the large scales, or a ramp: they are no reference. */
const settlingBlocks = largestScale;
/** A new reference that held for so many blocks ends the episode: what comes later is another one. */
const quietBlocks = 4;

export interface FoldContext extends StreamName {
  detection: DetectionSettings;
}

export interface FoldState {
  versionReference: VersionReference;
  /** null until the bootstrap reference is there. */
  regime: Regime | null;
  phase: 'bootstrap' | 'watching' | 'settling' | 'renewing';
  /** Blocks that will be a reference, still with their profiles. */
  gathered: readonly WindowObservation[];
  /** Windows that cannot carry a test yet. */
  pending: WindowObservation | null;
  /** Last blocks since the change. */
  since: readonly Block[];
  /** Blocks folded in this phase. */
  blocksInPhase: number;
  episode: Episode | null;
  /** How the stream varies. */
  history: StreamHistory;
}

export interface Verdict {
  status: 'reference' | 'steady' | 'drift' | 'insufficient_data';
  reference: ReferenceSource;
  /** The drift event as it stands, if this window opened, changed or closed it. */
  change: DriftEventContent | null;
}

export interface Folded {
  state: FoldState;
  verdict: Verdict;
}

/** The state before the first window. */
export function initialState(
  given: GivenReference | null,
  { detection }: Pick<FoldContext, 'detection'>,
): FoldState {
  const regime = given ? regimeOf(given.source, given.parts) : null;
  return {
    versionReference: given
      ? extendedVersionReference(new Map(), given.source, given.parts)
      : new Map(),
    regime,
    phase: given ? 'watching' : 'bootstrap',
    gathered: [],
    pending: null,
    since: [],
    blocksInPhase: 0,
    episode: null,
    history: regime ? withRegime(emptyStreamHistory, regime, detection) : emptyStreamHistory,
  };
}

/** Folds the next window, which starts after all those before. Small windows are pooled until they can carry a test. */
export function foldWindow(
  state: FoldState,
  window: WindowObservation,
  context: FoldContext,
): Folded {
  const block = pendingBlock(state, window);
  if (block.records >= context.detection.minimumRecords)
    return foldBlock({ ...state, pending: null }, block, window, context);
  const status = state.phase === 'bootstrap' ? 'reference' : 'insufficient_data';
  return {
    state: { ...state, pending: block },
    verdict: { status, reference: sourceOf(state), change: null },
  };
}

/** The windows that are judged when this one is: those that were pending, and itself. */
export function pendingBlock({ pending }: FoldState, window: WindowObservation): WindowObservation {
  return pending ? mergeObservations(pending, window) : window;
}

/** What a block is compared with in the present phase. */
export function comparisonsOf({ regime, phase, since }: FoldState, block: Block): Comparison[] {
  if (!regime) return [];
  const { history, calendar } = regime;
  if (phase === 'watching') return comparisonsWithinRegime([...history, block], calendar);
  return comparisonsSinceChange(history, [...since, block].slice(-largestScale), calendar);
}

export function sourceOf({ regime }: FoldState): ReferenceSource {
  return regime?.source ?? 'bootstrap';
}

function foldBlock(
  state: FoldState,
  observation: WindowObservation,
  window: WindowObservation,
  context: FoldContext,
): Folded {
  const { regime } = state;
  if (!regime) return bootstrap(state, observation, context);
  const block = countBlock(observation, regime);
  const { frozen, pairs, complete, outputModel } = regime;
  const { detection } = context;
  const tests = testFamilies(comparisonsOf(state, block), state.history, {
    frozen,
    pairs: pairs ?? [],
    detection,
    newFeaturesMatter: complete,
    outputModel,
  });
  if (state.phase !== 'watching')
    return followChange(state, regime, observation, block, tests.evidence, context);
  if (tests.evidence.length > 0) return openEpisode(state, regime, block, tests, window, context);
  return watch(state, regime, observation, block, tests, context);
}

function bootstrap(
  state: FoldState,
  observation: WindowObservation,
  { detection }: FoldContext,
): Folded {
  const gathered = [...state.gathered, observation];
  const verdict: Verdict = { status: 'reference', reference: 'bootstrap', change: null };
  if (!isFirstReference(gathered, detection)) return { state: { ...state, gathered }, verdict };
  const regime = regimeOf('bootstrap', gathered);
  const history = withRegime(state.history, regime, detection);
  return { state: watching({ ...state, history }, regime, gathered), verdict };
}

/** The parts of a first reference are the first that is known of how the stream varies. */
function withRegime(
  history: StreamHistory,
  { history: blocks, frozen, pairs }: Regime,
  detection: DetectionSettings,
): StreamHistory {
  return withReference(
    history,
    measureReference(blocks, {
      frozen,
      pairs: pairs ?? [],
      detection,
      newFeaturesMatter: false,
      outputModel: null,
    }),
  );
}

function isFirstReference(
  gathered: readonly WindowObservation[],
  detection: DetectionSettings,
): boolean {
  const windows = gathered.reduce((total, observation) => total + observation.windows, 0);
  return windows >= detection.bootstrapWindows && isReference(gathered, detection);
}

function isReference(
  gathered: readonly WindowObservation[],
  detection: DetectionSettings,
): boolean {
  const records = gathered.reduce((total, observation) => total + observation.records, 0);
  return gathered.length >= minimumReferenceBlocks && records >= detection.bootstrapRecords;
}

function watching(
  state: FoldState,
  regime: Regime,
  gathered: readonly WindowObservation[],
): FoldState {
  return {
    ...state,
    versionReference: extendedVersionReference(state.versionReference, 'bootstrap', gathered),
    regime,
    phase: 'watching',
    gathered: [],
    since: [],
    blocksInPhase: 0,
  };
}

function watch(
  state: FoldState,
  regime: Regime,
  observation: WindowObservation,
  block: Block,
  { measured }: BlockTests,
  context: FoldContext,
): Folded {
  const blocks = [...regime.history, block];
  const history = blocks.slice(-(longestHistoryBlocks + largestScale));
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

/** The calendar of all blocks but the last ones, of what is more than sampling noise: of noise no time differs from another. */
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
  const older = blocks.slice(calendar.size === 0 ? 0 : -1 - largestScale, -largestScale);
  return older.reduce(
    (counted, block) => withBlock(counted, block, { variables, performance }),
    calendar,
  );
}

/** A given reference that lacks a variable (outputs, mostly) leaves it to the version's own first windows. */
function gatherFurther(
  state: FoldState,
  regime: Regime,
  observation: WindowObservation,
  detection: DetectionSettings,
): FoldState {
  if (regime.complete) return { ...state, regime };
  const gathered = [...state.gathered, observation];
  if (!isFirstReference(gathered, detection)) return { ...state, regime, gathered };
  return watching(state, completedRegime(regime, gathered), gathered);
}

/** The change began where the most significant scale does; what was before is kept to learn more about it. */
function openEpisode(
  state: FoldState,
  regime: Regime,
  block: Block,
  { evidence, measured }: BlockTests,
  window: WindowObservation,
  context: FoldContext,
): Folded {
  const blocks = [...regime.history, block];
  const { scale } = evidence.reduce((left, right) =>
    right.logPValue < left.logPValue ? right : left,
  );
  const episode: Episode = state.episode
    ? { ...withEvidence(state.episode, evidence), renewals: state.episode.renewals + 1 }
    : {
        windowStartMs: window.startMs,
        windowEndMs: window.endMs,
        reference: regime.source,
        newCodeVersions: newCodeVersions(blocks),
        evidence,
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

/** Versions of the serving code in the last blocks that those before did not have, if those logged any. */
function newCodeVersions(blocks: readonly Block[]): string[] {
  const recent = Math.min(largestScale, blocks.length - minimumReferenceBlocks);
  const known = new Set(blocks.slice(0, -recent).flatMap(({ codeVersions }) => [...codeVersions]));
  if (known.size === 0) return [];
  const logged = new Set(blocks.slice(-recent).flatMap(({ codeVersions }) => [...codeVersions]));
  return [...logged].filter(version => !known.has(version)).sort();
}

/** Between a change and the next reference: what else the blocks show against the old regime belongs to the episode. */
function followChange(
  state: FoldState,
  regime: Regime,
  observation: WindowObservation,
  block: Block,
  evidence: readonly Evidence[],
  context: FoldContext,
): Folded {
  const episode = withEvidence(state.episode!, evidence);
  const followed: FoldState = {
    ...state,
    since: [...state.since, block].slice(-largestScale),
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
  return watching(state, regimeOf('bootstrap', gathered, state.regime?.frozen), gathered);
}

function nameOf({ model, version, segment }: FoldContext): StreamName {
  return { model, version, segment };
}
