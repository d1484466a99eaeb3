import { mergeFeatureProfiles } from '../shared/profile/featureProfile.ts';
import { fromProfileRow, type ProfileRow } from '../shared/profile/profileRow.ts';
import { evaluationKey } from './evaluation.ts';
import {
  type ObservedVariable,
  type VariableKind,
  variableKey,
  type WindowObservation,
  type WindowPerformance,
} from './windowObservation.ts';

/** Windows of a version: by start, then by segment. */
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
}

/** @param profiles of one version, those of one variable in a row */
export function observedWindows(
  profiles: readonly StoredProfile[],
  performance: readonly StoredPerformance[],
  windowSizeMs: number,
): ObservedWindows {
  const performanceOf = new Map(performance.map(row => [evaluationKey(row.segment, row.start_ms), row]));
  const windows: ObservedWindows = new Map();
  for (const rows of Map.groupBy(profiles, row => evaluationKey(row.segment, row.start_ms)).values()) {
    const { segment, start_ms: startMs } = rows[0]!;
    const segments = windows.get(startMs) ?? new Map();
    windows.set(startMs, segments);
    segments.set(segment, observationOf(rows, performanceOf.get(evaluationKey(segment, startMs)), windowSizeMs));
  }
  return windows;
}

/** @param rows of one window (or part of a reference) and segment, those of one variable in a row */
export function observationOf(
  rows: readonly StoredProfile[],
  performance: StoredPerformance | undefined,
  windowSizeMs: number,
): WindowObservation {
  const variables = new Map<string, ObservedVariable>();
  let codeVersions: ReadonlyMap<string, number> = new Map();
  for (const [key, ofVariable] of Map.groupBy(rows, ({ kind, feature }) => `${kind}/${feature}`)) {
    const { kind, feature: name } = ofVariable[0]!;
    const profile = mergeFeatureProfiles(...ofVariable.map(fromProfileRow));
    if (kind !== 'operation') variables.set(variableKey(kind, name), { kind, name, profile });
    else if (key === 'operation/codeVersion') codeVersions = profile.categorical.exact;
  }
  const { start_ms: startMs } = rows[0]!;
  return {
    startMs,
    endMs: startMs + windowSizeMs,
    windows: 1,
    records: recordsOf(variables),
    variables,
    codeVersions,
    performance: performance ? performanceOf(performance) : null,
  };
}

/** Each record of a window has a prediction; a reference without outputs has as many records as its fullest feature. */
function recordsOf(variables: ReadonlyMap<string, ObservedVariable>): number {
  const predictions = variables.get(variableKey('output', 'prediction'));
  return predictions?.profile.count ?? Math.max(0, ...Array.from(variables.values(), ({ profile }) => profile.count));
}

function performanceOf({
  task,
  labelled,
  loss_sum,
  loss_square_sum,
  label_counts,
}: StoredPerformance): WindowPerformance {
  return {
    task,
    labelled,
    lossSum: loss_sum,
    lossSquareSum: loss_square_sum,
    labelCounts: new Map(Object.entries(label_counts)),
  };
}
