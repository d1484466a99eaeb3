import { type ClassMeaning, outputClasses } from './outputClasses.ts';
import type { OutputMeaning, OutputSettings } from './outputMeaning.ts';
import { type PredictionEvidence, predictionKind } from './predictionKind.ts';
import type { ReferenceOutput } from './referenceOutput.ts';
import { numberOf, percent } from './referenceOutput.ts';
import { scoreMeaning } from './scoreMeaning.ts';
import { classKey, plainSpelling } from './spelling.ts';

/** Probability from which on a class is predicted, if nothing else is configured. */
const defaultThreshold = 0.5;
/** A regression has predictions to compare if a larger share of them is numbers. */
const minNumbers = 0.01;

/**
 * Decides what predictions, labels and scores of a model version mean, from labelled predictions of
 * its reference. The order of the records does not matter. O(records).
 *
 * @example
 * decideOutput([{ label: 'down', prediction: 'up', … }, …]);
 * // { task: 'binary', positiveLabel: 'up', … }
 */
export function decideOutput(
  outputs: readonly ReferenceOutput[],
  configured: OutputSettings = {},
): OutputMeaning {
  const predictions = predictionKind(outputs, configured);
  if (predictions.kind === 'number') return regression(outputs, predictions);
  const task = configured.task === 'regression' ? undefined : configured.task;
  const classes = outputClasses(outputs, predictions.kind, task);
  return classes.task === 'binary'
    ? binary(outputs, predictions, classes, configured)
    : multiclass(predictions, classes);
}

function regression(
  outputs: readonly ReferenceOutput[],
  { reason }: PredictionEvidence,
): OutputMeaning {
  const numbers = outputs.filter(
    ({ predictionValue, prediction }) => numberOf(predictionValue, prediction) !== null,
  );
  const comparable = numbers.length > outputs.length * minNumbers;
  return {
    task: 'regression',
    positiveLabel: null,
    predictionIs: 'number',
    classes: [],
    spelling: plainSpelling,
    openLabels: false,
    openPredictions: false,
    comparable,
    scoreIs: 'class',
    scoreOf: null,
    scoresAreProbabilities: true,
    threshold: null,
    evidence: [
      reason,
      ...(comparable
        ? []
        : [`Only ${percent(numbers.length / outputs.length)} of the predictions are numbers.`]),
    ],
    disagreement: null,
  };
}

function multiclass(
  { kind, reason }: PredictionEvidence,
  { reason: reasonOfClasses, ...classes }: ClassMeaning,
): OutputMeaning {
  return {
    ...classes,
    positiveLabel: null,
    predictionIs: kind,
    scoreIs: 'class',
    scoreOf: null,
    scoresAreProbabilities: true,
    threshold: null,
    evidence: [reason, reasonOfClasses],
    disagreement: null,
  };
}

function binary(
  outputs: readonly ReferenceOutput[],
  { kind, reason }: PredictionEvidence,
  { reason: reasonOfClasses, ...classes }: ClassMeaning,
  configured: OutputSettings,
): OutputMeaning {
  const known = withConfigured(classes, configured.positiveLabel);
  const { reasons, ...score } = scoreMeaning(outputs, kind, known, configured);
  const threshold = kind === 'probability' ? defaultThreshold : null;
  const applied = kind === 'class' ? null : (configured.threshold ?? threshold);
  return {
    ...known,
    ...score,
    predictionIs: kind,
    threshold: applied,
    comparable: classes.comparable && (kind === 'class' || applied !== null),
    evidence: [reason, reasonOfClasses, ...reasons],
  };
}

/** Adds the configured positive class if it has not occurred and there is room for it. */
function withConfigured(
  meaning: Omit<ClassMeaning, 'reason'>,
  positiveLabel: string | undefined,
): Omit<ClassMeaning, 'reason'> {
  if (positiveLabel === undefined || meaning.classes.length > 1) return meaning;
  const keyOf = (text: string) => classKey(text, meaning.spelling);
  if (meaning.classes.some(({ name }) => keyOf(name) === keyOf(positiveLabel))) return meaning;
  const added = { name: positiveLabel, spellings: [positiveLabel] };
  return { ...meaning, classes: [...meaning.classes, added] };
}
