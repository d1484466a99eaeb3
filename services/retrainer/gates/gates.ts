import type { Task } from '../../shared/task.ts';
import type { DatasetRow } from '../dataset/dataset.ts';
import type { RowOutput } from '../trainer/trainerContract.ts';
import { fewestValues, type MeanInterval, meanInterval } from './meanInterval.ts';

/** A gate row with what champion and challenger said of it. */
export interface GateRow {
  truth: Pick<DatasetRow, 'label' | 'labelValue' | 'segments'>;
  /** Logged when it served. */
  champion: Pick<DatasetRow, 'prediction' | 'predictionValue'>;
  challenger: RowOutput;
}

export interface GateVerdict {
  status: 'approved' | 'rejected';
  /** One line per gate, with numbers, passed or not; the one that decided is first. */
  reasons: string[];
  metrics: Record<string, number>;
}

export const fewestGateRows = fewestValues;
const level = 0.95;
const mostValuesPerSegment = 20;
const smallestProbability = 1e-15;

/**
 * Whether a challenger may replace the champion, from the same newest rows: rows in the order of event time, none of which the
 * challenger was trained or stopped on.
 * @param segmentNames settings.segments
 */
export function judgeChallenger(
  task: Task,
  rows: readonly GateRow[],
  segmentNames: readonly string[],
): GateVerdict {
  const metrics: Record<string, number> = { gateRows: rows.length };
  const gates = passGates(task, rows, segmentNames, metrics);
  const decisive = gates.find(gate => !gate.passed) ?? gates.find(gate => gate.decides)!;
  return {
    status: decisive.passed ? 'approved' : 'rejected',
    reasons: [decisive, ...gates.filter(gate => gate !== decisive)].map(gate => gate.reason),
    // Losses that overflow say nothing, and JSON cannot carry them.
    metrics: Object.fromEntries(
      Object.entries(metrics).filter(([, value]) => Number.isFinite(value)),
    ),
  };
}

/** The gates in their order, up to one that makes the others meaningless. */
function passGates(
  task: Task,
  rows: readonly GateRow[],
  segmentNames: readonly string[],
  metrics: Record<string, number>,
): Gate[] {
  const enough = rows.length >= fewestGateRows;
  const size = {
    passed: enough,
    reason: `gate rows: ${rows.length}, at least ${fewestGateRows} are needed: ${enough ? 'passed' : 'not passed'}`,
  };
  if (!enough) return [size];
  const championLosses = rows.map(row => loss(task, row.truth, row.champion));
  const challengerLosses = rows.map(row => loss(task, row.truth, row.challenger));
  const outputs = judgeOutputs(task, rows, challengerLosses, metrics);
  if (!outputs.passed) return [size, outputs];
  const comparison = compareLosses(task, championLosses, challengerLosses, metrics);
  return [
    size,
    outputs,
    { ...comparison, decides: true },
    ...judgeSegments(rows, championLosses, challengerLosses, segmentNames),
  ];
}

interface Gate {
  passed: boolean;
  reason: string;
  /** The one that an approval rests on. */
  decides?: boolean;
}

/** 0 or 1 for classes, absolute error for numbers; infinite for what is no number. */
function loss(
  task: Task,
  truth: Pick<DatasetRow, 'label' | 'labelValue'>,
  output: Pick<DatasetRow, 'prediction' | 'predictionValue'>,
): number {
  if (task !== 'regression') return output.prediction === truth.label ? 0 : 1;
  const error = Math.abs((output.predictionValue ?? Number.NaN) - truth.labelValue!);
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

/** Every output must be usable: a finite number, or a finite log-loss where there are probabilities. */
function judgeOutputs(
  task: Task,
  rows: readonly GateRow[],
  challengerLosses: readonly number[],
  metrics: Record<string, number>,
): Gate {
  if (task === 'regression') {
    const broken = challengerLosses.filter(value => !Number.isFinite(value)).length;
    return broken === 0
      ? { passed: true, reason: 'outputs: all are finite numbers: passed' }
      : {
          passed: false,
          reason: `outputs: ${broken} of ${rows.length} are no finite numbers: not passed`,
        };
  }
  const given = rows.filter(row => row.challenger.probabilities !== null);
  if (given.length === 0)
    return { passed: true, reason: 'log-loss: the challenger gives no probabilities: not checked' };
  const sum = given.reduce(
    (total, row) =>
      total -
      Math.log(Math.max(smallestProbability, row.challenger.probabilities![row.truth.label] ?? 0)),
    0,
  );
  metrics.challengerLogLoss = sum / given.length;
  const valid = given.every(row =>
    Object.values(row.challenger.probabilities!).every(share => share >= 0 && share <= 1),
  );
  return valid && Number.isFinite(sum)
    ? { passed: true, reason: `log-loss: ${shown(sum / given.length)} is finite: passed` }
    : { passed: false, reason: 'log-loss: probabilities outside 0 to 1: not passed' };
}

/** Paired: the mean over the rows of champion's loss minus challenger's, positive when the challenger is better. */
function compareLosses(
  task: Task,
  champion: readonly number[],
  challenger: readonly number[],
  metrics: Record<string, number>,
): Gate {
  const name = task === 'regression' ? 'mean absolute error' : 'error rate';
  const brokenChampion = champion.filter(value => !Number.isFinite(value)).length;
  if (brokenChampion > 0) {
    return {
      passed: false,
      reason: `inconclusive: ${brokenChampion} of ${champion.length} outputs of the champion are no finite numbers: not passed`,
    };
  }
  const interval = meanInterval(differences(champion, challenger), level);
  metrics.championLoss = mean(champion);
  metrics.challengerLoss = mean(challenger);
  metrics.difference = interval.mean;
  metrics.intervalLow = interval.low;
  metrics.intervalHigh = interval.high;
  metrics.blocks = interval.blocks;
  const numbers =
    `${name} ${shown(metrics.challengerLoss)} against the champion's ${shown(metrics.championLoss)} on ${champion.length} rows, ` +
    `better by ${shown(interval.mean)} (95 % interval ${shownInterval(interval)})`;
  if (interval.low > 0) return { passed: true, reason: `comparison: ${numbers}: passed` };
  if (interval.high < 0)
    return { passed: false, reason: `comparison: worse: ${numbers}: not passed` };
  return { passed: false, reason: `inconclusive: ${numbers}: not passed` };
}

/** No declared segment may be significantly worse; the level is divided by the number of segments looked at (Bonferroni). */
function judgeSegments(
  rows: readonly GateRow[],
  champion: readonly number[],
  challenger: readonly number[],
  names: readonly string[],
): Gate[] {
  const segments = names.flatMap(name => rowsOfSegments(rows, name));
  return segments.map(({ segment, members }) => {
    const pick = (losses: readonly number[]) => members.map(row => losses[row]!);
    const values = differences(pick(champion), pick(challenger));
    if (!values.every(Number.isFinite))
      return { passed: true, reason: `segment ${segment}: not compared` };
    const interval = meanInterval(values, 1 - (1 - level) / segments.length);
    const passed = interval.high >= 0;
    const numbers = `better by ${shown(interval.mean)} (${shownInterval(interval)}) on ${members.length} rows`;
    return {
      passed,
      reason: `segment ${segment}: ${passed ? '' : 'worse: '}${numbers}: ${passed ? 'passed' : 'not passed'}`,
    };
  });
}

/** The largest segments of a name that have enough rows. */
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
    .filter(([, indices]) => indices.length >= fewestValues)
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, mostValuesPerSegment)
    .map(([value, indices]) => ({ segment: `${name}=${value}`, members: indices }));
}

function differences(champion: readonly number[], challenger: readonly number[]): number[] {
  return champion.map((value, row) => value - challenger[row]!);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function shown(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function shownInterval({ low, high }: MeanInterval): string {
  return `${shown(low)} to ${shown(high)}`;
}
