import { type Costs, cheapestClass, costOf } from '../../shared/model/costs.ts';
import type { Task } from '../../shared/task.ts';
import type { DatasetRow } from '../dataset/dataset.ts';
import { entitiesOf, type GateRow, weightsOf } from './gate.ts';
import { type MeanInterval, meanInterval, weightedMean } from './meanInterval.ts';

/** What the models lose on each gate row. */
export interface Losses {
  /** What the mean loss is called. */
  name: string;
  champion: number[];
  challenger: number[];
  /** What constants lose, each with its name. They are known from the rows before the gate rows. */
  constants: { name: string; losses: number[] }[];
  /** Of the rows; null if all are 1. */
  weights: number[] | null;
  /** See `GateRow`; null where they are not known. */
  entities: string[] | null;
  /** Difference of mean losses that is too small to matter. */
  margin: number;
}

export type PastLabel = Pick<DatasetRow, 'label' | 'labelValue'>;
type Truth = Pick<DatasetRow, 'label' | 'labelValue'>;
type Output = Pick<DatasetRow, 'prediction' | 'predictionValue'>;

/**
 * Probabilities are kept this far from 0, so that a row costs 6.9 at most, and one confident
 * mistake does not decide. Log-loss is taken, and not the Brier score, because of a rare class the
 * Brier score hardly shows anything: of 3 % positives it needs ten times the rows.
 */
const minProbability = 0.001;
/** A class is rare if its share is below this part of an equal share. */
const rareShare = 0.5;
/** Maximum weight of a rare class, so that a handful of rows does not decide. */
const maxClassWeight = 20;
/** The newest part of the past, from which constants are taken as well. */
const newestShare = 0.2;
const marginOfErrorRate = 0.01;
const marginOfLogLoss = 0.02;
/** Of the champion's loss. */
const relativeMargin = 0.02;

/**
 * Returns the losses that decide: costs where they are configured, log-loss where both models give
 * probabilities, otherwise errors, in which classes count alike if one is rare, and absolute errors
 * of numbers.
 * @param past labels of the rows before the gate rows, the oldest first
 */
export function decisiveLosses(
  task: Task,
  rows: readonly GateRow[],
  past: readonly PastLabel[],
  costs?: Costs,
): Losses {
  if (costs && task !== 'regression') return costsOfPredictions(rows, past, costs);
  const isProbable = (probability: number | null | undefined) =>
    typeof probability === 'number' && probability >= 0 && probability <= 1;
  const areProbable = rows.every(
    row => isProbable(row.championProbability) && isProbable(row.challengerProbability),
  );
  if (task === 'regression' || !areProbable) return predictionLosses(task, rows, past);
  return {
    name: 'log-loss',
    champion: rows.map(row => logLoss(row.championProbability!)),
    challenger: rows.map(row => logLoss(row.challengerProbability!)),
    constants: pasts(past).map(({ name, labels }) => {
      const prior = shares(labels);
      return {
        name: `the shares of the classes in ${name}`,
        losses: rows.map(({ truth }) => logLoss(prior.get(truth.label) ?? 0)),
      };
    }),
    weights: weightsOf(rows),
    entities: entitiesOf(rows),
    margin: marginOfLogLoss,
  };
}

function costsOfPredictions(
  rows: readonly GateRow[],
  past: readonly PastLabel[],
  costs: Costs,
): Losses {
  const costsOf = (predictionOf: (row: GateRow) => string) =>
    rows.map(row => costOf(costs, row.truth.label, predictionOf(row)));
  const champion = costsOf(row => row.champion.prediction);
  const weights = weightsOf(rows);
  return {
    name: 'mean cost',
    champion,
    challenger: costsOf(row => row.challenger.prediction),
    constants: pasts(past).map(({ name, labels }) => {
      const prior = shares(labels);
      const classes = [...prior.keys()];
      const cheapest = classes[cheapestClass(costs, classes, [...prior.values()])]!;
      return { name: `${cheapest}, the cheapest for ${name}`, losses: costsOf(() => cheapest) };
    }),
    weights,
    entities: entitiesOf(rows),
    margin: relativeMargin * weightedMean(champion, weights),
  };
}

/** Returns the losses of predictions alone: errors, or absolute errors. */
export function predictionLosses(
  task: Task,
  rows: readonly GateRow[],
  past: readonly PastLabel[],
): Losses {
  const isRegression = task === 'regression';
  const lossesOf = (output: (row: GateRow) => Output) =>
    rows.map(row => predictionLoss(task, row.truth, output(row)));
  const champion = lossesOf(row => row.champion);
  const classWeights = isRegression ? null : weightsOfClasses(rows);
  const rowWeights = weightsOf(rows);
  const weights =
    classWeights?.map((weight, row) => weight * (rowWeights?.[row] ?? 1)) ?? rowWeights;
  return {
    name: isRegression
      ? 'mean absolute error'
      : classWeights
        ? 'balanced error rate'
        : 'error rate',
    champion,
    challenger: lossesOf(row => row.challenger),
    constants: pasts(past).map(({ name, labels }) => {
      const constant = isRegression ? median(labels) : majority(labels);
      const what = isRegression ? 'the median of' : 'the most frequent class of';
      return { name: `${what} ${name}`, losses: lossesOf(() => constant) };
    }),
    weights,
    entities: entitiesOf(rows),
    margin: isRegression ? relativeMargin * weightedMean(champion, weights) : marginOfErrorRate,
  };
}

/**
 * Returns 0 or 1 for classes and the absolute error for numbers, which is infinite for an output
 * that is not a number.
 */
export function predictionLoss(task: Task, truth: Truth, output: Output): number {
  if (task !== 'regression') return output.prediction === truth.label ? 0 : 1;
  const error = Math.abs((output.predictionValue ?? Number.NaN) - truth.labelValue!);
  return Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
}

/** Returns the loss of a probability that was given to the true class, from 0 to 6.9. */
export function logLoss(probability: number): number {
  return -Math.log(Math.max(minProbability, probability));
}

/** Returns the interval of the mean of one loss minus another one. */
export function lossDifference(
  { weights, entities }: Pick<Losses, 'weights' | 'entities'>,
  from: readonly number[],
  less: readonly number[],
  level: number,
): MeanInterval {
  const differences = from.map((value, row) => value - less[row]!);
  return meanInterval(differences, level, weights, entities);
}

/** Returns weights with which each class counts alike, or null if no class is rare. */
function weightsOfClasses(rows: readonly GateRow[]): number[] | null {
  const classes = shares(rows.map(({ truth }) => truth));
  const equal = 1 / classes.size;
  if ([...classes.values()].every(value => value >= rareShare * equal)) return null;
  return rows.map(({ truth }) => Math.min(maxClassWeight, equal / classes.get(truth.label)!));
}

/** The past as constants are taken from it: whole, and its newest part. */
function pasts(past: readonly PastLabel[]): { name: string; labels: readonly PastLabel[] }[] {
  const newest = past.slice(Math.floor(past.length * (1 - newestShare)));
  return [
    { name: 'the earlier labels', labels: past },
    { name: 'the labels just before', labels: newest },
  ].filter(({ labels }) => labels.length > 0);
}

function shares(labels: readonly Pick<DatasetRow, 'label'>[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { label } of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return new Map([...counts].map(([label, count]) => [label, count / labels.length]));
}

function majority(labels: readonly PastLabel[]): Output {
  const [first] = [...shares(labels)].sort(([, one], [, other]) => other - one);
  return { prediction: first![0], predictionValue: null };
}

function median(labels: readonly PastLabel[]): Output {
  const values = labels.map(({ labelValue }) => labelValue!).sort((one, other) => one - other);
  const middle = values[Math.floor(values.length / 2)]!;
  return { prediction: String(middle), predictionValue: middle };
}
