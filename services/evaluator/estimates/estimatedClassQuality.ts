import type { FeatureProfile } from '../../shared/profile/featureProfile.ts';
import type { NumericHistogram } from '../../shared/profile/numericHistogram.ts';
import type { ClassCalibration, PredictedClass } from './classCalibration.ts';
import { type BinaryMetric, type Estimate, estimateWithin } from './estimate.ts';
import { binOfScore, countsPerBin, scoreBins } from './scoreBins.ts';

/** What is known of a window of a multiclass model without labels. */
export interface UnlabelledClasses {
  records: number;
  /** Confidences by predicted class. */
  confidences: ReadonlyMap<string, NumericHistogram>;
  features: ReadonlyMap<string, FeatureProfile>;
}

export type ClassMetric = Exclude<BinaryMetric, 'auc'>;

/** Records of a window with the same predicted class in a bin of confidence. */
interface Cell {
  predicted: number;
  records: number;
  /** Probability of each class to be the label. */
  shares: number[];
  /** Records of the calibration that they are known from. */
  knownFrom: number;
}

/** A figure, and by how much it grows with a record of a label and a predicted class. */
interface Figure {
  value: number;
  slope(label: number, predicted: number): number;
}

const mostBins = 50;
/** A window with more records than this share of classes that the calibration never predicted is not estimated. */
const mostUnknown = 0.01;

/**
 * As `estimateQuality`, for more than two classes: among weighted records of the calibration with the same predicted class and about the
 * same confidence, how often is each class the label? (Histogram binning: Zadrozny, Elkan, ICML 2001.) Their shares times the records of
 * the window are its expected confusion matrix; precision, recall and F1 are macro averages of it.
 *
 * @returns null where a class was predicted that the calibration does not know
 */
export function estimateClassQuality(
  calibration: ClassCalibration,
  window: UnlabelledClasses,
): Record<ClassMetric, Estimate | null> {
  const weights = calibration.matching.weights(window.features, window.records);
  const cells: Cell[] = [];
  let unknown = 0;
  for (const [name, confidences] of window.confidences) {
    const of = calibration.predicted.get(name);
    if (of)
      cells.push(
        ...cellsOf(calibration, calibration.classes.indexOf(name), of, confidences, weights),
      );
    else unknown += confidences.count;
  }
  const known = cells.reduce((sum, { records }) => sum + records, 0);
  if (unknown > mostUnknown * (known + unknown))
    return { accuracy: null, precision: null, recall: null, f1: null };
  const { accuracy, precision, recall, f1 } = figuresOf(cells, calibration.classes.length, known);
  return {
    accuracy: estimateOf(accuracy, cells),
    precision: estimateOf(precision, cells),
    recall: estimateOf(recall, cells),
    f1: estimateOf(f1, cells),
  };
}

function cellsOf(
  { classes }: ClassCalibration,
  predicted: number,
  { confidences, places, keys, labels }: PredictedClass,
  window: NumericHistogram,
  weights: Float64Array,
): Cell[] {
  const bins = scoreBins(confidences, window, mostBins);
  const empty = () => ({
    plain: 0,
    weight: 0,
    squared: 0,
    plainOf: zeros(classes.length),
    of: zeros(classes.length),
  });
  const sums = Array.from({ length: bins.uppers.length + 1 }, empty);
  for (const [index, place] of places.entries()) {
    const sum = sums[binOfScore(bins, keys[index]!)]!;
    const weight = weights[place]!;
    sum.plain++;
    sum.plainOf[labels[index]!]!++;
    sum.weight += weight;
    sum.squared += weight * weight;
    sum.of[labels[index]!]! += weight;
  }
  return countsPerBin(bins, window).map((records, bin) => {
    const { plain, plainOf, weight, squared, of } = sums[bin]!;
    // One record at the unweighted shares: a bin whose records have no weight keeps them.
    const shares = of.map(
      (value, label) =>
        (value + (plain === 0 ? 1 / of.length : plainOf[label]! / plain)) / (weight + 1),
    );
    return {
      predicted,
      records,
      shares,
      knownFrom: squared === 0 ? 0 : (weight * weight) / squared,
    };
  });
}

function figuresOf(
  cells: readonly Cell[],
  classes: number,
  records: number,
): Record<ClassMetric, Figure> {
  const predicted = zeros(classes);
  const labelled = zeros(classes);
  const hits = zeros(classes);
  for (const cell of cells) {
    predicted[cell.predicted]! += cell.records;
    hits[cell.predicted]! += cell.records * cell.shares[cell.predicted]!;
    for (const [label, share] of cell.shares.entries()) labelled[label]! += cell.records * share;
  }
  // Less than half a record of a class is expected to be none.
  const occurring = labelled.map((count, name) => predicted[name]! > 0 || count >= 0.5);
  const weight = 1 / occurring.filter(Boolean).length;
  const ratio = (part: number, whole: number) => (whole > 0 ? part / whole : 0);
  const macro = (of: (name: number) => number) =>
    occurring.reduce((sum, occurs, name) => sum + (occurs ? weight * of(name) : 0), 0);
  const ofOccurring = (name: number, slope: number) => (occurring[name] ? weight * slope : 0);
  const both = (name: number) => predicted[name]! + labelled[name]!;
  return {
    accuracy: {
      value: hits.reduce((sum, count) => sum + count, 0) / records,
      slope: (label, given) => Number(label === given) / records,
    },
    precision: {
      value: macro(name => ratio(hits[name]!, predicted[name]!)),
      slope: (label, given) =>
        label === given ? ofOccurring(label, ratio(1, predicted[label]!)) : 0,
    },
    recall: {
      value: macro(name => ratio(hits[name]!, labelled[name]!)),
      slope: (label, given) =>
        ofOccurring(
          label,
          ratio(Number(label === given) * labelled[label]! - hits[label]!, labelled[label]! ** 2),
        ),
    },
    f1: {
      value: macro(name => ratio(2 * hits[name]!, both(name))),
      slope: (label, given) =>
        ofOccurring(
          label,
          ratio(2 * (Number(label === given) * both(label) - hits[label]!), both(label) ** 2),
        ),
    },
  };
}

/** Variance of the labels in each cell (multinomial), and of how well their shares are known; carried over by the slopes (delta method). */
function estimateOf(figure: Figure, cells: readonly Cell[]): Estimate {
  let variance = 0;
  for (const { predicted, records, shares, knownFrom } of cells) {
    let mean = 0;
    let square = 0;
    for (const [label, share] of shares.entries()) {
      const probability = (share * knownFrom + 1 / shares.length) / (knownFrom + 1);
      const slope = figure.slope(label, predicted);
      mean += probability * slope;
      square += probability * slope * slope;
    }
    variance += (square - mean * mean) * (records + (records * records) / (knownFrom + 2));
  }
  return estimateWithin(figure.value, variance);
}

const zeros = (length: number) => new Array<number>(length).fill(0);
