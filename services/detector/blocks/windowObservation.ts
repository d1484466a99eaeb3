import type { FeatureProfile } from '../../shared/profile/featureProfile.ts';
import { mergeFeatureProfiles } from '../../shared/profile/featureProfile.ts';
import { mergeSampledRecords, type SampledRecords } from '../../shared/profile/recordSample.ts';
import type { Task } from '../../shared/task.ts';
import type { TimeWindow } from '../../shared/timeWindow.ts';

/** The side of the model on which a variable stands: its inputs or its outputs. */
export type VariableKind = 'feature' | 'output';

/**
 * An input or output of the model. Its profile counts the records that carried it; in all other
 * records it is missing.
 */
export interface ObservedVariable {
  kind: VariableKind;
  name: string;
  profile: FeatureProfile;
}

/** The quality of the labelled predictions of a window, as sums, so that windows can be pooled. */
export interface WindowPerformance {
  task: Task;
  labelled: number;
  /** The sum of the losses: 0 or 1 for a class, the absolute error for a number. */
  lossSum: number;
  /** The sum of the squared losses. */
  lossSquareSum: number;
  /** Labelled predictions per class of the label; empty for regression. */
  labelCounts: ReadonlyMap<string, number>;
  /** Labelled predictions per predicted class; empty for regression. */
  predictedCounts: ReadonlyMap<string, number>;
  /** Right predictions per class; empty for regression. */
  rightCounts: ReadonlyMap<string, number>;
}

/**
 * All that the detector knows about one window, or about several windows in a row that were pooled.
 * Never changed once made.
 */
export interface WindowObservation {
  startMs: number;
  endMs: number;
  /** The number of windows that were pooled. */
  windows: number;
  records: number;
  /** By `variableKey`. */
  variables: ReadonlyMap<string, ObservedVariable>;
  /** Records per version of the serving code, where it was logged. */
  codeVersions: ReadonlyMap<string, number>;
  performance: WindowPerformance | null;
  /**
   * A sample of all predictions; null for a segment, for a given reference, and for a window that
   * was stored before samples were taken.
   */
  sample: SampledRecords | null;
}

/**
 * A profile as it is stored. Profiles of operations, such as the code version, are neither features
 * nor outputs.
 */
export interface NamedProfile {
  kind: VariableKind | 'operation';
  name: string;
  profile: FeatureProfile;
}

/**
 * Returns the observation of one window and segment. O(profiles).
 *
 * @param profiles one for each kind and name
 */
export function observationOfProfiles(
  { startMs, endMs }: TimeWindow,
  profiles: Iterable<NamedProfile>,
  performance: WindowPerformance | null,
  sample: SampledRecords | null,
): WindowObservation {
  const variables = new Map<string, ObservedVariable>();
  let codeVersions: ReadonlyMap<string, number> = new Map();
  for (const { kind, name, profile } of profiles) {
    if (kind !== 'operation') variables.set(variableKey(kind, name), { kind, name, profile });
    else if (name === 'codeVersion') codeVersions = profile.categorical.exact;
  }
  return {
    startMs,
    endMs,
    windows: 1,
    records: recordsOf(variables),
    variables,
    codeVersions,
    performance,
    sample,
  };
}

/**
 * Returns the number of records of a window. Every record has a prediction; a reference without
 * outputs is taken to have as many records as its fullest feature.
 */
function recordsOf(variables: ReadonlyMap<string, ObservedVariable>): number {
  const predictions = variables.get(variableKey('output', 'prediction'));
  return (
    predictions?.profile.count ??
    Math.max(0, ...Array.from(variables.values(), ({ profile }) => profile.count))
  );
}

/**
 * Returns the key of a variable in maps.
 *
 * @example variableKey('feature', 'price') // 'feature/price'
 */
export function variableKey(kind: VariableKind, name: string): string {
  return `${kind}/${name}`;
}

/** Returns one observation of the records of two windows. O(variables · buckets). */
export function mergeObservations(
  earlier: WindowObservation,
  later: WindowObservation,
): WindowObservation {
  const variables = new Map(earlier.variables);
  for (const [key, variable] of later.variables) {
    const known = variables.get(key);
    variables.set(
      key,
      known
        ? { ...known, profile: mergeFeatureProfiles(known.profile, variable.profile) }
        : variable,
    );
  }
  return {
    startMs: earlier.startMs,
    endMs: later.endMs,
    windows: earlier.windows + later.windows,
    records: earlier.records + later.records,
    variables,
    codeVersions: mergeCounts(earlier.codeVersions, later.codeVersions),
    performance: mergePerformance(earlier.performance, later.performance),
    sample: earlier.sample && later.sample && mergeSampledRecords(earlier.sample, later.sample),
  };
}

/**
 * Returns the performance of the labelled predictions of two windows; null if neither has any.
 * O(classes).
 */
export function mergePerformance(
  earlier: WindowPerformance | null,
  later: WindowPerformance | null,
): WindowPerformance | null {
  if (!earlier || !later) return earlier ?? later;
  return {
    task: later.task,
    labelled: earlier.labelled + later.labelled,
    lossSum: earlier.lossSum + later.lossSum,
    lossSquareSum: earlier.lossSquareSum + later.lossSquareSum,
    labelCounts: mergeCounts(earlier.labelCounts, later.labelCounts),
    predictedCounts: mergeCounts(earlier.predictedCounts, later.predictedCounts),
    rightCounts: mergeCounts(earlier.rightCounts, later.rightCounts),
  };
}

function mergeCounts(
  left: ReadonlyMap<string, number>,
  right: ReadonlyMap<string, number>,
): Map<string, number> {
  const merged = new Map(left);
  for (const [name, count] of right) merged.set(name, (merged.get(name) ?? 0) + count);
  return merged;
}
