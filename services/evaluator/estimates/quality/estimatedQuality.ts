import type { FeatureProfile } from '../../../shared/profile/featureProfile.ts';
import type { NumericHistogram } from '../../../shared/profile/numericHistogram.ts';
import { effectiveSampleSize } from '../../../shared/statistics/effectiveSampleSize.ts';
import { isotonicRegression } from '../../../shared/statistics/isotonicRegression.ts';
import type { BinaryMetric, Estimate } from './estimate.ts';
import {
  accuracyFigure,
  type ClassFigure,
  expectedConfusion,
  figuresOfClass,
  macroAverage,
} from './expectedConfusion.ts';
import { blocksOf, type Cell, estimateFigure, type Figure } from './figure.ts';
import { binnedCalibration, type QualityCalibration } from './qualityCalibration.ts';
import { labelShares, type WeightedBin, weightedBins } from './weightedBins.ts';
import { type BinSums, sumsPerBin, type WeightedScores } from './weightedScores.ts';

/** What is known about a window of a binary model without labels. */
export interface UnlabelledWindow {
  records: number;
  scores: NumericHistogram;
  /** Predictions of the class that the scores are about. */
  predictedPositives: number;
  /** The scored records with their weights; absent if all weights are 1. */
  weighted?: (WeightedScores & { predictedPositives: number }) | undefined;
  features: ReadonlyMap<string, FeatureProfile>;
}

/** A class of a binary model: the one that the scores are about, or the other. */
export type ScoredClass = 'scored' | 'other';

const negative = 0;
const positive = 1;
/** Of k positives among n records, (k + 1) / (n + 2) stands for the rate in the variance. */
const priorRecords = 2;

/**
 * Estimates the quality of a window of a binary model before its labels are known. The scores tell
 * how many of the records are positive, provided that a score means what it meant in the
 * calibration (confidence-based performance estimation: Kivimäki, Białek, Kuberski, Nurminen, arXiv
 * 2505.05295; NannyML's CBPE). The calibration is isotonic (Zadrozny, Elkan, KDD 2002). Its records
 * are first weighted so that their features are distributed as in the window (`featureMatching`).
 *
 * The estimate cannot see that the same inputs now have other labels.
 *
 * @param figuresOf the positive class, which precision, recall and F1 are about
 * @returns null for a figure that is undefined (a precision where no record is predicted positive),
 * or that depends on predictions which do not follow from scores
 */
export function estimateQuality(
  calibration: QualityCalibration,
  window: UnlabelledWindow,
  figuresOf: ScoredClass = 'scored',
): Record<BinaryMetric, Estimate | null> {
  const binned = binnedCalibration(calibration, window.scores);
  const weights = calibration.matching.weights(window.features, window.records);
  const weighted = weightedBins(calibration.scored, binned, weights);
  const sums = sumsPerBin(binned.bins, window.scores, window.weighted);
  const cells = cellsOf(sums, binned.plain, weighted, window);
  const { accuracy, precision, recall, f1 } = thresholdFigures(calibration, cells, figuresOf);
  const auc = aucFigure(cells);
  // Scores that share a bin count as equal here, which costs the area about as much as it does in
  // the calibration.
  const lost = calibration.auc === null ? 0 : calibration.auc - binnedAuc(binned.plain);
  const blocks = blocksOf(cells, priorRecords);
  const estimateOf = (figure: Figure | null) => figure && estimateFigure(figure, blocks);
  return {
    accuracy: estimateOf(accuracy),
    precision: estimateOf(precision),
    recall: estimateOf(recall),
    f1: estimateOf(f1),
    auc: estimateOf(auc && { ...auc, value: auc.value + lost }),
  };
}

/**
 * Returns a cell for each bin of scores. Bins of one step of the isotonic regression are a block.
 */
function cellsOf(
  { records: counts, squares }: BinSums,
  plain: readonly WeightedBin[],
  weighted: readonly WeightedBin[],
  { records, scores, predictedPositives, weighted: ofWindow }: UnlabelledWindow,
): Cell[] {
  const probabilities = isotonicRegression(
    weighted.map((bin, index) => labelShares(bin, plain[index]!)[positive]!),
    weighted.map(({ weight }) => weight + 1),
  );
  const blocks: { weight: number; squaredWeight: number }[] = [];
  const blockOf = probabilities.map((probability, bin) => {
    if (bin === 0 || probability !== probabilities[bin - 1])
      blocks.push({ weight: 0, squaredWeight: 0 });
    const block = blocks.at(-1)!;
    block.weight += weighted[bin]!.weight;
    block.squaredWeight += weighted[bin]!.squaredWeight;
    return blocks.length - 1;
  });
  const predicted = predictedShares(
    counts,
    ofWindow?.predictedPositives ?? (predictedPositives * scores.count) / records,
  );
  return counts.map((count, bin) => ({
    records: count,
    squares: squares[bin]!,
    predicted: [1 - predicted[bin]!, predicted[bin]!],
    labels: [1 - probabilities[bin]!, probabilities[bin]!],
    block: blockOf[bin]!,
    knownFrom: effectiveSampleSize(
      blocks[blockOf[bin]!]!.weight,
      blocks[blockOf[bin]!]!.squaredWeight,
    ),
  }));
}

/** Returns the share of each bin that is predicted positive, if the highest scores are. */
function predictedShares(counts: readonly number[], predictedPositives: number): number[] {
  const shares = new Array<number>(counts.length).fill(0);
  let left = predictedPositives;
  for (let bin = counts.length - 1; bin >= 0 && left > 0; bin--) {
    shares[bin] = counts[bin] === 0 ? 0 : Math.min(1, left / counts[bin]!);
    left -= counts[bin]!;
  }
  return shares;
}

function thresholdFigures(
  { thresholded }: QualityCalibration,
  cells: readonly Cell[],
  figuresOf: ScoredClass,
): Record<Exclude<BinaryMetric, 'auc'>, Figure | null> {
  if (!thresholded) return { accuracy: null, precision: null, recall: null, f1: null };
  const confusion = expectedConfusion(cells, 2);
  const described = figuresOf === 'scored' ? positive : negative;
  const { precision, recall, f1 } = figuresOfClass(confusion, described);
  const figureOf = (figure: ClassFigure | null) =>
    figure && macroAverage(new Map([[described, figure]]));
  return {
    accuracy: accuracyFigure(confusion),
    precision: figureOf(precision),
    recall: figureOf(recall),
    f1: figureOf(f1),
  };
}

/** The share of positives above negatives among all pairs, with ties counting half. O(cells). */
function aucFigure(cells: readonly Pick<Cell, 'records' | 'labels'>[]): Figure | null {
  const expected = (label: number) =>
    cells.reduce((sum, { records, labels }) => sum + records * labels[label]!, 0);
  const positives = expected(positive);
  const negatives = expected(negative);
  if (!(positives > 0 && negatives > 0)) return null;
  let wins = 0;
  let negativesBelow = 0;
  let positivesAbove = positives;
  const winsPerPositive = new Map(
    cells.map(cell => {
      const own = cell.records * cell.labels[positive]!;
      const below = negativesBelow + (cell.records - own) / 2;
      const above = positivesAbove - own / 2;
      wins += own * below;
      negativesBelow += cell.records - own;
      positivesAbove -= own;
      return [cell, below - above] as const;
    }),
  );
  const value = wins / (positives * negatives);
  const slope = (label: number, cell: Cell) =>
    label === positive
      ? winsPerPositive.get(cell)! / (positives * negatives) -
        value * (1 / positives - 1 / negatives)
      : 0;
  return { value, slope };
}

/** Returns the area under the ROC curve of a calibration whose scores are known by their bins. */
function binnedAuc(bins: readonly WeightedBin[]): number {
  const cells = bins.map(({ weight, labels }) => ({
    records: weight,
    labels: labels.map(ofLabel => (weight === 0 ? 0 : ofLabel / weight)),
  }));
  return aucFigure(cells)!.value;
}
