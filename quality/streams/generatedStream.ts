import {
  type Feedback,
  feedbackDefaults,
  type Prediction,
  predictionDefaults,
} from '../../services/shared/contracts.ts';
import { featuresOf } from '../../services/shared/profile/features.ts';
import type { StreamTruth } from '../counting/truthFile.ts';
import { type WindowedStream, windowCounter } from '../counting/windowCounter.ts';

export interface StreamRow {
  timeMs: number;
  features: Prediction['features'];
  prediction: string;
  score: number | null;
  /** null: it never becomes known. */
  label: string | null;
}

/** A stream that is made while it is read, the same every time. */
export interface GeneratedStream {
  name: string;
  truth: StreamTruth;
  windowSizeMs: number;
  rows(): Iterable<StreamRow>;
}

/** When labels come, and how many of them. */
export interface Labelling {
  delayMs: number;
  /** Share of the rows that get a label. */
  rate: number;
}

/** Counts a stream as the services would. @returns null if it has no rows */
export function countGenerated(
  { name, windowSizeMs, rows }: GeneratedStream,
  { delayMs, rate }: Labelling,
): WindowedStream | null {
  const counter = windowCounter(windowSizeMs);
  let row = 0;
  let due = 0;
  for (const { timeMs, features, prediction, score, label } of rows()) {
    const id = String(row++);
    counter.addPrediction({
      ...predictionDefaults,
      id,
      model: name,
      version: '1',
      time: Math.floor(timeMs),
      features: featuresOf(features),
      prediction,
      score,
    });
    due += rate;
    if (label === null || due < 1) continue;
    due -= 1;
    counter.addFeedback({
      ...feedbackDefaults,
      id,
      label,
      time: Math.floor(timeMs) + delayMs,
    } satisfies Feedback);
  }
  return counter.streams()[0] ?? null;
}
