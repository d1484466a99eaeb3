import { emptyFeatureProfile, type FeatureProfile } from '../../shared/profile/featureProfile.ts';
import type { NumericHistogram } from '../../shared/profile/numericHistogram.ts';
import type { EstimableWindow, EstimationMethod } from './estimationMethod.ts';
import { estimateQuality } from './quality/estimatedQuality.ts';
import { predictedPositives } from './quality/predictedPositives.ts';
import { calibrateQuality, type QualityCalibration } from './quality/qualityCalibration.ts';
import { labelledRecords } from './store/calibrationRecords.ts';
import { profiledWindows } from './store/profiledWindows.ts';

interface BinaryWindow extends EstimableWindow {
  scores: NumericHistogram;
  predictions: FeatureProfile;
  features: ReadonlyMap<string, FeatureProfile>;
}

/** Estimates binary models from the profiles of their scores, predictions and features. */
export const binaryMethod: EstimationMethod<BinaryWindow, QualityCalibration> = {
  maxWindowsPerQuery: 50,

  async readWindows(clickhouse, windows, windowSizeMs) {
    const profiled = await profiledWindows(clickhouse, windows, windowSizeMs);
    return profiled.flatMap(({ outputs, features, ...name }) => {
      const scores = outputs.get('score')?.numeric;
      if (scores === undefined) return [];
      const predictions = outputs.get('prediction') ?? emptyFeatureProfile();
      return [{ ...name, records: scores.count, scores, predictions, features }];
    });
  },

  async calibrate(clickhouse, version, untilMs) {
    const records = await labelledRecords(clickhouse, version, version.positiveLabel!, untilMs);
    return records.length === 0 ? null : calibrateQuality(records);
  },

  estimate(calibration, { scores, predictions, features }, { positiveLabel }) {
    const positives = predictedPositives(predictions, positiveLabel!);
    if (positives === null) return null;
    const records = predictions.count;
    return estimateQuality(calibration, {
      records,
      scores,
      predictedPositives: positives,
      features,
    });
  },
};
