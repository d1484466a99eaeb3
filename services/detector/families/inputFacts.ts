import { variableKey } from '../blocks/windowObservation.ts';
import type { FeatureOdds } from '../significance/streamHistory.ts';
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
