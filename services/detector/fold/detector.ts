/**
 * The detector's core: a fold of verdicts over the windows of one stream (model, version, segment)
 * in time order. It is synchronous and deterministic, and states are never changed, so that a fold
 * can be taken up again at any window.
 *
 * A stream is judged at up to three levels: in its windows, in its days and in its weeks. An alarm
 * at any of them opens an episode, which closes when all of them are calm again.
 */
import { dayMs } from '../../shared/duration.ts';
import { type Block, countBlock } from '../blocks/block.ts';
import type { WindowObservation } from '../blocks/windowObservation.ts';
import {
  type DriftEventContent,
  datedEvidence,
  driftEventOf,
  isNews,
  withEvidence,
} from '../events/driftEpisode.ts';
import type { DatedEvidence, Episode } from '../events/episode.ts';
import type { Evidence } from '../families/evidence.ts';
import { withResiduals } from '../reference/outputModel.ts';
import { periodStart } from '../reference/period.ts';
import { extendedVersionReference, type ReferenceSource } from '../reference/reference.ts';
import { streamNullModel } from '../significance/streamNullModel.ts';
import { isWeekend, weekdayStatement } from './earlierWeekdays.ts';
import {
  type FoldContext,
  type FoldState,
  isFirstReference,
  type JudgedBlock,
  type LevelState,
  type LongLevel,
  pendingBlock,
  type Verdict,
} from './foldState.ts';
import { bootstrapLevel, foldLevel, type LevelStep } from './level.ts';
import { foldLongLevel, withWindow } from './longLevels.ts';

/**
 * Number of periods after an alarm for which its event stays open: what the windows showed may be
 * confirmed by the days.
 */
const confirmingPeriods = 2;

export interface Folded {
  state: FoldState;
  verdict: Verdict;
  /** The window, pooled with those before it that were too small to be judged on their own. */
  observation: WindowObservation;
  /**
   * The blocks that were judged. The first one is the window's own, unless there is no reference or
   * the window is too small; then there may only be a day or a week that it ended.
   */
  judged: readonly JudgedBlock[];
}

/** A step of a level, with what an episode needs to know of it. */
interface Said extends Pick<LevelStep<LevelState>, 'evidence' | 'alarm'> {
  reference: ReferenceSource;
  windowsPerBlock: number;
  /** Whether the level was calm before. */
  wasCalm: boolean;
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
  const own = foldOwnLevel(state, window, context);
  const budget = longBudget(state, context);
  let shorter = () => streamNullModel(own.state.history);
  const { detection } = context;
  const isMoving = (key: string) => own.state.regime?.frozen.get(key)?.moving === true;
  const longs = state.longLevels.map(before => {
    const ofShorter = shorter;
    const options = { detection, budget: budget(before), isMoving, shorter };
    const step = foldLongLevel(before, window, options);
    shorter = () => streamNullModel(step.level.history, ofShorter());
    return { before, ...step };
  });
  const said: Said[] = [
    ...own.said,
    ...longs.flatMap(({ before, steps, level }) =>
      steps.map(({ evidence, alarm }) => ({
        evidence,
        alarm,
        reference: (before.regime ?? level.regime)!.source,
        windowsPerBlock: level.period.windows,
        wasCalm: !before.disturbed,
      })),
    ),
  ];
  const next = { ...own.state, longLevels: longs.map(({ level }) => level) };
  const { episode, changes } = followEpisode(next, said, window, context);
  const changed = said.some(({ evidence }) => evidence.length > 0);
  return {
    state: { ...next, episode },
    verdict: { ...own.verdict, status: changed ? 'drift' : own.verdict.status, changes },
    observation: own.observation,
    judged: [...own.judged, ...longs.flatMap(({ judged }) => judged)],
  };
}

/** Folds a window at the level of the windows. */
function foldOwnLevel(
  state: FoldState,
  window: WindowObservation,
  context: FoldContext,
): Pick<Folded, 'state' | 'judged' | 'observation'> & {
  verdict: Omit<Verdict, 'changes'>;
  said: Said[];
} {
  const { detection } = context;
  const observation = pendingBlock(state, window);
  const { regime, phase } = state;
  const reference = regime?.source ?? 'bootstrap';
  const nothing = { observation, judged: [], said: [] };
  if (observation.records < detection.minimumRecords) {
    const status = phase === 'bootstrap' ? 'reference' : 'insufficient_data';
    return {
      ...nothing,
      state: { ...state, pending: observation },
      verdict: { status, reference },
    };
  }
  const unpooled = { ...state, pending: null };
  const options = {
    detection,
    budget: ownBudget(state, context),
    blocks: 'short' as const,
    shorter: null,
    isMoving: () => false,
    ordinary: whyOrdinary(state, window),
    isFirstReference: (gathered: readonly WindowObservation[]) =>
      isFirstReference(gathered, detection),
  };
  if (!regime) {
    const next = bootstrapLevel(unpooled, observation, options);
    const gathered = [...state.gathered, observation];
    return {
      ...nothing,
      state: withVersionReference(state, next, gathered, context),
      verdict: { status: 'reference', reference },
    };
  }
  const { sample } = observation;
  const block = countBlock(observation, regime);
  const { outputModel, frozen } = regime;
  const counted = { block: withResiduals(block, sample, outputModel, frozen), observation };
  const { level, tests, evidence, alarm } = foldLevel(unpooled, regime, counted, options);
  const wasCalm = !state.disturbed;
  return {
    observation,
    state: withVersionReference(state, level, [...state.gathered, observation], context),
    verdict: { status: 'steady', reference },
    judged: [{ windowsPerBlock: 1, reference, tests }],
    said: [{ evidence, alarm, reference, windowsPerBlock: 1, wasCalm }],
  };
}

/** Returns what says why evidence of a window is ordinary for the time; null if it is not. */
function whyOrdinary(
  { regime, longLevels }: FoldState,
  window: WindowObservation,
): (evidence: Evidence) => string | null {
  const days = longLevels.find(({ period }) => period.name === 'day');
  if (!days) return () => null;
  // The window is counted in the bins of the day once, for the first family that asks.
  let today: LongLevel | null = null;
  return evidence => {
    if (isSmallOnFirstWeekend(regime?.history ?? [], window, evidence))
      return 'The stream was not yet seen on a weekend, and the change is small: a PSI of less than 0.2.';
    today ??= withWindow(days, window);
    return weekdayStatement(today, evidence);
  };
}

const weekendMs = 2 * dayMs;
/** "Significant shift" by another convention of credit scoring. */
const minIndexOnFirstWeekend = 0.2;

function isSmallOnFirstWeekend(
  reference: readonly Block[],
  { startMs }: WindowObservation,
  { family, effect }: Evidence,
): boolean {
  const isDistribution = family === 'features' || family === 'predictions' || family === 'labels';
  return (
    isDistribution &&
    effect! < minIndexOnFirstWeekend &&
    isWeekend(startMs) &&
    !reference.some(
      block => block.given || (isWeekend(block.startMs) && block.startMs < startMs - weekendMs),
    )
  );
}

/** Adds the variables of a new reference that the version's first reference lacks. */
function withVersionReference(
  before: FoldState,
  after: FoldState,
  gathered: readonly WindowObservation[],
  { detection }: FoldContext,
): FoldState {
  const isNew = after.phase === 'watching' && after.regime?.frozen !== before.regime?.frozen;
  if (!isNew) return after;
  const versionReference = extendedVersionReference(
    before.versionReference,
    'bootstrap',
    gathered,
    detection.featureKinds,
  );
  return { ...after, versionReference };
}

/**
 * The budget of false alarms is shared by the levels that have a reference: windows and days each
 * get twice as much as weeks.
 */
const shareOf = { window: 2, day: 2, week: 1 };

function ownBudget(state: FoldState, { detection }: FoldContext): number {
  return (budgetOf(detection) * shareOf.window) / totalShare(state);
}

function longBudget(state: FoldState, { detection }: FoldContext) {
  return ({ period }: { period: { name: 'day' | 'week' } }) =>
    (budgetOf(detection) * shareOf[period.name]) / totalShare(state);
}

function budgetOf({ falseAlarmsPerThousandWindows }: FoldContext['detection']): number {
  return falseAlarmsPerThousandWindows / 1000;
}

function totalShare({ longLevels }: FoldState): number {
  return longLevels.reduce(
    (total, { regime, period }) => total + (regime ? shareOf[period.name] : 0),
    shareOf.window,
  );
}

/** Opens, continues or closes an episode by what the levels say. */
function followEpisode(
  state: FoldState,
  said: readonly Said[],
  window: WindowObservation,
  context: FoldContext,
): { episode: Episode | null; changes: DriftEventContent[] } {
  const changes: DriftEventContent[] = [];
  let { episode } = state;
  for (const step of said) {
    const found = datedEvidence(step.evidence, window, step.windowsPerBlock);
    if (found.length === 0) continue;
    if (episode && step.alarm && step.wasCalm && isNews(episode, found)) {
      changes.push(driftEventOf(context, episode, 'closed'));
      episode = null;
    }
    if (episode) episode = continued(episode, step, found, state, window);
    else if (step.alarm) episode = begun(step, found, state, window);
  }
  if (episode && episode !== state.episode) changes.push(driftEventOf(context, episode, 'open'));
  const calm = !state.disturbed && state.longLevels.every(({ disturbed }) => !disturbed);
  if (episode && calm && said.length > 0 && window.endMs >= episode.openUntilMs) {
    changes.push(driftEventOf(context, episode, 'closed'));
    return { episode: null, changes };
  }
  return { episode, changes };
}

function begun(
  { alarm, reference }: Said,
  evidence: readonly DatedEvidence[],
  state: FoldState,
  window: WindowObservation,
): Episode {
  return {
    windowStartMs: window.startMs,
    windowEndMs: window.endMs,
    reference,
    newCodeVersions: alarm!.newCodeVersions,
    evidence,
    renewals: 0,
    mostlyIn: null,
    openUntilMs: confirmedBy(state, window),
  };
}

function continued(
  episode: Episode,
  { alarm, wasCalm }: Said,
  found: readonly DatedEvidence[],
  state: FoldState,
  window: WindowObservation,
): Episode {
  const longer = withEvidence(episode, found);
  if (!alarm) return longer;
  return {
    ...longer,
    renewals: episode.renewals + (wasCalm ? 0 : 1),
    openUntilMs: Math.max(episode.openUntilMs, confirmedBy(state, window)),
  };
}

/** Returns the end of the periods by which the next longer level will have confirmed an alarm. */
function confirmedBy({ longLevels }: FoldState, window: WindowObservation): number {
  const next = longLevels.find(({ regime }) => regime !== null);
  if (!next) return window.endMs;
  const { period } = next;
  return periodStart(period, window.endMs - 1) + confirmingPeriods * period.lengthMs;
}
