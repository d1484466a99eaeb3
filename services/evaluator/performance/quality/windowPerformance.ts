import type { OutputMeaning } from '../../../shared/output/outputMeaning.ts';
import type { TimeWindow } from '../../../shared/timeWindow.ts';
import type { VersionName } from '../../../shared/versionKey.ts';
import type { CountedKey, Quality } from './quality.ts';

/** What the labelled predictions of a window, or of a segment of it, say about a model version. */
export interface WindowPerformance extends VersionName, TimeWindow {
  /** Empty for all predictions of the window. */
  segment: string;
  meaning: OutputMeaning;
  quality: Quality;
  predictions: number;
  /** Labelled predictions that fit the meaning. */
  labelled: number;
  /** Sum of their weights. */
  weight: number;
  /** Labelled predictions that do not fit. */
  setApart: number;
  /** Up to three of them. */
  setApartExamples: readonly string[];
  /** Percentiles of the time between a prediction and the observation of its label. */
  delaysMs: [p50: number | null, p95: number | null];
  /** Sum of the values that came with the feedback; null if none came. */
  valueSum: number | null;
  /** The most frequent pairs of label and prediction; empty for a regression. */
  confusion: readonly CountedKey[];
  /** The most frequent labels; empty for a regression. */
  labelCounts: readonly CountedKey[];
  /**
   * A number that may exceed 2^53. Of two rows of a window, the one that has seen more is higher.
   */
  progress: string;
}
