import type { Task } from '../../shared/task.ts';
import type { DatasetRow } from '../dataset/dataset.ts';
import type { RowOutput } from '../trainer/trainerContract.ts';
import {
  effectiveValues,
  type MeanInterval,
  meanInterval,
  minValues,
  weightedMean,
} from './meanInterval.ts';

/** A gate row, with what champion and challenger answer to it. */
export interface GateRow {
  truth: Pick<DatasetRow, 'label' | 'labelValue' | 'segments' | 'weight'>;
  /** What the champion logged when it served. */
  champion: Pick<DatasetRow, 'prediction' | 'predictionValue'>;
  challenger: RowOutput;
}

/** What the gates say of a challenger. */
export interface GateDecision {
  status: 'approved' | 'rejected';
  /** One text per gate with its result and its numbers. The gate that decided is first. */
  reasons: string[];
  metrics: Record<string, number>;
}

interface Gate {
  passed: boolean;
  reason: string;
  /** True for the gate that an approval rests on. */
  decides?: boolean;
  metrics?: Record<string, number>;
}

/** What each model loses on each gate row. */
interface Losses {
  /** What the mean loss is called. */
  name: string;
  champion: number[];
  challenger: number[];
  /** Of the rows; null if all are 1. */
  weights: number[] | null;
}

export const minGateRows = minValues;
const level = 0.95;
const maxValuesPerSegment = 20;
const minProbability = 1e-15;

/**
 * Decides whether a challenger may replace the champion.
 * @param rows the newest rows in the order of event time, on none of which the challenger was
 * trained or stopped
 * @param segmentNames settings.segments
 */
export function judgeChallenger(
  task: Task,
  rows: readonly GateRow[],
  segmentNames: readonly string[],
): GateDecision {
  const gates = passGates(task, rows, segmentNames);
  const decisive = gates.find(gate => !gate.passed) ?? gates.find(gate => gate.decides)!;
  const metrics = Object.assign({ gateRows: rows.length }, ...gates.map(gate => gate.metrics));
  return {
    status: decisive.passed ? 'approved' : 'rejected',
    reasons: [decisive, ...gates.filter(gate => gate !== decisive)].map(gate => gate.reason),
    // Losses that overflow say nothing, and JSON cannot carry them.
    metrics: Object.fromEntries(
      Object.entries<number>(metrics).filter(([, value]) => Number.isFinite(value)),
    ),
  };
}

/** Passes the gates in their order, up to one that makes the others meaningless. */
function passGates(task: Task, rows: readonly GateRow[], segmentNames: readonly string[]): Gate[] {
  const weights = weightsOf(rows);
  const size = judgeSize(rows, weights);
  if (!size.passed) return [size];
  const losses = {
    name: task === 'regression' ? 'mean absolute error' : 'error rate',
    champion: rows.map(row => loss(task, row.truth, row.champion)),
    challenger: rows.map(row => loss(task, row.truth, row.challenger)),
    weights,
  };
  const outputs =
    task === 'regression' ? judgeNumbers(losses.challenger) : judgeProbabilities(rows);
  if (!outputs.passed) return [size, outputs];
  return [size, outputs, compareLosses(losses), ...judgeSegments(rows, losses, segmentNames)];
}

/** Returns the weights of rows, or null if all are 1. */
function weightsOf(rows: readonly GateRow[]): number[] | null {
  const weights = rows.map(({ truth }) => truth.weight);
  return weights.every(weight => weight === 1) ? null : weights;
}

/** Weighted rows are as many as rows without weights that tell as much. */
function judgeSize(rows: readonly GateRow[], weights: readonly number[] | null): Gate {
  const effective = Math.floor(effectiveValues(rows, weights));
  const passed = effective >= minGateRows;
  const asMuch = weights === null ? '' : `, which by their weights tell as much as ${effective}`;
  return gate(
    passed,
    'Gate rows',
    `${rows.length} rows can be compared${asMuch}, ${passed ? 'and' : 'but'} at least ${minGateRows} are needed.`,
  );
}

function gate(passed: boolean, name: string, sentences: string): Gate {
  return { passed, reason: `${name}: ${passed ? 'passed' : 'not passed'}. ${sentences}` };
}

/**
 * Returns 0 or 1 for classes and the absolute error for numbers, which is infinite for an output
 * that is not a number.
 */
function loss(
  task: Task,
  truth: Pick<DatasetRow, 'label' | 'labelValue'>,
  output: Pick<DatasetRow, 'prediction' | 'predictionValue'>,
): number {
  if (task !== 'regression') return output.prediction === truth.label ? 0 : 1;
  const error = Math.abs((output.predictionValue ?? Number.NaN) - truth.labelValue!);
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

function judgeNumbers(challengerLosses: readonly number[]): Gate {
  const rows = challengerLosses.length;
  const broken = challengerLosses.filter(value => !Number.isFinite(value)).length;
  return broken === 0
    ? gate(true, 'Outputs', `The challenger gave a finite number for each of ${rows} rows.`)
    : gate(false, 'Outputs', `The challenger gave no finite number for ${broken} of ${rows} rows.`);
}

function judgeProbabilities(rows: readonly GateRow[]): Gate {
  const given = rows.filter(row => row.challenger.probabilities !== null);
  if (given.length === 0)
    return { passed: true, reason: 'Probabilities: not checked. The challenger gives none.' };
  const losses = given.map(
    row => -Math.log(Math.max(minProbability, row.challenger.probabilities![row.truth.label] ?? 0)),
  );
  const logLoss = weightedMean(losses, weightsOf(given));
  const valid = given.every(row =>
    Object.values(row.challenger.probabilities!).every(share => share >= 0 && share <= 1),
  );
  const judged =
    valid && Number.isFinite(logLoss)
      ? gate(true, 'Probabilities', `The challenger's log-loss is ${shown(logLoss)}.`)
      : gate(false, 'Probabilities', 'The challenger gave probabilities outside 0 to 1.');
  return { ...judged, metrics: { challengerLogLoss: logLoss } };
}

/**
 * Compares the models in pairs: by the mean over the rows of the champion's loss minus the
 * challenger's.
 */
function compareLosses({ name, champion, challenger, weights }: Losses): Gate {
  const rows = champion.length;
  const brokenChampion = champion.filter(value => !Number.isFinite(value)).length;
  if (brokenChampion > 0)
    return {
      passed: false,
      reason:
        'Comparison: inconclusive. ' +
        `The champion logged no finite number for ${brokenChampion} of ${rows} rows.`,
    };
  const interval = meanInterval(differences(champion, challenger), level, weights);
  const championLoss = weightedMean(champion, weights);
  const challengerLoss = weightedMean(challenger, weights);
  const passed = interval.low > 0;
  const status = passed ? 'passed' : interval.high < 0 ? 'not passed' : 'inconclusive';
  const numbers =
    `On the same ${rows} rows, the challenger's ${name} is ${shown(challengerLoss)} ` +
    `and the champion's is ${shown(championLoss)}.`;
  return {
    passed,
    reason: `Comparison: ${status}. ${numbers} The challenger's is ${compared(interval, level)}.`,
    decides: true,
    metrics: {
      championLoss,
      challengerLoss,
      difference: interval.mean,
      intervalLow: interval.low,
      intervalHigh: interval.high,
      blocks: interval.blocks,
    },
  };
}

/**
 * Requires that the challenger is not significantly worse in any declared segment. The error
 * probability is divided by the number of segments that are compared (Bonferroni).
 */
function judgeSegments(
  rows: readonly GateRow[],
  { name: lossName, champion, challenger, weights }: Losses,
  names: readonly string[],
): Gate[] {
  const segments = names.flatMap(name => rowsOfSegments(rows, name));
  const segmentLevel = 1 - (1 - level) / segments.length;
  return segments.map(({ segment, members }) => {
    const pick = (losses: readonly number[]) => members.map(row => losses[row]!);
    const values = differences(pick(champion), pick(challenger));
    const name = `Segment ${segment}`;
    if (!values.every(Number.isFinite))
      return { passed: true, reason: `${name}: not compared. An output is not a finite number.` };
    const interval = meanInterval(values, segmentLevel, weights && pick(weights));
    const difference = `is ${compared(interval, segmentLevel)}`;
    return gate(
      interval.high >= 0,
      name,
      `On ${members.length} rows, the challenger's ${lossName}, ` +
        `compared with the champion's, ${difference}.`,
    );
  });
}

/** Returns the largest segments of a name, as far as they have enough rows. */
function rowsOfSegments(
  rows: readonly GateRow[],
  name: string,
): { segment: string; members: number[] }[] {
  const members = new Map<string, number[]>();
  for (const [index, { truth }] of rows.entries()) {
    const value = truth.segments[name];
    if (value === undefined) continue;
    const known = members.get(value);
    if (known) known.push(index);
    else members.set(value, [index]);
  }
  return [...members]
    .filter(([, indices]) => effectiveRows(rows, indices) >= minValues)
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, maxValuesPerSegment)
    .map(([value, indices]) => ({ segment: `${name}=${value}`, members: indices }));
}

function differences(champion: readonly number[], challenger: readonly number[]): number[] {
  return champion.map((value, row) => value - challenger[row]!);
}

function effectiveRows(rows: readonly GateRow[], members: readonly number[]): number {
  const ofMembers = members.map(row => rows[row]!);
  return effectiveValues(ofMembers, weightsOf(ofMembers));
}

/**
 * Describes how much lower or higher the challenger's loss is.
 * @param interval of the champion's loss minus the challenger's
 * @example compared({ mean: 0.4, low: 0.3, high: 0.5, blocks: 25 }, 0.95)
 * // 'lower by 0.4 (95 % confidence interval 0.3 to 0.5)'
 */
function compared({ mean, low, high }: MeanInterval, confidence: number): string {
  const percent = shown(confidence * 100);
  const within = (from: number, to: number) =>
    `(${percent} % confidence interval ${shown(from)} to ${shown(to)})`;
  const chance = low <= 0 && high >= 0 ? ', which may be chance' : '';
  if (mean === 0) return `the same ${within(low, high)}`;
  return mean > 0
    ? `lower by ${shown(mean)} ${within(low, high)}${chance}`
    : `higher by ${shown(-mean)} ${within(-high, -low)}${chance}`;
}

function shown(value: number): string {
  return String(Number(value.toPrecision(4)));
}
