import type { FeatureProfile } from '../../shared/profile/featureProfile.ts';
import type { NumericHistogram } from '../../shared/profile/numericHistogram.ts';
import { isotonicRegression } from '../../shared/statistics/isotonicRegression.ts';
import { type BinaryMetric, type Estimate, estimateWithin } from './estimate.ts';
import {
  binnedCalibration,
  type QualityCalibration,
  type ScoreBin,
  weightedBins,
} from './qualityCalibration.ts';
import { countsPerBin } from './scoreBins.ts';

/** What is known of a window of a binary model without labels. */
export interface UnlabelledWindow {
  records: number;
  scores: NumericHistogram;
  predictedPositives: number;
  features: ReadonlyMap<string, FeatureProfile>;
}

/** Records of a window that share a bin of scores. */
interface Cell {
  records: number;
  /** Share of them that is predicted positive. */
  predicted: number;
  /** Probability of being positive. */
  probability: number;
  /** Cells of one block share their probability, and so its error; records of the calibration that it is known from. */
  block: number;
  knownFrom: number;
}

/** A figure, and by how much it grows with each further positive in a cell. */
interface Figure {
  value: number;
  slopes: number[];
}

/**
 * Quality of a window before its labels are known: how many of its records are positive follows from their scores, as far as a score
 * means what it meant in the calibration. Confidence-based performance estimation (Kivimäki, Białek, Kuberski, Nurminen, arXiv 2505.05295;
 * NannyML's CBPE) with isotonic calibration (Zadrozny, Elkan, KDD 2002), whose records are first weighted so that their features are
 * distributed as those of the window (`featureMatching`). It cannot see that the same inputs now have other labels.
 *
 * @returns null for a figure that cannot be said: undefined (no record is predicted positive), or predictions do not follow from scores
 */
export function estimateQuality(
  calibration: QualityCalibration,
  window: UnlabelledWindow,
): Record<BinaryMetric, Estimate | null> {
  const binned = binnedCalibration(calibration, window.scores);
  const { bins, plain } = binned;
  const weighted = weightedBins(
    calibration,
    binned,
    calibration.matching.weights(window.features, window.records),
  );
  const cells = cellsOf(countsPerBin(bins, window.scores), plain, weighted, window);
  const curve = aucFigure(cells);
  // Scores that share a bin count as equal here, which costs the area about as much as it does in the calibration.
  const lost = calibration.auc === null ? 0 : calibration.auc - binnedAuc(plain);
  const ofThreshold = calibration.thresholded ? thresholdFigures(cells) : null;
  return {
    accuracy: estimateOf(ofThreshold?.accuracy, cells),
    precision: estimateOf(ofThreshold?.precision, cells),
    recall: estimateOf(ofThreshold?.recall, cells),
    f1: estimateOf(ofThreshold?.f1, cells),
    auc: estimateOf(curve && { ...curve, value: curve.value + lost }, cells),
  };
}

function cellsOf(
  counts: readonly number[],
  plain: readonly ScoreBin[],
  weighted: readonly ScoreBin[],
  { records, scores, predictedPositives }: UnlabelledWindow,
): Cell[] {
  // One record at the unweighted rate: a bin whose records have no weight keeps its rate.
  const rates = weighted.map(({ weight, positives }, bin) => {
    const before = plain[bin]!;
    return (
      (positives + (before.weight === 0 ? 0.5 : before.positives / before.weight)) / (weight + 1)
    );
  });
  const probabilities = isotonicRegression(
    rates,
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
  const predicted = predictedShares(counts, (predictedPositives * scores.count) / records);
  return counts.map((count, bin) => {
    const { weight, squaredWeight } = blocks[blockOf[bin]!]!;
    return {
      records: count,
      predicted: predicted[bin]!,
      probability: probabilities[bin]!,
      block: blockOf[bin]!,
      knownFrom: squaredWeight === 0 ? 0 : (weight * weight) / squaredWeight,
    };
  });
}

/** Per bin: the records with the highest scores are those predicted positive. */
function predictedShares(counts: readonly number[], predictedPositives: number): number[] {
  const shares = new Array<number>(counts.length).fill(0);
  let left = predictedPositives;
  for (let bin = counts.length - 1; bin >= 0 && left > 0; bin--) {
    shares[bin] = counts[bin] === 0 ? 0 : Math.min(1, left / counts[bin]!);
    left -= counts[bin]!;
  }
  return shares;
}

type ThresholdMetric = Exclude<BinaryMetric, 'auc'>;

function thresholdFigures(cells: readonly Cell[]): Record<ThresholdMetric, Figure | null> {
  let records = 0;
  let predicted = 0;
  let positives = 0;
  let hits = 0;
  for (const cell of cells) {
    records += cell.records;
    predicted += cell.records * cell.predicted;
    positives += cell.records * cell.probability;
    hits += cell.records * cell.predicted * cell.probability;
  }
  const slopes = (of: (share: number) => number) => cells.map(cell => of(cell.predicted));
  const both = predicted + positives;
  return {
    accuracy: {
      value: 1 - (both - 2 * hits) / records,
      slopes: slopes(share => (2 * share - 1) / records),
    },
    precision:
      predicted > 0
        ? { value: hits / predicted, slopes: slopes(share => share / predicted) }
        : null,
    recall:
      positives > 0
        ? {
            value: hits / positives,
            slopes: slopes(share => (share * positives - hits) / positives ** 2),
          }
        : null,
    f1:
      both > 0
        ? {
            value: (2 * hits) / both,
            slopes: slopes(share => (2 * share * both - 2 * hits) / both ** 2),
          }
        : null,
  };
}

/** Positives above negatives, ties counting half, of all pairs. */
function aucFigure(cells: readonly Cell[]): Figure | null {
  const positives = cells.reduce((sum, { records, probability }) => sum + records * probability, 0);
  const negatives = cells.reduce(
    (sum, { records, probability }) => sum + records * (1 - probability),
    0,
  );
  if (!(positives > 0 && negatives > 0)) return null;
  let wins = 0;
  let negativesBelow = 0;
  let positivesAbove = positives;
  const winsPerPositive = cells.map(({ records, probability }) => {
    const own = records * probability;
    const below = negativesBelow + (records - own) / 2;
    const above = positivesAbove - own / 2;
    wins += own * below;
    negativesBelow += records - own;
    positivesAbove -= own;
    return below - above;
  });
  const value = wins / (positives * negatives);
  const slopes = winsPerPositive.map(
    gained => gained / (positives * negatives) - value * (1 / positives - 1 / negatives),
  );
  return { value, slopes };
}

function binnedAuc(bins: readonly ScoreBin[]): number {
  const cells = bins.map(({ weight, positives }) => ({
    records: weight,
    predicted: 0,
    probability: weight === 0 ? 0 : positives / weight,
    block: 0,
    knownFrom: 0,
  }));
  return aucFigure(cells)!.value;
}

/**
 * With the variance of which records of the window are positive, and of how well their probability is known, carried over to the figure
 * by its slopes (delta method). A rate of 0 or 1 is not certain: (k + 1) / (n + 2) stands for it in the variance.
 */
function estimateOf(figure: Figure | null | undefined, cells: readonly Cell[]): Estimate | null {
  if (!figure) return null;
  let variance = 0;
  const shared = new Map<number, { slope: number; spread: number; knownFrom: number }>();
  for (const [index, { records, probability, block, knownFrom }] of cells.entries()) {
    const rate = (probability * knownFrom + 1) / (knownFrom + 2);
    const spread = rate * (1 - rate);
    const slope = figure.slopes[index]! * records;
    variance += figure.slopes[index]! * slope * spread;
    const before = shared.get(block)?.slope ?? 0;
    shared.set(block, { slope: before + slope, spread, knownFrom });
  }
  for (const { slope, spread, knownFrom } of shared.values())
    variance += (slope * slope * spread) / (knownFrom + 2);
  return estimateWithin(figure.value, variance);
}
