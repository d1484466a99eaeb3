import { type OutputMeaning, spellingsOf } from '../../shared/output/outputMeaning.ts';
import { bucketKey, finestMantissaBits } from '../../shared/profile/bucketKey.ts';
import { emptyFeatureProfile, type FeatureProfile } from '../../shared/profile/featureProfile.ts';
import type { NumericHistogram } from '../../shared/profile/numericHistogram.ts';
import { sortedBuckets } from '../../shared/profile/sortedBuckets.ts';
import { versionKey } from '../../shared/versionKey.ts';
import type { EstimableWindow, EstimationMethod } from './estimationMethod.ts';
import { estimateQuality } from './quality/estimatedQuality.ts';
import { predictedRecords } from './quality/predictedRecords.ts';
import { calibrateQuality, type QualityCalibration } from './quality/qualityCalibration.ts';
import { labelledRecords } from './store/calibrationRecords.ts';
import { profiledWindows } from './store/profiledWindows.ts';
import { windowKey } from './store/rowsByWindow.ts';
import { type WeightedWindow, weightedWindows } from './store/weightedWindows.ts';

interface BinaryWindow extends EstimableWindow {
  outputs: ReadonlyMap<string, FeatureProfile>;
  features: ReadonlyMap<string, FeatureProfile>;
  /** Absent if all weights are 1. */
  weighted: WeightedWindow | undefined;
}

/** Estimates binary models from the profiles of their scores, predictions and features. */
export const binaryMethod: EstimationMethod<BinaryWindow, QualityCalibration> = {
  maxWindowsPerQuery: 50,

  async readWindows(clickhouse, windows, windowSizeMs) {
    const meanings = new Map(windows.map(window => [versionKey(window), window.meaning]));
    const profiled = await profiledWindows(clickhouse, windows, windowSizeMs);
    const weighted = await weightedWindows(clickhouse, windows, windowSizeMs);
    return profiled.flatMap(({ outputs, features, ...name }) => {
      const ofWeights = weighted.get(windowKey(name, name.startMs));
      const scores = outputs.get(scoredOutput(meanings.get(versionKey(name))!))?.numeric;
      return scores
        ? [{ ...name, records: scores.count, outputs, features, weighted: ofWeights }]
        : [];
    });
  },

  async calibrate(clickhouse, version, untilMs) {
    const records = await labelledRecords(clickhouse, version, untilMs);
    return records.length === 0 ? null : calibrateQuality(records);
  },

  estimate(calibration, { outputs, features, weighted }, { meaning }) {
    const predictions = outputs.get('prediction') ?? emptyFeatureProfile();
    const { numeric: scores } = outputs.get(scoredOutput(meaning))!;
    const predicted =
      meaning.predictionIs === 'class'
        ? predictedRecords(predictions, spellingsOf(meaning, meaning.scoreOf))
        : recordsFrom(scores, meaning.threshold);
    if (predicted === null) return null;
    const window = {
      records: predictions.count,
      scores,
      predictedPositives: predicted,
      features,
      weighted,
    };
    const figuresOf = meaning.scoreOf === meaning.positiveLabel ? 'scored' : 'other';
    return estimateQuality(calibration, window, figuresOf);
  },
};

/** The output whose profile has the scores. */
const scoredOutput = ({ predictionIs }: OutputMeaning) =>
  predictionIs === 'class' ? 'score' : 'prediction';

/** Counts the numbers from a threshold on, as far as the buckets tell. */
function recordsFrom(scores: NumericHistogram, threshold: number | null): number | null {
  if (threshold === null) return null;
  const from = bucketKey(threshold) >> (finestMantissaBits - scores.mantissaBits);
  const { keys, counts } = sortedBuckets(scores, scores.mantissaBits);
  return keys.reduce((sum, key, index) => sum + (key >= from ? counts[index]! : 0), 0);
}
