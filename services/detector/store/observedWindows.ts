import { mostFrequentFirst } from '../../shared/mostFrequentFirst.ts';
import { mergeFeatureProfiles } from '../../shared/profile/featureProfile.ts';
import { fromProfileRow, type ProfileRow } from '../../shared/profile/profileRow.ts';
import {
  fromSampleRow,
  mergeSampledRecords,
  type SampleRow,
} from '../../shared/profile/recordSample.ts';
import {
  observationOfProfiles,
  type VariableKind,
  type WindowObservation,
  type WindowPerformance,
} from '../blocks/windowObservation.ts';
import { judgedWindowKey } from './judgedWindow.ts';

/** Windows of a version, by start and then by segment. */
export type ObservedWindows = Map<number, Map<string, WindowObservation>>;

export interface StoredProfile extends ProfileRow {
  segment: string;
  start_ms: number;
  kind: VariableKind | 'operation';
  feature: string;
}

export interface StoredPerformance {
  segment: string;
  start_ms: number;
  task: WindowPerformance['task'];
  labelled: number;
  loss_sum: number;
  loss_square_sum: number;
  label_counts: Record<string, number>;
  /** Counts by label→prediction. */
  confusion: Record<string, number>;
}

export interface StoredSample extends SampleRow {
  start_ms: number;
}

/**
 * Makes windows of the rows of one version.
 * @param profiles ordered so that those of one variable of a window stand together
 */
export function observedWindows(
  profiles: readonly StoredProfile[],
  performance: readonly StoredPerformance[],
  samples: readonly StoredSample[],
  windowSizeMs: number,
): ObservedWindows {
  const performanceOf = new Map(
    performance.map(row => [judgedWindowKey(row.segment, row.start_ms), row]),
  );
  const samplesOf = Map.groupBy(samples, ({ start_ms }) => start_ms);
  const windows: ObservedWindows = new Map();
  for (const rows of Map.groupBy(profiles, row =>
    judgedWindowKey(row.segment, row.start_ms),
  ).values()) {
    const { segment, start_ms: startMs } = rows[0]!;
    const segments = windows.get(startMs) ?? new Map();
    windows.set(startMs, segments);
    const ofWindow = performanceOf.get(judgedWindowKey(segment, startMs));
    const sampled = segment === '' ? samplesOf.get(startMs) : undefined;
    segments.set(segment, observationOf(rows, ofWindow, sampled, windowSizeMs));
  }
  return windows;
}

/**
 * Makes the observation of one window and segment, or of one part of a reference.
 * @param rows ordered so that those of one variable stand together
 */
export function observationOf(
  rows: readonly StoredProfile[],
  performance: StoredPerformance | undefined,
  samples: readonly StoredSample[] | undefined,
  windowSizeMs: number,
): WindowObservation {
  const { start_ms: startMs } = rows[0]!;
  const profiles = [...Map.groupBy(rows, ({ kind, feature }) => `${kind}/${feature}`).values()].map(
    ofVariable => ({
      kind: ofVariable[0]!.kind,
      name: ofVariable[0]!.feature,
      profile: mergeFeatureProfiles(...ofVariable.map(fromProfileRow)),
    }),
  );
  return observationOfProfiles(
    { startMs, endMs: startMs + windowSizeMs },
    profiles,
    performance ? performanceOf(performance) : null,
    samples ? mergeSampledRecords(...samples.map(fromSampleRow)) : null,
  );
}

/** Labels of windows of a version, by start and then by segment. */
export type ObservedLabels = Map<number, Map<string, WindowPerformance>>;

/** Makes the labels of windows of the rows of one version. */
export function observedLabels(performance: readonly StoredPerformance[]): ObservedLabels {
  const labels: ObservedLabels = new Map();
  for (const row of performance) {
    const ofWindow = labels.get(row.start_ms) ?? new Map();
    labels.set(row.start_ms, ofWindow.set(row.segment, performanceOf(row)));
  }
  return labels;
}

function performanceOf({
  task,
  labelled,
  loss_sum,
  loss_square_sum,
  label_counts,
  confusion,
}: StoredPerformance): WindowPerformance {
  return {
    task,
    labelled,
    lossSum: loss_sum,
    lossSquareSum: loss_square_sum,
    labelCounts: new Map(Object.entries(label_counts)),
    ...countsOfClasses(Object.keys(label_counts), confusion),
  };
}

/** Reads how often each class was predicted, and rightly, from a confusion matrix. */
function countsOfClasses(
  labels: readonly string[],
  confusion: Readonly<Record<string, number>>,
): Pick<WindowPerformance, 'predictedCounts' | 'rightCounts'> {
  const predictedCounts = new Map<string, number>();
  const rightCounts = new Map<string, number>();
  // A class may contain an arrow; the longest label that fits is the label.
  const byLength = labels.toSorted((left, right) => right.length - left.length);
  for (const [cell, count] of Object.entries(confusion)) {
    const label = byLength.find(name => cell.startsWith(`${name}→`));
    if (label === undefined) continue;
    const prediction = cell.slice(label.length + 1);
    predictedCounts.set(prediction, (predictedCounts.get(prediction) ?? 0) + count);
    if (prediction === label) rightCounts.set(label, count);
  }
  // `label_counts` has this order, too.
  return {
    predictedCounts: new Map(mostFrequentFirst(predictedCounts)),
    rightCounts: new Map(mostFrequentFirst(rightCounts)),
  };
}
