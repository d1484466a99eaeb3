/** What a model predicts: one of two classes, one of several classes, or a number. */
export type Task = 'binary' | 'multiclass' | 'regression';

/** The task of a model version, and the class that the metrics of a binary model describe. */
export interface TaskDecision {
  task: Task;
  /**
   * Class that precision, recall, F1, log-loss, Brier score and AUC describe. Null when the task is
   * not binary, and when no class is known at all.
   */
  positiveLabel: string | null;
}

/**
 * A labelled prediction, as far as the task depends on it. Classes and numbers are given as text.
 */
export interface LabelledOutput {
  label: string;
  /** Null when the label is not a number. */
  labelValue: number | null;
  prediction: string;
  /** Null when the prediction is not a number. */
  predictionValue: number | null;
}

/**
 * What the labelled predictions of a model version contain. It only grows with further ones. A list
 * that is cut off after 101 distinct texts leads to the same decision as the whole list.
 */
export interface LabelSummary {
  /** Distinct labels. */
  labels: string[];
  /** Distinct predictions. */
  predictions: string[];
  /** True if some label is not a number. */
  textLabels: boolean;
  /** True if some label is a number with a fraction. */
  fractionalLabels: boolean;
  /** True if some prediction is a number with a fraction. */
  fractionalPredictions: boolean;
}

/** Numbers with more distinct values than this are quantities, not classes. */
const maxClassesOfNumbers = 20;
/** Names of a positive class, in lower case. */
const positiveNames = new Set(['1', 'true', 'yes']);

/**
 * Summarises labelled predictions in the way in which ClickHouse fills the table version_labels.
 * O(outcomes).
 */
export function summariseLabels(outcomes: Iterable<LabelledOutput>): LabelSummary {
  const labels = new Set<string>();
  const predictions = new Set<string>();
  let textLabels = false;
  let fractionalLabels = false;
  let fractionalPredictions = false;
  for (const { label, labelValue, prediction, predictionValue } of outcomes) {
    labels.add(label);
    predictions.add(prediction);
    textLabels ||= labelValue === null;
    fractionalLabels ||= hasFraction(labelValue);
    fractionalPredictions ||= hasFraction(predictionValue);
  }
  return {
    labels: [...labels],
    predictions: [...predictions],
    textLabels,
    fractionalLabels,
    fractionalPredictions,
  };
}

function hasFraction(value: number | null): boolean {
  return value !== null && value !== Math.trunc(value);
}

/**
 * Decides the task of a model version and its positive class. Every service decides it here, so
 * that they all speak of the same class. The decision is made over everything that the version's
 * outcomes have contained, not per window, because a window in which only one class occurs does not
 * change what the classes mean. The summary only grows, so a version passes through few decisions
 * and stays at the last.
 *
 * The task is a regression if all labels are numbers, and some have fractions or more than 20
 * distinct values occur. Otherwise the classes are the labels, together with the predictions
 * (unless predictions have fractions, which makes them probabilities). Up to two classes are a
 * binary task, more are multiclass.
 *
 * The positive class is the configured one, else the first that is named 1, true or yes, else the
 * last in the order of the names.
 *
 * @param configuredPositiveLabel settings.positiveLabel; it counts even if no such class has
 * occurred
 * @example
 * decideTask({ labels: ['down'], predictions: ['down', 'up'], … }, undefined);
 * // { task: 'binary', positiveLabel: 'up' }
 */
export function decideTask(
  summary: LabelSummary,
  configuredPositiveLabel: string | undefined,
): TaskDecision {
  const { labels, predictions, textLabels, fractionalLabels, fractionalPredictions } = summary;
  if (!textLabels && (fractionalLabels || labels.length > maxClassesOfNumbers)) {
    return { task: 'regression', positiveLabel: null };
  }
  const classes = [...new Set(fractionalPredictions ? labels : [...labels, ...predictions])].sort();
  if (classes.length > 2) return { task: 'multiclass', positiveLabel: null };
  const named = classes.find(name => positiveNames.has(name.toLowerCase()));
  return {
    task: 'binary',
    positiveLabel: configuredPositiveLabel ?? named ?? classes.at(-1) ?? null,
  };
}
