/*
 * What the figures of a window say, as pure functions of sums and counts that ClickHouse took over the rows of the window.
 */

import type { TaskDecision } from '../../shared/task.ts';

/** A key and how often it occurs. */
export type CountedKey = readonly [key: string, count: number];

/** Sums over the labelled predictions of a window whose labels are classes. */
export interface ClassStatistics {
  labelled: number;
  errors: number;
  /** Per class, the most frequent first: how often it is the label, the prediction, both. */
  labels: readonly CountedKey[];
  predictions: readonly CountedKey[];
  hits: readonly CountedKey[];
  /** Rows with usable probabilities, and the sums of their log-loss and Brier terms. */
  scored: number;
  logLossSum: number;
  brierSum: number;
  /** binary only; null where a class or every score is absent. */
  auc: number | null;
}

/** Sums over the labelled predictions of a window whose labels are numbers; error = prediction - label. */
export interface NumberStatistics {
  /** Rows whose prediction and label are both finite. */
  numbers: number;
  errorSum: number;
  absoluteErrorSum: number;
  squaredErrorSum: number;
  /** Sum of (label - mean label)². */
  labelSquareSum: number;
}

/** Columns of performance_windows that say how good a version was; null where a figure has no meaning. */
export interface Quality {
  errors: number | null;
  accuracy: number | null;
  precision: number | null;
  recall: number | null;
  f1: number | null;
  log_loss: number | null;
  brier: number | null;
  auc: number | null;
  mae: number | null;
  rmse: number | null;
  bias: number | null;
  r2: number | null;
  loss_sum: number;
  loss_square_sum: number;
}

/**
 * Quality of classes. accuracy = 1 - errors / labelled. binary: figures of the positive class; multiclass: macro averages, the unweighted
 * means over all classes that occur as label or prediction, an undefined one counting 0
 * (scikit-learn, precision_recall_fscore_support, average 'binary' and 'macro', zero_division 0; an undefined figure of the positive
 * class is null). log_loss and brier are means over the rows with probabilities (log_loss, brier_score_loss).
 */
export function classQuality(
  statistics: ClassStatistics,
  { positiveLabel }: TaskDecision,
): Quality {
  const { labelled, errors, scored, logLossSum, brierSum, auc } = statistics;
  return {
    errors,
    accuracy: ratio(labelled - errors, labelled),
    ...(positiveLabel === null
      ? macroAverages(statistics)
      : figuresOfClass(statistics, positiveLabel)),
    log_loss: ratio(logLossSum, scored),
    brier: ratio(brierSum, scored),
    auc,
    mae: null,
    rmse: null,
    bias: null,
    r2: null,
    // The loss of a row is 0 or 1, and so is its square.
    loss_sum: errors,
    loss_square_sum: errors,
  };
}

interface ClassFigures {
  precision: number | null;
  recall: number | null;
  f1: number | null;
}

/** precision = hits / predicted, recall = hits / labelled, F1 = their harmonic mean = 2 hits / (predicted + labelled). Bounds 0 and 1. */
function figuresOfClass(
  { labels, predictions, hits }: ClassStatistics,
  name: string,
): ClassFigures {
  const countIn = (counts: readonly CountedKey[]) => counts.find(([key]) => key === name)?.[1] ?? 0;
  return classFigures(countIn(labels), countIn(predictions), countIn(hits));
}

function classFigures(labelled: number, predicted: number, hits: number): ClassFigures {
  return {
    precision: ratio(hits, predicted),
    recall: ratio(hits, labelled),
    f1: ratio(2 * hits, predicted + labelled),
  };
}

/** O(classes). */
function macroAverages(statistics: ClassStatistics): ClassFigures {
  const [labels, predictions, hits] = [
    statistics.labels,
    statistics.predictions,
    statistics.hits,
  ].map(counts => new Map(counts)) as [
    Map<string, number>,
    Map<string, number>,
    Map<string, number>,
  ];
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
 * Quality of numbers. mae = Σ|e| / n, rmse = √(Σe² / n), bias = Σe / n, r2 = 1 - Σe² / Σ(label - mean)²
 * (scikit-learn, mean_absolute_error, root_mean_squared_error, r2_score). r2 ≤ 1, null where all labels are equal.
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
    log_loss: null,
    brier: null,
    auc: null,
    mae: ratio(absoluteErrorSum, numbers),
    rmse: meanSquaredError === null ? null : Math.sqrt(meanSquaredError),
    bias: ratio(errorSum, numbers),
    r2: unexplained === null ? null : 1 - unexplained,
    loss_sum: absoluteErrorSum,
    loss_square_sum: squaredErrorSum,
  };
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
