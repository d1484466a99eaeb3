/*
 * The metrics of a window, as pure functions of sums and counts that ClickHouse took over its rows.
 */

import type { TaskDecision } from '../../../shared/task.ts';

/** A key and the number of times that it occurs. */
export type CountedKey = readonly [key: string, count: number];

/** Sums over the labelled predictions of a window whose labels are classes. */
export interface ClassStatistics {
  /** Rows whose prediction and label are classes of the version. */
  compared: number;
  /** Those of them whose classes differ. */
  errors: number;
  /** Number of times that each class is the label, the most frequent class first. */
  labels: readonly CountedKey[];
  /** Number of times that each class is predicted, the most frequent class first. */
  predictions: readonly CountedKey[];
  /** Number of times that each class is both, the most frequent class first. */
  hits: readonly CountedKey[];
  /** Rows with usable probabilities. */
  scored: number;
  /** Sum of the log-losses of these rows. */
  logLossSum: number;
  /** Sum of the Brier scores of these rows. */
  brierSum: number;
  /** Null if the task is not binary, or if a class or every score is absent. */
  auc: number | null;
}

/**
 * Sums over the labelled predictions of a window whose labels are numbers; error = prediction -
 * label.
 */
export interface NumberStatistics {
  /** Rows whose prediction and label are both finite. */
  numbers: number;
  errorSum: number;
  absoluteErrorSum: number;
  squaredErrorSum: number;
  /** Sum of (label - mean label)². */
  labelSquareSum: number;
}

/** Realised quality of a model version in a window. A metric without a meaning is null. */
export interface Quality {
  /** Wrong classes; null if no prediction can be compared with its label. */
  errors: number | null;
  accuracy: number | null;
  precision: number | null;
  recall: number | null;
  f1: number | null;
  logLoss: number | null;
  brier: number | null;
  auc: number | null;
  mae: number | null;
  rmse: number | null;
  bias: number | null;
  r2: number | null;
  /** Sum of the losses of the rows: 0 or 1 for classes, the absolute error for numbers. */
  lossSum: number;
  lossSquareSum: number;
}

/**
 * Computes the quality of classes. accuracy = 1 - errors / compared.
 *
 * For a binary task precision, recall and F1 are those of the positive class, and null if
 * undefined. For a multiclass task they are macro averages: unweighted means over all classes that
 * occur as label or prediction, where an undefined one counts as 0 (scikit-learn,
 * precision_recall_fscore_support with average 'binary' and 'macro', zero_division 0).
 *
 * Log-loss and Brier score are means over the rows with probabilities (log_loss, brier_score_loss).
 */
export function classQuality(
  statistics: ClassStatistics,
  { positiveLabel }: TaskDecision,
): Quality {
  const { compared, errors, scored, logLossSum, brierSum, auc } = statistics;
  return {
    errors: compared === 0 ? null : errors,
    accuracy: ratio(compared - errors, compared),
    ...(positiveLabel === null
      ? macroAverages(statistics)
      : figuresOfClass(statistics, positiveLabel)),
    logLoss: ratio(logLossSum, scored),
    brier: ratio(brierSum, scored),
    auc,
    mae: null,
    rmse: null,
    bias: null,
    r2: null,
    // The loss of a row is 0 or 1, and so is its square.
    lossSum: errors,
    lossSquareSum: errors,
  };
}

interface ClassFigures {
  precision: number | null;
  recall: number | null;
  f1: number | null;
}

function figuresOfClass(
  { labels, predictions, hits }: ClassStatistics,
  name: string,
): ClassFigures {
  const countIn = (counts: readonly CountedKey[]) => counts.find(([key]) => key === name)?.[1] ?? 0;
  return classFigures(countIn(labels), countIn(predictions), countIn(hits));
}

/**
 * precision = hits / predicted, recall = hits / labelled, F1 = their harmonic mean
 * = 2 hits / (predicted + labelled). All lie between 0 and 1.
 */
function classFigures(labelled: number, predicted: number, hits: number): ClassFigures {
  return {
    precision: ratio(hits, predicted),
    recall: ratio(hits, labelled),
    f1: ratio(2 * hits, predicted + labelled),
  };
}

/** O(classes). */
function macroAverages(statistics: ClassStatistics): ClassFigures {
  const labels = new Map(statistics.labels);
  const predictions = new Map(statistics.predictions);
  const hits = new Map(statistics.hits);
  const names = new Set([...labels.keys(), ...predictions.keys()]);
  const sums = { precision: 0, recall: 0, f1: 0 };
  for (const name of names) {
    const figures = classFigures(
      labels.get(name) ?? 0,
      predictions.get(name) ?? 0,
      hits.get(name) ?? 0,
    );
    sums.precision += figures.precision ?? 0;
    sums.recall += figures.recall ?? 0;
    sums.f1 += figures.f1 ?? 0;
  }
  return {
    precision: ratio(sums.precision, names.size),
    recall: ratio(sums.recall, names.size),
    f1: ratio(sums.f1, names.size),
  };
}

/**
 * Computes the quality of numbers. mae = Σ|e| / n, rmse = √(Σe² / n), bias = Σe / n,
 * r2 = 1 - Σe² / Σ(label - mean)² (scikit-learn, mean_absolute_error, root_mean_squared_error,
 * r2_score). r2 is at most 1, and null if all labels are equal.
 */
export function numberQuality(statistics: NumberStatistics): Quality {
  const { numbers, errorSum, absoluteErrorSum, squaredErrorSum, labelSquareSum } = statistics;
  const meanSquaredError = ratio(squaredErrorSum, numbers);
  const unexplained = ratio(squaredErrorSum, labelSquareSum);
  return {
    errors: null,
    accuracy: null,
    precision: null,
    recall: null,
    f1: null,
    logLoss: null,
    brier: null,
    auc: null,
    mae: ratio(absoluteErrorSum, numbers),
    rmse: meanSquaredError === null ? null : Math.sqrt(meanSquaredError),
    bias: ratio(errorSum, numbers),
    r2: unexplained === null ? null : 1 - unexplained,
    lossSum: absoluteErrorSum,
    lossSquareSum: squaredErrorSum,
  };
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
