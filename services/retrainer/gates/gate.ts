import type { DatasetRow } from '../dataset/dataset.ts';
import type { RowOutput } from '../trainer/trainerContract.ts';
import type { MeanInterval } from './meanInterval.ts';

/** A gate row, with what champion and challenger answer to it. */
export interface GateRow {
  truth: Pick<DatasetRow, 'label' | 'labelValue' | 'segments' | 'weight'>;
  /** What the champion logged when it served. */
  champion: Pick<DatasetRow, 'prediction' | 'predictionValue'>;
  challenger: RowOutput;
  /** Probabilities that the two gave to the true class; absent or null where one gave none. */
  championProbability?: number | null;
  challengerProbability?: number | null;
  /** Whom or what the row is about, where that is known. Rows of one entity are alike. */
  entity?: string | null;
}

/**
 * What a gate says. Of the outcomes after `passed` the last one that a gate has is that of all
 * gates together.
 */
export const gateOutcomes = ['passed', 'inconclusive', 'failed', 'not_evaluable'] as const;
export type GateOutcome = (typeof gateOutcomes)[number];

export interface Gate {
  outcome: GateOutcome;
  /** The name of the gate, its outcome, and its numbers in sentences. */
  reason: string;
  /** True for the gate that an approval rests on. */
  decides?: boolean;
  metrics?: Record<string, number>;
}

const wordsOf: Readonly<Record<GateOutcome, string>> = {
  passed: 'passed',
  inconclusive: 'inconclusive',
  failed: 'not passed',
  not_evaluable: 'not passed',
};

export function gate(outcome: GateOutcome, name: string, sentences: string): Gate {
  return { outcome, reason: `${name}: ${wordsOf[outcome]}. ${sentences}` };
}

/** Returns the weights of rows, or null if all are 1. */
export function weightsOf(rows: readonly GateRow[]): number[] | null {
  const weights = rows.map(({ truth }) => truth.weight);
  return weights.every(weight => weight === 1) ? null : weights;
}

/** Returns the entities of rows, or null if one is not known. */
export function entitiesOf(rows: readonly GateRow[]): string[] | null {
  const entities = rows.map(({ entity }) => entity ?? null);
  return entities.every(entity => entity !== null) ? entities : null;
}

/**
 * Describes how much lower or higher the challenger's loss is.
 * @param interval of the champion's loss minus the challenger's
 * @example compared({ mean: 0.4, low: 0.3, high: 0.5, blocks: 25 }, 0.95)
 * // 'lower by 0.4 (95 % confidence interval 0.3 to 0.5)'
 */
export function compared({ mean, low, high }: MeanInterval, confidence: number): string {
  const percent = shown(confidence * 100);
  const within = (from: number, to: number) =>
    `(${percent} % confidence interval ${shown(from)} to ${shown(to)})`;
  const chance = low <= 0 && high >= 0 ? ', which may be chance' : '';
  if (mean === 0) return `the same ${within(low, high)}`;
  return mean > 0
    ? `lower by ${shown(mean)} ${within(low, high)}${chance}`
    : `higher by ${shown(-mean)} ${within(-high, -low)}${chance}`;
}

export function shown(value: number): string {
  return String(Number(value.toPrecision(4)));
}

export function share(value: number): string {
  return `${Number((value * 100).toFixed(1))} %`;
}
