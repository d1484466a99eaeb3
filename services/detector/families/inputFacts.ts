import { variableKey } from '../blocks/windowObservation.ts';
import type { FeatureOdds, MeasuredScale } from '../significance/streamHistory.ts';
import type { TestResult } from './testResult.ts';

const predictionName = 'prediction';
export const predictionKey = variableKey('output', predictionName);

/**
 * What the tests of labels and errors have to know of the inputs and outputs of the same blocks. It
 * is small plain data, so that labels that come late need the inputs no more.
 */
export interface InputFacts {
  /** Whether inputs or outputs of the block are found to be changed. */
  changed: boolean;
  /** Whether the predictions changed by more than the stream usually varies. */
  predictionsChanged: boolean;
  /** Whether the predictions were seen to vary by sampling noise alone. */
  predictionsAreSteady: boolean;
  /** As `TestOptions.standsStill`. */
  standsStill: boolean | null;
  /**
   * By how many standard deviations the inputs are expected to have moved the mean output, in the
   * order of `scales`; 0 where that is unknown.
   */
  inputsMoved: readonly number[];
  /** An upper bound of the share of predictions that changed, in the order of `scales`. */
  changedShares: readonly number[];
  features: FeatureOdds;
  /**
   * Start of the last block with which a change of the inputs began, and the number of blocks in
   * which it showed most; null before the first one.
   */
  alarm: { startMs: number; scale: number } | null;
  /** Number of families that test the inputs and outputs. */
  families: number;
}

/** What is known where no block of inputs was judged yet. */
export const noInputFacts: InputFacts = {
  changed: false,
  predictionsChanged: false,
  predictionsAreSteady: false,
  standsStill: null,
  inputsMoved: [],
  changedShares: [],
  features: { logOdds: 0, count: 0 },
  alarm: null,
  families: 0,
};

/** Returns whether any result says that the predictions changed. */
export function predictionsChanged(results: readonly TestResult[]): boolean {
  return results.some(
    ({ family, feature, changed }) =>
      changed && family === 'predictions' && feature === predictionName,
  );
}

/**
 * Returns an upper bound of the share of predictions that changed, computed from the frequency of
 * each prediction, in the order of `scales`. The total variation is at most half the root of the
 * chi-squared distance (Cauchy-Schwarz). That distance is here G minus its degrees of freedom,
 * divided by the effective number of records of the comparison.
 */
export function changedShares(measured: readonly MeasuredScale[]): number[] {
  return measured.map(({ tests }) => {
    const predictions = tests.get(predictionKey)?.plain;
    if (!predictions) return 0;
    const { statistic, degreesOfFreedom, size } = predictions;
    return Math.sqrt(Math.max(0, statistic - degreesOfFreedom) / size) / 2;
  });
}
