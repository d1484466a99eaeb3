import { countBlock, mergeBlocks } from '../blocks/block.ts';
import { mergeObservations, type WindowObservation } from '../blocks/windowObservation.ts';
import type { InputFacts } from '../families/inputFacts.ts';
import { withResiduals } from '../reference/outputModel.ts';
import { periodStart } from '../reference/period.ts';
import type { StreamNullModel } from '../significance/streamNullModel.ts';
import {
  type DetectionSettings,
  type Filling,
  isReference,
  type JudgedBlock,
  type LongLevel,
} from './foldState.ts';
import { bootstrapLevel, foldLevel, isGathering, type LevelStep } from './level.ts';

/** What a level of days or weeks has come to with a window. */
export interface LongStep {
  level: LongLevel;
  /** The step of each day or week that was judged. */
  steps: readonly LevelStep<LongLevel>[];
  judged: readonly JudgedBlock[];
}

export interface LongOptions {
  detection: DetectionSettings;
  /** Number of false alarms that are allowed for a window. */
  budget: number;
  /** Returns whether a variable moves by itself in the windows. */
  isMoving(key: string): boolean;
  /** Returns what the level of shorter blocks shows of the stream. */
  shorter(): StreamNullModel;
  /** As `LevelOptions.inputs`. */
  inputs: InputFacts | null;
}

/**
 * Adds a window to the present day or week, and judges that when the window ends it. A day or week
 * without a last window is judged with the next window that comes; one with too few records is
 * pooled with the next. A stream that begins within one is pooled from the next one on.
 */
export function foldLongLevel(
  level: LongLevel,
  window: WindowObservation,
  options: LongOptions,
): LongStep {
  const { period } = level;
  const startMs = periodStart(period, window.startMs);
  const begins = level.filling !== null || window.startMs === startMs || hasBegun(level);
  if (!begins) return { level, steps: [], judged: [] };
  const late = level.filling !== null && periodStart(period, level.filling.endMs - 1) < startMs;
  const before = late ? judged(level, options) : unjudged(level);
  const filled = { ...before.level, filling: filledWith(before.level, window) };
  const ends = window.endMs >= startMs + period.lengthMs;
  const after = ends ? judged(filled, options) : unjudged(filled);
  return {
    level: after.level,
    steps: [...before.steps, ...after.steps],
    judged: [...before.judged, ...after.judged],
  };
}

/** Returns a level with a window added to its present day or week, which is not judged. */
export function withWindow(level: LongLevel, window: WindowObservation): LongLevel {
  const startMs = periodStart(level.period, window.startMs);
  const known =
    level.filling && level.filling.endMs > startMs ? level : { ...level, filling: null };
  return { ...known, filling: filledWith(known, window) };
}

function hasBegun({ regime, gathered }: LongLevel): boolean {
  return gathered.length > 0 || (regime !== null && !regime.history.every(({ given }) => given));
}

function unjudged(level: LongLevel): LongStep {
  return { level, steps: [], judged: [] };
}

function filledWith(level: LongLevel, window: WindowObservation): Filling {
  const { filling, regime } = level;
  const block =
    regime &&
    withResiduals(
      countBlock(window, { frozen: regime.frozen, pairs: null }),
      window.sample,
      regime.outputModel,
      regime.frozen,
    );
  const observation = isGathering(level) ? window : null;
  if (!filling) {
    const { startMs, endMs, windows, records } = window;
    return { startMs, endMs, windows, records, block, observation };
  }
  return {
    startMs: filling.startMs,
    endMs: window.endMs,
    windows: filling.windows + window.windows,
    records: filling.records + window.records,
    block: block && filling.block ? mergeBlocks(filling.block, block) : null,
    observation:
      observation && filling.observation
        ? mergeObservations(filling.observation, observation)
        : null,
  };
}

/** Judges the day or week that has ended, if it has enough records. */
function judged(
  level: LongLevel,
  { detection, budget, isMoving, shorter, inputs }: LongOptions,
): LongStep {
  const { filling, regime, period } = level;
  if (!filling || filling.records < detection.minimumRecords) return unjudged(level);
  const options = {
    detection,
    budget: budget * period.windows,
    blocks: 'long' as const,
    shorter: shorter(),
    inputs,
    isMoving,
    ordinary: () => null,
    isFirstReference: (gathered: readonly WindowObservation[]) =>
      gathered.length >= period.minReference && isReference(gathered, detection),
  };
  const emptied = { ...level, filling: null };
  if (!regime) return unjudged(bootstrapLevel(emptied, filling.observation!, options));
  const { block, observation } = filling;
  const step = foldLevel(emptied, regime, { block: block!, observation }, options);
  return {
    level: step.level,
    steps: [step],
    judged: [{ windowsPerBlock: period.windows, reference: regime.source, tests: step.tests }],
  };
}
