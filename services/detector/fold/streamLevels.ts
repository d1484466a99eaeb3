import { dayMs } from '../../shared/duration.ts';
import { type Block, countBlock } from '../blocks/block.ts';
import type { WindowObservation } from '../blocks/windowObservation.ts';
import type { Evidence } from '../families/evidence.ts';
import { type InputFacts, noInputFacts } from '../families/inputFacts.ts';
import { withResiduals } from '../reference/outputModel.ts';
import { periodStart } from '../reference/period.ts';
import type { ReferenceSource } from '../reference/reference.ts';
import { streamNullModel } from '../significance/streamNullModel.ts';
import { isWeekend, weekdayStatement } from './earlierWeekdays.ts';
import {
  type FoldContext,
  isFirstReference,
  type JudgedBlock,
  type LevelState,
  type LongLevel,
  pendingBlock,
  type StreamLevels,
  type Verdict,
} from './foldState.ts';
import { bootstrapLevel, foldLevel, type LevelOptions, type LevelStep } from './level.ts';
import { foldLongLevel, type LongStep, withWindow } from './longLevels.ts';

/**
 * Number of periods after an alarm for which its event stays open: what the windows showed may be
 * confirmed by the days.
 */
const confirmingPeriods = 2;

/** A step of a level that found something. */
export interface Said {
  /** The place of the level: 0 for that of the windows, and from 1 on for the long ones. */
  level: number;
  windowsPerBlock: number;
  reference: ReferenceSource;
  evidence: readonly Evidence[];
  /**
   * The alarm with which a change begins, and the event time until which the next longer level will
   * have confirmed it; null for a step without one.
   */
  alarm: { newCodeVersions: readonly string[]; openUntilMs: number } | null;
}

/** What the levels of one fold have come to with a window. */
export interface LevelsStep<S extends StreamLevels> {
  state: S;
  /** The window, pooled with those before it that were too small to be judged on their own. */
  observation: WindowObservation;
  /** The status of the window itself, if no level finds anything. */
  status: Exclude<Verdict['status'], 'drift'>;
  /** The reference of the level of the windows. */
  reference: ReferenceSource;
  /**
   * The blocks that were judged. The first one is the window's own, unless there is no reference or
   * the window is too small; then there may only be a day or a week that it ended.
   */
  judged: readonly JudgedBlock[];
  said: readonly Said[];
}

/**
 * Folds the next window of one fold of a stream, which starts after all those before. Small windows
 * are pooled until they are large enough to be judged together.
 *
 * @param inputs what the inputs of the window showed at each level, for a window of labels; null
 * for one of inputs
 */
export function foldLevels<S extends StreamLevels>(
  before: S,
  window: WindowObservation,
  context: FoldContext,
  inputs: readonly (InputFacts | null)[] | null,
): LevelsStep<S> {
  const factsAt = (level: number) => inputs && (inputs[level] ?? noInputFacts);
  const own = foldOwnLevel(before, window, context, factsAt(0));
  const longs = foldLongLevels(before, own.state, window, context, factsAt);
  const state = { ...own.state, longLevels: longs.map(({ level }) => level) };
  const openUntilMs = confirmedBy(state, window);
  const saidAt = (
    level: number,
    windowsPerBlock: number,
    steps: readonly LevelStep<LevelState>[],
  ) =>
    steps
      .filter(({ evidence }) => evidence.length > 0)
      .map(({ reference, evidence, alarm }) => ({
        level,
        windowsPerBlock,
        reference,
        evidence,
        alarm: alarm && { newCodeVersions: alarm.newCodeVersions, openUntilMs },
      }));
  return {
    ...own,
    state,
    judged: [...own.judged, ...longs.flatMap(({ judged }) => judged)],
    said: [
      ...saidAt(0, 1, own.steps),
      ...longs.flatMap(({ steps, level: { period } }, index) =>
        saidAt(index + 1, period.windows, steps),
      ),
    ],
  };
}

function foldLongLevels<S extends StreamLevels>(
  before: S,
  own: S,
  window: WindowObservation,
  { detection }: FoldContext,
  factsAt: (level: number) => InputFacts | null,
): LongStep[] {
  let shorter = () => streamNullModel(own.history);
  const isMoving = (key: string) => own.regime?.frozen.get(key)?.moving === true;
  return before.longLevels.map((level, index) => {
    const ofShorter = shorter;
    const step = foldLongLevel(level, window, {
      detection,
      budget: budgetOf(before, level.period.name, detection),
      isMoving,
      shorter: ofShorter,
      inputs: factsAt(index + 1),
    });
    shorter = () => streamNullModel(step.level.history, ofShorter());
    return step;
  });
}

/** Folds a window at the level of the windows. */
function foldOwnLevel<S extends StreamLevels>(
  state: S,
  window: WindowObservation,
  { detection }: FoldContext,
  inputs: InputFacts | null,
): Omit<LevelsStep<S>, 'said'> & { steps: readonly LevelStep<S>[] } {
  const observation = pendingBlock(state, window);
  const { regime, phase } = state;
  const reference = regime?.source ?? 'bootstrap';
  const nothing = { observation, reference, judged: [], steps: [] };
  if (observation.records < detection.minimumRecords) {
    const status = phase === 'bootstrap' ? 'reference' : 'insufficient_data';
    return { ...nothing, state: { ...state, pending: observation }, status };
  }
  const unpooled = { ...state, pending: null };
  const options: LevelOptions = {
    detection,
    budget: budgetOf(state, 'window', detection),
    blocks: 'short',
    shorter: null,
    inputs,
    isMoving: () => false,
    ordinary: whyOrdinary(state, window),
    isFirstReference: gathered => isFirstReference(gathered, detection),
  };
  if (!regime) {
    const next = bootstrapLevel(unpooled, observation, options);
    return { ...nothing, state: next, status: 'reference' };
  }
  const block = countBlock(observation, regime);
  const { outputModel, frozen } = regime;
  const counted = {
    block: withResiduals(block, observation.sample, outputModel, frozen),
    observation,
  };
  const step = foldLevel(unpooled, regime, counted, options);
  return {
    observation,
    reference,
    state: step.level,
    status: 'steady',
    judged: [{ windowsPerBlock: 1, reference, tests: step.tests }],
    steps: [step],
  };
}

/** Returns what says why evidence of a window is ordinary for the time; null if it is not. */
function whyOrdinary(
  { regime, longLevels }: StreamLevels,
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

/** Windows and days each get twice as much of the budget as weeks. */
const shareOf = { window: 2, day: 2, week: 1 };

/**
 * Returns the number of false alarms that a level may raise in a window. The budget is shared by
 * the levels that have a reference.
 */
function budgetOf(
  { longLevels }: StreamLevels,
  level: keyof typeof shareOf,
  { falseAlarmsPerThousandWindows }: FoldContext['detection'],
): number {
  const total = longLevels.reduce(
    (sum, { regime, period }) => sum + (regime ? shareOf[period.name] : 0),
    shareOf.window,
  );
  return ((falseAlarmsPerThousandWindows / 1000) * shareOf[level]) / total;
}

/** Returns the end of the periods by which the next longer level will have confirmed an alarm. */
function confirmedBy({ longLevels }: StreamLevels, window: WindowObservation): number {
  const next = longLevels.find(({ regime }) => regime !== null);
  if (!next) return window.endMs;
  const { period } = next;
  return periodStart(period, window.endMs - 1) + confirmingPeriods * period.lengthMs;
}
