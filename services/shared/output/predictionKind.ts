import type { OutputSettings, PredictionKind } from './outputMeaning.ts';
import { countsOf, numberOf, percent, type ReferenceOutput } from './referenceOutput.ts';
import { classKey, isMissing, plainSpelling, truthWordsOf } from './spelling.ts';

/** What predictions hold, and why that was decided. */
export interface PredictionEvidence {
  kind: PredictionKind;
  reason: string;
}

/** Numbers with more distinct values than this are quantities, not classes. */
const maxClassesOfNumbers = 20;
/** Share of the rarest values that do not make numbers quantities. */
const maxRareShare = 0.01;
/** Labels are quantities if a larger share of them has fractions. */
const maxFractionalLabels = 0.01;
/** Predictions are no classes if a larger share of them has fractions. */
const maxFractionalPredictions = 0.05;
/** Share of the labels that may be neither of two classes. */
const maxOtherLabels = 0.05;
/** Share of the probabilities that may lie outside 0 to 1. */
const maxImpossibleShare = 0.01;

interface Numbers {
  outputs: readonly ReferenceOutput[];
  labels: number[];
  predictions: number[];
  fractionalLabels: number;
  fractionalPredictions: number;
}

/**
 * Decides what predictions hold, by the majority of the records. In this order:
 * - Predictions are probabilities if they lie within 0 to 1, some have fractions, and the labels are
 *   two classes.
 * - They are scores if some have fractions, some lie outside 0 to 1, and the labels are two classes
 *   (as numbers 0 and 1 or -1 and 1).
 * - The task is a regression if most labels and predictions are numbers, and some of them have
 *   fractions, or the labels have more than 20 values, which are neither text on both sides nor
 *   classes with probabilities.
 * - Otherwise predictions are classes.
 */
export function predictionKind(
  all: readonly ReferenceOutput[],
  { task }: Pick<OutputSettings, 'task'>,
): PredictionEvidence {
  if (task === 'regression')
    return { kind: 'number', reason: 'The settings say that the task is a regression.' };
  const outputs = all.filter(({ label }) => !isMissing(label));
  const numbers = numbersOf(outputs);
  return (
    ofTwoClasses(numbers, task) ??
    (task === undefined ? quantities(numbers) : null) ?? {
      kind: 'class',
      reason: 'Predictions are classes.',
    }
  );
}

function numbersOf(outputs: readonly ReferenceOutput[]): Numbers {
  const labels = outputs
    .map(({ labelValue, label }) => numberOf(labelValue, label))
    .filter(value => value !== null);
  const predictions = outputs
    .map(({ predictionValue, prediction }) => numberOf(predictionValue, prediction))
    .filter(value => value !== null);
  return {
    outputs,
    labels,
    predictions,
    fractionalLabels: shareOf(labels, hasFraction),
    fractionalPredictions: shareOf(predictions, hasFraction),
  };
}

const hasFraction = (value: number) => value !== Math.trunc(value);

function shareOf<Value>(values: readonly Value[], holds: (value: Value) => boolean): number {
  return values.length === 0 ? 0 : values.filter(holds).length / values.length;
}

function ofTwoClasses(numbers: Numbers, task: OutputSettings['task']): PredictionEvidence | null {
  const { outputs, predictions, fractionalPredictions } = numbers;
  if (predictions.length * 2 <= outputs.length) return null;
  if (fractionalPredictions <= maxFractionalPredictions || !haveTwoClasses(numbers, task))
    return null;
  const inside = shareOf(predictions, value => value >= 0 && value <= 1);
  const example = predictions.find(hasFraction)!;
  if (inside >= 1 - maxImpossibleShare) {
    return {
      kind: 'probability',
      reason:
        `Predictions are probabilities: ${percent(fractionalPredictions)} of them are fractions ` +
        `within 0 to 1, such as ${example}, and the labels are of two classes.`,
    };
  }
  return isScale(numbers, task)
    ? {
        kind: 'score',
        reason:
          `Predictions are scores: ${percent(fractionalPredictions)} of them have fractions, ` +
          `${percent(1 - inside)} are outside 0 to 1, and the labels are of two classes.`,
      }
    : null;
}

/** Returns whether nearly all labels are of one or two classes, and are no counts. */
function haveTwoClasses(
  { outputs, labels, fractionalLabels }: Numbers,
  task: OutputSettings['task'],
): boolean {
  const texts = outputs.map(({ label }) => label);
  const spelling = { ...plainSpelling, truthWords: truthWordsOf([texts]) };
  const counts = countsOf(texts.map(text => classKey(text, spelling)));
  const descending = [...counts].sort(([, one], [, other]) => other - one);
  const pair = descending.slice(0, 2);
  const inPair = pair.reduce((sum, [, count]) => sum + count, 0);
  if (inPair < outputs.length * (1 - maxOtherLabels)) return false;
  const areNumbers = labels.length * 2 > outputs.length;
  if (task === 'binary' || !areNumbers) return true;
  // Numbers may be amounts or counts of which small ones are the most frequent.
  const numbersInPair = new Set(pair.map(([key]) => Number(key)));
  const others = labels.filter(value => !numbersInPair.has(value));
  const isCount = others.filter(value => value === 2).length > 1 && numbersInPair.has(1);
  const isAmount = others.length > 1 && !(numbersInPair.has(0) && numbersInPair.has(1));
  const isSingle = pair.length === 1 && ![0, 1].includes(Number(pair[0]![0]));
  return fractionalLabels <= maxFractionalLabels && !isCount && !isAmount && !isSingle;
}

/** Returns whether labels are classes that a score on any scale may be about. */
function isScale({ outputs, labels }: Numbers, task: OutputSettings['task']): boolean {
  if (task === 'binary' || labels.length * 2 <= outputs.length) return true;
  const found = new Set(labels);
  const mayBe = (pair: readonly number[]) => pair.every(value => found.has(value));
  return mayBe([0, 1]) || mayBe([-1, 1]);
}

function quantities(numbers: Numbers): PredictionEvidence | null {
  const { outputs, labels, predictions, fractionalLabels, fractionalPredictions } = numbers;
  if (labels.length * 2 <= outputs.length) return null;
  const arePredicted = predictions.length * 2 > outputs.length;
  const reason = `The task is a regression: ${percent(labels.length / outputs.length)} of the labels are numbers`;
  if (fractionalLabels > maxFractionalLabels)
    return {
      kind: 'number',
      reason: `${reason}, and ${percent(fractionalLabels)} of these have fractions.`,
    };
  if (arePredicted && fractionalPredictions > maxFractionalPredictions)
    return {
      kind: 'number',
      reason: `${reason}, and ${percent(fractionalPredictions)} of the predictions have fractions.`,
    };
  if (!haveManyValues(labels) || areNamesOfClasses(outputs, arePredicted)) return null;
  return { kind: 'number', reason: `${reason}, with more than ${maxClassesOfNumbers} values.` };
}

/** Returns whether numbers have too many values for classes, apart from the rarest values. */
function haveManyValues(labels: readonly number[]): boolean {
  const counts = [...countsOf(labels).values()].sort((one, other) => other - one);
  if (counts.length <= maxClassesOfNumbers) return false;
  const rare = counts.slice(maxClassesOfNumbers).reduce((sum, count) => sum + count, 0);
  return rare > labels.length * maxRareShare;
}

/** Returns whether numbers are logged as text, with probabilities or with rankings, as classes are. */
function areNamesOfClasses(outputs: readonly ReferenceOutput[], arePredicted: boolean): boolean {
  const withProbabilities = shareOf(outputs, ({ classesOfScore }) => classesOfScore !== null);
  const withRankings = shareOf(outputs, ({ hasRanking }) => hasRanking);
  const textLabels = shareOf(outputs, ({ labelValue }) => labelValue === null);
  const textPredictions = shareOf(outputs, ({ predictionValue }) => predictionValue === null);
  return (
    withProbabilities > 0.5 ||
    withRankings > 0.5 ||
    (textLabels > 0.5 && (!arePredicted || textPredictions > 0.5))
  );
}
