import { readFileSync } from 'node:fs';
import { type EstimatedMetric, estimatedMetrics, estimateQuality } from '../../services/evaluator/estimatedQuality.ts';
import { calibrateQuality } from '../../services/evaluator/qualityCalibration.ts';
import {
  addValue,
  emptyFeatureProfile,
  type FeatureProfile,
  type FeatureValue,
} from '../../services/shared/profile/featureProfile.ts';
import { addNumber, emptyNumericHistogram } from '../../services/shared/profile/numericHistogram.ts';

/** Rows by column, as nannyml.py writes them; classes are 1 and 0. */
interface Rows {
  score: number[];
  predicted: number[];
  positive: number[];
  features: Record<string, FeatureValue[]>;
}

type Series = (number | null)[];

/** One data set with NannyML's estimates. */
export interface ComparedDataSet {
  chunkSize: number;
  reference: Rows;
  analysis: Rows;
  metrics: Record<EstimatedMetric, { estimated: Series; lower: Series; upper: Series; realised: Series }>;
}

/** Of the chunks of which both tools and the truth have a value: mean absolute error, and share of realised values in the interval. */
export interface MetricComparison {
  metric: EstimatedMetric;
  chunks: number;
  error: number;
  errorOfPeer: number;
  coverage: number;
  coverageOfPeer: number;
}

export const readDataSet = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as ComparedDataSet;

/** Estimates each chunk as the evaluator does: calibrated on the reference, from profiles of the chunk. */
export function compareEstimates({ chunkSize, reference, analysis, metrics }: ComparedDataSet): MetricComparison[] {
  const records = reference.score.map((score, row) => ({
    score,
    predictedPositive: reference.predicted[row] === 1,
    positive: reference.positive[row] === 1,
    features: new Map(Object.entries(reference.features).map(([name, values]) => [name, values[row]])),
  }));
  const calibration = calibrateQuality(records);
  const estimates: ReturnType<typeof estimateQuality>[] = [];
  for (let from = 0; from < analysis.score.length; from += chunkSize)
    estimates.push(estimateQuality(calibration, profiled(analysis, from, from + chunkSize)));
  return estimatedMetrics.map(metric => {
    const { estimated, lower, upper, realised } = metrics[metric];
    const compared = realised.flatMap((truth, chunk) => {
      const ours = estimates[chunk]![metric];
      const theirs = estimated[chunk] ?? null;
      return truth === null || theirs === null || ours === null ? [] : [{ truth, ours, theirs, chunk }];
    });
    const mean = (of: (entry: (typeof compared)[number]) => number) =>
      compared.reduce((sum, entry) => sum + of(entry), 0) / compared.length;
    return {
      metric,
      chunks: compared.length,
      error: mean(({ truth, ours }) => Math.abs(ours.value - truth)),
      errorOfPeer: mean(({ truth, theirs }) => Math.abs(theirs - truth)),
      coverage: mean(({ truth, ours }) => Number(truth >= ours.lower && truth <= ours.upper)),
      coverageOfPeer: mean(({ truth, chunk }) => Number(truth >= lower[chunk]! && truth <= upper[chunk]!)),
    };
  });
}

function profiled({ score, predicted, features }: Rows, from: number, to: number) {
  const scores = emptyNumericHistogram();
  for (const value of score.slice(from, to)) addNumber(scores, value);
  const profiles = new Map<string, FeatureProfile>();
  for (const [name, values] of Object.entries(features)) {
    const profile = emptyFeatureProfile();
    for (const value of values.slice(from, to)) addValue(profile, value);
    profiles.set(name, profile);
  }
  const predictedPositives = predicted.slice(from, to).reduce((sum, value) => sum + value, 0);
  return { records: scores.count, scores, predictedPositives, features: profiles };
}
