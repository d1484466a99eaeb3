import type { FeatureProfile } from '../../shared/profile/featureProfile.ts';
import type { EstimableWindow, EstimationMethod } from './estimationMethod.ts';
import { type ClassCalibration, calibrateClasses } from './quality/classCalibration.ts';
import { estimateClassQuality } from './quality/estimatedClassQuality.ts';
import { classifiedRecords } from './store/calibrationRecords.ts';
import { type Confidences, confidencesOf } from './store/confidences.ts';
import { profiledWindows } from './store/profiledWindows.ts';
import { windowKey } from './store/rowsByWindow.ts';

interface MulticlassWindow extends EstimableWindow {
  predictions: number;
  confidences: Confidences;
  features: ReadonlyMap<string, FeatureProfile>;
}

const noConfidences: Confidences = { counted: new Map() };

/**
 * Estimates multiclass models from the probabilities of what they predicted, and their features.
 */
export const multiclassMethod: EstimationMethod<MulticlassWindow, ClassCalibration> = {
  maxWindowsPerQuery: 50,

  async readWindows(clickhouse, windows, windowSizeMs) {
    const confidences = await confidencesOf(clickhouse, windows, windowSizeMs);
    const profiled = await profiledWindows(clickhouse, windows, windowSizeMs);
    return profiled.map(({ outputs, features, ...name }) => {
      const ofWindow = confidences.get(windowKey(name, name.startMs)) ?? noConfidences;
      return {
        ...name,
        records: [...ofWindow.counted.values()].reduce((sum, { count }) => sum + count, 0),
        predictions: outputs.get('prediction')?.count ?? 0,
        confidences: ofWindow,
        features,
      };
    });
  },

  async calibrate(clickhouse, version, untilMs) {
    const records = await classifiedRecords(clickhouse, version, untilMs);
    return records.length === 0 ? null : calibrateClasses(records);
  },

  estimate: (calibration, { predictions, confidences, features }) =>
    estimateClassQuality(calibration, {
      records: predictions,
      confidences: confidences.counted,
      weighted: confidences.weighted,
      features,
    }),
};
