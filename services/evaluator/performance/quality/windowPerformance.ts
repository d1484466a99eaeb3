import type { TaskDecision } from '../../../shared/task.ts';
import type { TimeWindow } from '../../../shared/timeWindow.ts';
import type { VersionName } from '../../../shared/versionKey.ts';
import type { CountedKey, Quality } from './quality.ts';

/** What the labelled predictions of a window, or of a segment of it, say about a model version. */
export interface WindowPerformance extends VersionName, TimeWindow {
  /** Empty for all predictions of the window. */
  segment: string;
  decision: TaskDecision;
  quality: Quality;
  predictions: number;
  labelled: number;
  /** Percentiles of the time between a prediction and the observation of its label. */
  delaysMs: [p50: number, p95: number];
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
