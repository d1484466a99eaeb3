/**
 * The fold of one level of a stream: of its windows, of its days or of its weeks.
 *
 *   bootstrap ─► watching ─(a family of tests fires)─► settling ─► renewing ─► watching
 */
import { type Block, newCodeVersions } from '../blocks/block.ts';
import type { WindowObservation } from '../blocks/windowObservation.ts';
import type { Evidence } from '../families/evidence.ts';
import type { InputFacts } from '../families/inputFacts.ts';
import { type BlockTests, inputFactsOf, testFamilies } from '../families/testFamilies.ts';
import { type Calendar, withBlock } from '../reference/calendar.ts';
import {
  type Comparison,
  comparisonsSinceChange,
  comparisonsWithinRegime,
  maxHistoryBlocks,
  maxScale,
  minReferenceBlocks,
} from '../reference/comparison.ts';
import { standsStill } from '../reference/outputModel.ts';
import {
  completedRegime,
  type ReferenceSource,
  type Regime,
  regimeOf,
  withSample,
} from '../reference/reference.ts';
import {
  errorKey,
  featureOdds,
  labelsKey,
  noiseWeight,
  type StreamHistory,
  type TestKey,
  withAlarm,
  withQuietBlock,
} from '../significance/streamHistory.ts';
import { type StreamNullModel, streamNullModel } from '../significance/streamNullModel.ts';
import {
  type DetectionSettings,
  isReference,
  type LevelState,
  watching,
  withRegime,
} from './foldState.ts';

/**
 * Number of blocks after a change that are left out of the new reference. The large scales still
 * contain blocks of the old regime there, and a gradual change may still go on.
 */
const settlingBlocks = { short: maxScale, long: 2 };
/**
 * Number of blocks for which a new reference has to hold until the level is calm. A later change is
 * another drift.
 */
const quietBlocks = { short: 4, long: 2 };

/** A block of a level, counted in the bins of its regime. */
export interface LevelBlock {
  block: Block;
  /** Its records, which a level needs while it gathers a reference; null at other times. */
  observation: WindowObservation | null;
}

/** What a level says of a block. */
export interface LevelStep<L extends LevelState> {
  level: L;
  /** The reference that the block was compared with. */
  reference: ReferenceSource;
  tests: BlockTests;
  /** What is found to be changed; empty for a steady stream. */
  evidence: readonly Evidence[];
  /** The alarm with which a change begins; null for a block without one. */
  alarm: { newCodeVersions: readonly string[] } | null;
}

export interface LevelOptions {
  /** Windows are short; days and weeks are long, so that fewer of them are waited for. */
  blocks: 'short' | 'long';
  detection: DetectionSettings;
  /** Number of false alarms that are allowed for a block of this level. */
  budget: number;
  /** Returns whether a variable moves by itself in shorter blocks, and so in those of this level. */
  isMoving(key: string): boolean;
  /** Says why evidence is ordinary for the time; null if it is not. */
  ordinary(evidence: Evidence): string | null;
  /** What the level of shorter blocks shows of the stream; null for that of the windows. */
  shorter: StreamNullModel | null;
  /** What the inputs of the same blocks showed, for a level of labels; null for one of inputs. */
  inputs: InputFacts | null;
  /** Returns whether the gathered blocks are enough for a first reference. */
  isFirstReference(gathered: readonly WindowObservation[]): boolean;
}

/** Returns whether a level needs the profiles of its next block, because it gathers a reference. */
export function isGathering({ phase, regime }: LevelState): boolean {
  return phase === 'bootstrap' || phase === 'renewing' || regime?.complete === false;
}

/** Gathers the first blocks of a level until they are its reference. */
export function bootstrapLevel<L extends LevelState>(
  level: L,
  observation: WindowObservation,
  { detection, isFirstReference, isMoving }: LevelOptions,
): L {
  const gathered = [...level.gathered, observation];
  if (!isFirstReference(gathered)) return { ...level, gathered };
  const regime = withMoving(
    regimeOf('bootstrap', gathered, { declared: detection.featureKinds }),
    isMoving,
  );
  return watching({ ...level, history: withRegime(level.history, regime, detection) }, regime);
}

/** Judges the next block of a level that has a reference. */
export function foldLevel<L extends LevelState>(
  before: L,
  regime: Regime,
  counted: LevelBlock,
  options: LevelOptions,
): LevelStep<L> {
  const { inputs } = options;
  const level = inputs ? withFeatures(before, inputs) : before;
  const { tests, facts } = testBlock(level, regime, counted.block, options);
  const { evidence } = tests;
  const step = { reference: regime.source, tests, evidence, alarm: null };
  const judged = { ...level, facts };
  if (level.phase !== 'watching') return { ...step, level: followChange(judged, counted, options) };
  const { block } = counted;
  if (evidence.length > 0) {
    const { scale } = evidence.reduce((left, right) =>
      right.logPValue < left.logPValue ? right : left,
    );
    const changed = beginChange(judged, regime, block, tests, scale);
    const alarmed = facts && { ...facts, alarm: { startMs: block.startMs, scale } };
    return {
      ...step,
      level: { ...changed, facts: alarmed },
      alarm: { newCodeVersions: codeOfChange(regime, block) },
    };
  }
  if (inputs && hasAlarmed(inputs, regime))
    return { ...step, level: beginChange(judged, regime, block, tests, inputs.alarm!.scale) };
  return { ...step, level: watch(judged, regime, counted, tests, options) };
}

/**
 * Returns whether a change of the inputs has begun since the last block of labels. It ends the
 * reference of the labels, too: what they are like after it is not known.
 */
function hasAlarmed({ alarm }: InputFacts, { history }: Regime): boolean {
  const last = history.at(-1);
  return alarm !== null && (!last || last.given || alarm.startMs > last.startMs);
}

function withFeatures<L extends LevelState>(level: L, { features }: InputFacts): L {
  return { ...level, history: { ...level.history, features } };
}

/** Tests a block, and notes what is to be known of it if it is one of inputs. */
function testBlock(
  level: LevelState,
  regime: Regime,
  block: Block,
  options: LevelOptions,
): { tests: BlockTests; facts: InputFacts | null } {
  const { inputs } = options;
  const { frozen, pairs, complete, outputModel } = regime;
  const stream = streamNullModel(level.history, options.shorter);
  const comparisons = comparisonsOf(level, regime, block);
  const testOptions = {
    frozen,
    pairs: pairs ?? [],
    detection: options.detection,
    budget: options.budget,
    otherFamilies: inputs?.families ?? 0,
    newFeaturesMatter: complete,
    outputModel,
    standsStill: () => standsStill(outputModel, regime.history),
  };
  const all = testFamilies(comparisons, stream, testOptions, inputs);
  const tests = level.phase === 'watching' ? withoutOrdinary(all, options) : all;
  if (inputs) return { tests, facts: null };
  const features = featureOdds(level.history);
  const found = inputFactsOf(tests, comparisons, stream, testOptions, features);
  return { tests, facts: { ...found, alarm: level.facts?.alarm ?? null } };
}

/** Withholds the evidence of a block if all of it is ordinary for the time. */
function withoutOrdinary(tests: BlockTests, { ordinary }: LevelOptions): BlockTests {
  const withheld = new Map(tests.withheld);
  for (const one of tests.evidence) {
    const reason = ordinary(one);
    if (reason === null) return tests;
    withheld.set(one.family, reason);
  }
  return tests.evidence.length === 0 ? tests : { ...tests, evidence: [], withheld };
}

/** Returns what a block is compared with in the present phase. */
function comparisonsOf({ phase, since }: LevelState, regime: Regime, block: Block): Comparison[] {
  const { history, calendar } = regime;
  if (phase === 'watching') return comparisonsWithinRegime([...history, block], calendar);
  return comparisonsSinceChange(history, [...since, block].slice(-maxScale), calendar);
}

function watch<L extends LevelState>(
  level: L,
  regime: Regime,
  { block, observation }: LevelBlock,
  { measured }: BlockTests,
  options: LevelOptions,
): L {
  const blocks = [...regime.history, block];
  const history = blocks.slice(-(maxHistoryBlocks + maxScale));
  const calendar = nextCalendar(regime.calendar, blocks, level.history);
  const longer = withSample({ ...regime, history, calendar }, observation?.sample ?? null);
  const blocksInPhase = level.blocksInPhase + 1;
  return {
    ...gatherFurther(level, longer, observation, options),
    blocksInPhase,
    disturbed: level.disturbed && blocksInPhase < quietBlocks[options.blocks],
    history: withQuietBlock(level.history, measured),
  };
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
 * Gathers the version's own first blocks for the variables that a given reference lacks. These are
 * mostly its outputs.
 */
function gatherFurther<L extends LevelState>(
  level: L,
  regime: Regime,
  observation: WindowObservation | null,
  { detection, isFirstReference }: LevelOptions,
): L {
  if (regime.complete || !observation) return { ...level, regime };
  const gathered = [...level.gathered, observation];
  if (!isFirstReference(gathered)) return { ...level, regime, gathered };
  return watching(level, completedRegime(regime, gathered, detection.featureKinds));
}

/**
 * Begins to follow a change, or follows on if the new reference did not hold. The change began
 * where the most significant scale begins; the blocks before stay the reference, so that more can
 * be learned about the change.
 */
function beginChange<L extends LevelState>(
  level: L,
  regime: Regime,
  block: Block,
  { measured }: BlockTests,
  scale: number,
): L {
  const blocks = [...regime.history, block];
  return {
    ...level,
    regime: { ...regime, history: blocks.slice(0, -scale) },
    phase: 'settling',
    gathered: [],
    since: blocks.slice(-scale),
    blocksInPhase: 0,
    disturbed: true,
    history: withAlarm(level.history, measured),
  };
}

/** Returns the versions of the serving code that came with a change. */
function codeOfChange({ history }: Regime, block: Block): string[] {
  const blocks = [...history, block];
  const recent = Math.min(maxScale, blocks.length - minReferenceBlocks);
  return newCodeVersions(blocks.slice(0, -recent), blocks.slice(-recent));
}

/** Follows a change until the next reference: lets it settle, then gathers the reference. */
function followChange<L extends LevelState>(
  level: L,
  { block, observation }: LevelBlock,
  { blocks, detection, isMoving }: LevelOptions,
): L {
  const followed = {
    ...level,
    since: [...level.since, block].slice(-maxScale),
    blocksInPhase: level.blocksInPhase + 1,
  };
  if (level.phase === 'settling') {
    return followed.blocksInPhase < settlingBlocks[blocks]
      ? followed
      : { ...followed, phase: 'renewing', blocksInPhase: 0 };
  }
  const gathered = [...level.gathered, observation!];
  if (!isReference(gathered, detection)) return { ...followed, gathered };
  const regime = regimeOf('bootstrap', gathered, {
    declared: detection.featureKinds,
    earlier: level.regime?.frozen,
  });
  return watching(followed, withMoving(regime, isMoving));
}

function withMoving(regime: Regime, isMoving: LevelOptions['isMoving']): Regime {
  const frozen = new Map(
    [...regime.frozen].map(([key, variable]) => [
      key,
      isMoving(key) ? { ...variable, moving: true } : variable,
    ]),
  );
  return { ...regime, frozen };
}
