import {
  type Feedback,
  feedbackDefaults,
  type Prediction,
  predictionDefaults,
} from '../../services/shared/contracts.ts';
import { type Features, featuresOf } from '../../services/shared/profile/features.ts';
import type { StreamTruth } from '../counting/truthFile.ts';
import { type WindowedStream, windowCounter } from '../counting/windowCounter.ts';
import type { Expectation } from './expectation.ts';

export interface StreamRow {
  timeMs: number;
  features: Prediction['features'];
  prediction: string | number;
  score: number | null;
  /** null: it never becomes known. */
  label: string | number | null;
  codeVersion?: string;
  segment?: Record<string, string> | null;
}

/** A stream that is made while it is read, the same every time. */
export interface GeneratedStream {
  name: string;
  truth: StreamTruth;
  windowSizeMs: number;
  /** What a person wants to be told, where that says more than the truth. */
  expectation?: Expectation;
  /** When labels come, where the track does not say it for all streams. */
  labelling?: Labelling;
  /** Segments that are declared in the settings. */
  segments?: readonly string[];
  /** Whether its counted windows are worth keeping for the next run. */
  isKept?: boolean;
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
  { name, windowSizeMs, segments = [], rows }: GeneratedStream,
  { delayMs, rate }: Labelling,
): WindowedStream | null {
  const counter = windowCounter(windowSizeMs, segments);
  let row = 0;
  let due = 0;
  let last: Features = { names: [], values: [] };
  for (const { timeMs, features, prediction, score, label, codeVersion, segment } of rows()) {
    const id = String(row++);
    last = withSharedNames(featuresOf(features), last);
    counter.addPrediction({
      ...predictionDefaults,
      id,
      model: name,
      version: '1',
      time: Math.floor(timeMs),
      features: last,
      prediction,
      score,
      segment: segment ?? null,
      codeVersion: codeVersion ?? null,
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

/** Returns features with the array of names of the ones before, if these are the same. */
function withSharedNames(features: Features, before: Features): Features {
  const { names, values } = features;
  const isSame =
    names.length === before.names.length &&
    names.every((name, index) => name === before.names[index]);
  return isSame ? { names: before.names, values } : features;
}
