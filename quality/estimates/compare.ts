import { readFileSync } from 'node:fs';
import { calibrateClasses } from '../../services/evaluator/estimates/quality/classCalibration.ts';
import {
  type EstimatedMetric,
  type Estimates,
  estimatedMetrics,
} from '../../services/evaluator/estimates/quality/estimate.ts';
import { estimateClassQuality } from '../../services/evaluator/estimates/quality/estimatedClassQuality.ts';
import { estimateLoss } from '../../services/evaluator/estimates/quality/estimatedLoss.ts';
import { estimateQuality } from '../../services/evaluator/estimates/quality/estimatedQuality.ts';
import {
  calibrateLoss,
  type PredictedNumber,
} from '../../services/evaluator/estimates/quality/lossCalibration.ts';
import { calibrateQuality } from '../../services/evaluator/estimates/quality/qualityCalibration.ts';
import { runInTurns } from '../../services/evaluator/estimates/runInTurns.ts';
import {
  addValue,
  emptyFeatureProfile,
  type FeatureProfile,
  type FeatureValue,
} from '../../services/shared/profile/featureProfile.ts';
import {
  addNumber,
  emptyNumericHistogram,
  type NumericHistogram,
} from '../../services/shared/profile/numericHistogram.ts';
import type { Task } from '../../services/shared/task.ts';

/** Rows by column, in the form in which nannyml.py writes them. */
interface Rows<Output> {
  predicted: Output[];
  label: Output[];
  features: Record<string, FeatureValue[]>;
}

interface ClassifiedRows extends Rows<string> {
  /** Probability of class 1 if the task is binary, else that of the predicted class. */
  score: number[];
}

type Series = (number | null)[];

/** A data set with NannyML's estimates. */
export type ComparedDataSet = {
  chunkSize: number;
  metrics: Partial<
    Record<EstimatedMetric, { estimated: Series; lower: Series; upper: Series; realised: Series }>
  >;
} & (
  | { task: Exclude<Task, 'regression'>; reference: ClassifiedRows; analysis: ClassifiedRows }
  | { task: 'regression'; reference: Rows<number>; analysis: Rows<number> }
);

/** How near the estimates of a metric come to the realised values. */
export interface MetricComparison {
  metric: EstimatedMetric;
  /** Number of chunks for which both tools have an estimate and the realised value is defined. */
  chunks: number;
  /** Mean absolute error of Driftloop's estimates. */
  error: number;
  /** Mean absolute error of NannyML's estimates. */
  errorOfPeer: number;
  /** Share of realised values in Driftloop's intervals. */
  coverage: number;
  /** Share of realised values in NannyML's intervals. */
  coverageOfPeer: number;
}

/** Reads a data set that nannyml.py has written. */
export const readDataSet = (path: string) =>
  JSON.parse(readFileSync(path, 'utf8')) as ComparedDataSet;

/**
 * Estimates each chunk as the evaluator does, and compares the estimates with NannyML's. The
 * calibration is made from the reference. A classifier is estimated from the profiles of a chunk, a
 * regression from its rows.
 */
export async function compareEstimates(dataSet: ComparedDataSet): Promise<MetricComparison[]> {
  const estimates = await estimatesOf(dataSet);
  return estimatedMetrics(dataSet.task).flatMap(metric => {
    const series = dataSet.metrics[metric];
    if (series === undefined) return [];
    const compared = series.realised.flatMap((truth, chunk) => {
      const ours = estimates[chunk]![metric] ?? null;
      const theirs = series.estimated[chunk] ?? null;
      return truth === null || theirs === null || ours === null
        ? []
        : [{ truth, ours, theirs, chunk }];
    });
    const mean = (of: (entry: (typeof compared)[number]) => number) =>
      compared.reduce((sum, entry) => sum + of(entry), 0) / compared.length;
    return {
      metric,
      chunks: compared.length,
      error: mean(({ truth, ours }) => Math.abs(ours.value - truth)),
      errorOfPeer: mean(({ truth, theirs }) => Math.abs(theirs - truth)),
      coverage: mean(({ truth, ours }) => Number(truth >= ours.lower && truth <= ours.upper)),
      coverageOfPeer: mean(({ truth, chunk }) =>
        Number(truth >= series.lower[chunk]! && truth <= series.upper[chunk]!),
      ),
    };
  });
}

async function estimatesOf(dataSet: ComparedDataSet): Promise<Estimates[]> {
  if (dataSet.task === 'regression') return regressionEstimates(dataSet);
  const { task, chunkSize, reference, analysis } = dataSet;
  const estimateOf =
    task === 'binary' ? binaryEstimator(reference) : multiclassEstimator(reference);
  return chunkStarts(analysis, chunkSize).map(from =>
    estimateOf(slice(analysis, from, from + chunkSize)),
  );
}

const chunkStarts = ({ label }: Rows<unknown>, chunkSize: number) =>
  Array.from({ length: Math.ceil(label.length / chunkSize) }, (_, chunk) => chunk * chunkSize);

async function regressionEstimates({
  chunkSize,
  reference,
  analysis,
}: ComparedDataSet & { task: 'regression' }): Promise<Estimates[]> {
  const calibration = await runInTurns(
    calibrateLoss(
      reference.label.map((label, row) => ({
        predicted: reference.predicted[row]!,
        label,
        features: featuresOf(reference, row),
      })),
    ),
  );
  const records = analysis.predicted.map(
    (predicted, row): PredictedNumber => ({ predicted, features: featuresOf(analysis, row) }),
  );
  return chunkStarts(analysis, chunkSize).map(from => {
    const sample = records.slice(from, from + chunkSize);
    return estimateLoss(calibration, { records: sample.length, sample });
  });
}

function binaryEstimator(reference: ClassifiedRows): (chunk: ClassifiedRows) => Estimates {
  const calibration = calibrateQuality(
    reference.score.map((score, row) => ({
      score,
      predictedPositive: reference.predicted[row] === '1',
      positive: reference.label[row] === '1',
      features: featuresOf(reference, row),
    })),
  );
  return chunk =>
    estimateQuality(calibration, {
      records: chunk.score.length,
      scores: histogramOf(chunk.score),
      predictedPositives: chunk.predicted.filter(name => name === '1').length,
      features: profilesOf(chunk),
    });
}

function multiclassEstimator(reference: ClassifiedRows): (chunk: ClassifiedRows) => Estimates {
  const calibration = calibrateClasses(
    reference.score.map((confidence, row) => ({
      predicted: reference.predicted[row]!,
      confidence,
      label: reference.label[row]!,
      features: featuresOf(reference, row),
    })),
  );
  return chunk => {
    const byClass = Map.groupBy(chunk.score.keys(), row => chunk.predicted[row]!);
    const confidences = new Map(
      [...byClass].map(([name, rows]) => [name, histogramOf(rows.map(row => chunk.score[row]!))]),
    );
    return estimateClassQuality(calibration, {
      records: chunk.score.length,
      confidences,
      features: profilesOf(chunk),
    });
  };
}

const slice = (
  { score, predicted, label, features }: ClassifiedRows,
  from: number,
  to: number,
): ClassifiedRows => ({
  score: score.slice(from, to),
  predicted: predicted.slice(from, to),
  label: label.slice(from, to),
  features: Object.fromEntries(
    Object.entries(features).map(([name, values]) => [name, values.slice(from, to)]),
  ),
});

const featuresOf = ({ features }: Rows<unknown>, row: number) =>
  new Map(Object.entries(features).map(([name, values]) => [name, values[row]]));

function histogramOf(numbers: readonly number[]): NumericHistogram {
  const histogram = emptyNumericHistogram();
  for (const number of numbers) addNumber(histogram, number);
  return histogram;
}

function profilesOf({ features }: Rows<unknown>): Map<string, FeatureProfile> {
  return new Map(
    Object.entries(features).map(([name, values]) => {
      const profile = emptyFeatureProfile();
      for (const value of values) addValue(profile, value);
      return [name, profile];
    }),
  );
}
