import type { FeatureProfile } from '../../shared/profile/featureProfile.ts';
import { mergeFeatureProfiles } from '../../shared/profile/featureProfile.ts';
import { mergeSampledRecords, type SampledRecords } from '../../shared/profile/recordSample.ts';
import type { Task } from '../../shared/task.ts';
import type { TimeWindow } from '../../shared/timeWindow.ts';

export type VariableKind = 'feature' | 'output';

/** An input or output of the model. Its profile counts the records that carried it; in the others it is missing. */
export interface ObservedVariable {
  kind: VariableKind;
  name: string;
  profile: FeatureProfile;
}

/** Quality of the labelled predictions of a window: sums, so that windows can be pooled. */
export interface WindowPerformance {
  task: Task;
  labelled: number;
  /** Of 0/1 for classes, of the absolute error for numbers. */
  lossSum: number;
  lossSquareSum: number;
  /** Empty for regression. */
  labelCounts: ReadonlyMap<string, number>;
}

/** All that the detector is told of one window, or of several in a row that were pooled. Never changed once made. */
export interface WindowObservation {
  startMs: number;
  endMs: number;
  windows: number;
  records: number;
  /** By `variableKey`. */
  variables: ReadonlyMap<string, ObservedVariable>;
  /** Records per version of the serving code, where it was logged. */
  codeVersions: ReadonlyMap<string, number>;
  performance: WindowPerformance | null;
  /** Of all predictions; null of a segment, a given reference and a window from before there were samples. */
  sample: SampledRecords | null;
}

/** A profile as it is stored: those of operations are told apart from what the model got and gave. */
export interface NamedProfile {
  kind: VariableKind | 'operation';
  name: string;
  profile: FeatureProfile;
}

/** What the profiles of one window and segment, one per name, and its performance say to the detector. */
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

/** Each record of a window has a prediction; a reference without outputs has as many records as its fullest feature. */
function recordsOf(variables: ReadonlyMap<string, ObservedVariable>): number {
  const predictions = variables.get(variableKey('output', 'prediction'));
  return (
    predictions?.profile.count ??
    Math.max(0, ...Array.from(variables.values(), ({ profile }) => profile.count))
  );
}

/** @example variableKey('feature', 'price') // 'feature/price' */
export function variableKey(kind: VariableKind, name: string): string {
  return `${kind}/${name}`;
}

/** One observation of all the records of two, the later of which ends it. */
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
