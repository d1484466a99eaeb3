import type { FeatureProfile } from '../../../shared/profile/featureProfile.ts';
import type { NumericHistogram } from '../../../shared/profile/numericHistogram.ts';
import { effectiveSampleSize } from '../../../shared/statistics/effectiveSampleSize.ts';
import type { ClassCalibration, PredictedClass } from './classCalibration.ts';
import type { ClassMetric, Estimate } from './estimate.ts';
import {
  accuracyFigure,
  type ClassFigures,
  type ExpectedConfusion,
  expectedConfusion,
  figuresOfClass,
  macroAverage,
} from './expectedConfusion.ts';
import { blocksOf, type Cell, estimateFigure, type Figure } from './figure.ts';
import { binRecords, labelShares, weightedBins } from './weightedBins.ts';
import { sumsPerBin, type WeightedScores } from './weightedScores.ts';

/** What is known about a window of a multiclass model without labels. */
export interface UnlabelledClasses {
  records: number;
  /** Confidences by predicted class. */
  confidences: ReadonlyMap<string, NumericHistogram>;
  /** The same records with their weights; absent if all weights are 1. */
  weighted?: ReadonlyMap<string, WeightedScores> | undefined;
  features: ReadonlyMap<string, FeatureProfile>;
}

/**
 * A window is not estimated if a larger share of its records has a predicted class that the
 * calibration never predicted.
 */
const maxUnknownShare = 0.01;
/** A class with fewer expected labels, and no predictions, does not occur. */
const minExpectedLabels = 0.5;
const priorRecords = 1;

/**
 * Estimates the quality of a window of a multiclass model before its labels are known, as
 * `estimateQuality` does for two classes. Among weighted records of the calibration with the same
 * predicted class and about the same confidence, it counts how often each class is the label
 * (histogram binning: Zadrozny, Elkan, ICML 2001). These shares times the records of the window are
 * its expected confusion matrix. Precision, recall and F1 are macro averages of it.
 *
 * @returns null if too many records have a predicted class that the calibration does not know
 */
export function estimateClassQuality(
  calibration: ClassCalibration,
  window: UnlabelledClasses,
): Record<ClassMetric, Estimate | null> {
  const weights = calibration.matching.weights(window.features, window.records);
  const cells: Cell[] = [];
  let unknown = 0;
  for (const [name, confidences] of window.confidences) {
    const ofClass = calibration.predicted.get(name);
    const weighted = window.weighted?.get(name);
    if (!ofClass) {
      unknown += weighted?.weights.reduce((sum, weight) => sum + weight, 0) ?? confidences.count;
    } else {
      const index = calibration.classes.indexOf(name);
      for (const cell of cellsOf(index, ofClass, { confidences, weighted }, weights))
        cells.push({ ...cell, block: cells.length });
    }
  }
  const confusion = expectedConfusion(cells, calibration.classes.length);
  if (unknown > maxUnknownShare * (confusion.records + unknown))
    return { accuracy: null, precision: null, recall: null, f1: null };
  const blocks = blocksOf(cells, priorRecords);
  const estimateOf = (figure: Figure) => estimateFigure(figure, blocks);
  return {
    accuracy: estimateOf(accuracyFigure(confusion)),
    precision: estimateOf(macroFigure(confusion, 'precision')),
    recall: estimateOf(macroFigure(confusion, 'recall')),
    f1: estimateOf(macroFigure(confusion, 'f1')),
  };
}

/** Returns a cell for each bin of the confidences with which one class is predicted. */
function cellsOf(
  predictedClass: number,
  records: PredictedClass,
  window: { confidences: NumericHistogram; weighted: WeightedScores | undefined },
  weights: Float64Array,
): Omit<Cell, 'block'>[] {
  const binned = binRecords(records, window.confidences);
  const ownWeights = records.places.map(place => weights[place]!);
  const weighted = weightedBins(records, binned, ownWeights);
  const predicted = Array.from({ length: records.classCount }, (_, name) =>
    Number(name === predictedClass),
  );
  const sums = sumsPerBin(binned.bins, window.confidences, window.weighted);
  return sums.records.map((count, bin) => ({
    records: count,
    squares: sums.squares[bin]!,
    predicted,
    labels: labelShares(weighted[bin]!, binned.plain[bin]!),
    knownFrom: effectiveSampleSize(weighted[bin]!.weight, weighted[bin]!.squaredWeight),
  }));
}

/** Returns the mean of a metric over the classes that occur. */
function macroFigure(confusion: ExpectedConfusion, metric: keyof ClassFigures): Figure {
  const occurring = [...confusion.labelled.keys()].filter(
    name => confusion.predicted[name]! > 0 || confusion.labelled[name]! >= minExpectedLabels,
  );
  return macroAverage(
    new Map(occurring.map(name => [name, figuresOfClass(confusion, name)[metric]])),
  );
}
