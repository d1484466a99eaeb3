/*
 * The metrics of a window, as pure functions of sums and counts that ClickHouse took over its rows.
 */

import type { TaskDecision } from '../../../shared/task.ts';
import { type ClassFigures, type FiguresOfClass, figuresOfClasses } from './classFigures.ts';
import {
  noQuantileFigures,
  type QuantileQuality,
  type QuantileStatistics,
  quantileQuality,
} from './quantileQuality.ts';
import {
  noRankFigures,
  type RankQuality,
  type RankStatistics,
  rankQuality,
} from './rankQuality.ts';
import { ratio } from './ratio.ts';

/** A key and the number of times that it occurs. */
export type CountedKey = readonly [key: string, count: number];

/** A key, the number of times that it occurs, and the sum of the weights of these rows. */
export type WeightedKey = readonly [key: string, count: number, weight: number];

/**
 * Sums over the labelled predictions of a window whose labels are classes. All but the counts are
 * weighted: a row of weight 2 counts as two equal rows.
 */
export interface ClassStatistics {
  /** Number of rows whose prediction and label are classes of the version. */
  compared: number;
  comparedWeight: number;
  /** Number of those whose classes differ. */
  errors: number;
  errorWeight: number;
  /** How often each class is the label, the most frequent class first. */
  labels: readonly WeightedKey[];
  /** How often each class is predicted, the most frequent class first. */
  predictions: readonly WeightedKey[];
  /** How often each class is both, the most frequent class first. */
  hits: readonly WeightedKey[];
  /** Weight of the rows with usable probabilities. */
  scoredWeight: number;
  /** Sum of the log-losses of these rows. */
  logLossSum: number;
  /** Sum of the Brier scores of these rows. */
  brierSum: number;
  /** Null if the task is not binary, or if a class or every score is absent. */
  auc: number | null;
  /** Null if the task is not binary, or if no positive label has a score. */
  averagePrecision: number | null;
  /** Weight of the rows that say how probable their class is. */
  calibratedWeight: number;
  /**
   * Sum over ten bins of probabilities of |Σ (probability - hit)|: the probability of the positive
   * class and whether the label is of it, or of more than two classes that of the predicted class
   * and whether it is the label.
   */
  calibrationErrorSum: number;
  ranks: RankStatistics;
}

/**
 * Sums over the labelled predictions of a window whose labels are numbers; error = prediction -
 * label. All but the losses are weighted.
 */
export interface NumberStatistics {
  /** Weight of the rows whose prediction and label are both finite. */
  numberWeight: number;
  errorSum: number;
  absoluteErrorSum: number;
  squaredErrorSum: number;
  /** Sum of (label - mean label)². */
  labelSquareSum: number;
  /** Sum of the absolute errors without weights. */
  lossSum: number;
  /** Sum of the squared errors without weights. */
  lossSquareSum: number;
  quantiles: QuantileStatistics;
}

/** Realised quality of a model version in a window. A metric without a meaning is null. */
export interface Quality extends RankQuality, QuantileQuality {
  /** Number of wrong classes; null if no prediction can be compared with its label. */
  errors: number | null;
  accuracy: number | null;
  precision: number | null;
  recall: number | null;
  f1: number | null;
  logLoss: number | null;
  brier: number | null;
  auc: number | null;
  averagePrecision: number | null;
  calibrationError: number | null;
  balancedAccuracy: number | null;
  mcc: number | null;
  mae: number | null;
  rmse: number | null;
  bias: number | null;
  r2: number | null;
  /**
   * Sum of the losses of the rows: 0 or 1 for classes, the absolute error for numbers. It and
   * `errors` are without weights, because verdicts rest on the number of records.
   */
  lossSum: number;
  lossSquareSum: number;
  /** Precision, recall and F1 of each class, the most frequent first; empty for a regression. */
  classes: readonly FiguresOfClass[];
}

/**
 * Computes the quality of classes, where rows have the weights of scikit-learn's `sample_weight`.
 * accuracy = 1 - errors / compared.
 *
 * For a binary task precision, recall and F1 are those of the positive class, and null if
 * undefined. For a multiclass task they are macro averages: unweighted means over all classes that
 * occur as label or prediction, where an undefined one counts as 0 (scikit-learn,
 * precision_recall_fscore_support with average 'binary' and 'macro', zero_division 0).
 *
 * Log-loss and Brier score are means over the rows with probabilities (log_loss, brier_score_loss).
 *
 * Balanced accuracy is the mean recall over the classes of the labels (balanced_accuracy_score), and
 * MCC the correlation of labels and predictions (matthews_corrcoef), which is null where
 * scikit-learn says 0 because all labels or all predictions are of one class. The average precision
 * is the area under the precision-recall curve (average_precision_score). The calibration error is
 * Σ |Σ (probability - positive)| / rows over ten bins of equal width (Naeini, Cooper, Hauskrecht,
 * AAAI 2015). Of more than two classes it is that of the predicted class.
 */
export function classQuality(
  statistics: ClassStatistics,
  { positiveLabel }: TaskDecision,
): Quality {
  const { compared, comparedWeight, errors, errorWeight, scoredWeight } = statistics;
  const classes = figuresOfClasses(statistics);
  const isBinary = positiveLabel !== null;
  return {
    errors: compared === 0 ? null : errors,
    accuracy: ratio(comparedWeight - errorWeight, comparedWeight),
    ...(isBinary
      ? (classes.find(({ name }) => name === positiveLabel)?.figures ?? noFigures)
      : macroAverages(classes)),
    logLoss: ratio(statistics.logLossSum, scoredWeight),
    brier: ratio(statistics.brierSum, scoredWeight),
    auc: statistics.auc,
    averagePrecision: statistics.averagePrecision,
    calibrationError: ratio(statistics.calibrationErrorSum, statistics.calibratedWeight),
    balancedAccuracy: balancedAccuracy(classes),
    mcc: correlation(statistics, classes),
    ...rankQuality(statistics.ranks),
    ...noNumberFigures,
    // The loss of a row is 0 or 1, and so is its square.
    lossSum: errors,
    lossSquareSum: errors,
    classes,
  };
}

const noNumberFigures = {
  mae: null,
  rmse: null,
  bias: null,
  r2: null,
  ...noQuantileFigures,
};

const noFigures: ClassFigures = { precision: null, recall: null, f1: null };

/** O(classes). */
function macroAverages(classes: readonly FiguresOfClass[]): ClassFigures {
  const mean = (figure: keyof ClassFigures) =>
    ratio(
      classes.reduce((sum, { figures }) => sum + (figures[figure] ?? 0), 0),
      classes.length,
    );
  return { precision: mean('precision'), recall: mean('recall'), f1: mean('f1') };
}

function balancedAccuracy(classes: readonly FiguresOfClass[]): number | null {
  const recalls = classes.map(({ figures }) => figures.recall).filter(recall => recall !== null);
  return ratio(
    recalls.reduce((sum, recall) => sum + recall, 0),
    recalls.length,
  );
}

/** (c s - Σ p t) / √(Σ p (s - p) Σ t (s - t)) (Gorodkin, Comput. Biol. Chem. 28, 2004). */
function correlation(
  { comparedWeight: all, errorWeight, labels, predictions }: ClassStatistics,
  classes: readonly FiguresOfClass[],
): number | null {
  // Sums of weights are rounded, so that what should be 0 may not be.
  if (labels.length < 2 || predictions.length < 2) return null;
  const sum = (term: (weights: FiguresOfClass['weights']) => number) =>
    classes.reduce((total, { weights }) => total + term(weights), 0);
  const covariance =
    (all - errorWeight) * all - sum(({ labelled, predicted }) => labelled * predicted);
  const ofPredictions = sum(({ predicted }) => predicted * (all - predicted));
  const ofLabels = sum(({ labelled }) => labelled * (all - labelled));
  return ratio(covariance, Math.sqrt(ofPredictions) * Math.sqrt(ofLabels));
}

/**
 * Computes the quality of numbers, where rows have weights. mae = Σ|e| / n, rmse = √(Σe² / n), bias = Σe / n,
 * r2 = 1 - Σe² / Σ(label - mean)² (scikit-learn, mean_absolute_error, root_mean_squared_error,
 * r2_score). r2 is at most 1, and null if all labels are equal.
 */
export function numberQuality(statistics: NumberStatistics): Quality {
  const { numberWeight, errorSum, absoluteErrorSum, squaredErrorSum, labelSquareSum } = statistics;
  const meanSquaredError = ratio(squaredErrorSum, numberWeight);
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
    averagePrecision: null,
    calibrationError: null,
    balancedAccuracy: null,
    mcc: null,
    ...noRankFigures,
    mae: ratio(absoluteErrorSum, numberWeight),
    rmse: meanSquaredError === null ? null : Math.sqrt(meanSquaredError),
    bias: ratio(errorSum, numberWeight),
    r2: unexplained === null ? null : 1 - unexplained,
    ...quantileQuality(statistics.quantiles),
    lossSum: statistics.lossSum,
    lossSquareSum: statistics.lossSquareSum,
    classes: [],
  };
}
