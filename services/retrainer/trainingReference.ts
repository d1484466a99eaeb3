import { createHash } from 'node:crypto';
import {
  addValue,
  emptyFeatureProfile,
  type FeatureProfile,
  type FeatureValue,
} from '../shared/profile/featureProfile.ts';
import { type ProfileRow, toProfileRow } from '../shared/profile/profileRow.ts';
import { windowStartMs } from '../shared/timeWindow.ts';
import type { RowRange } from './dataSplit.ts';
import type { DatasetRow } from './dataset.ts';
import type { RowOutput } from './trainerContract.ts';

export interface ReferenceRow extends ProfileRow {
  /** Milliseconds since the epoch. */
  window_start: number;
  window_end: number;
  kind: 'feature' | 'output';
  feature: string;
}

export interface TrainingReference {
  /** Hash of the rows. */
  id: string;
  rows: ReferenceRow[];
}

const fewestParts = 10;
const mostParts = 100;
const fewestRowsPerPart = 100;

/** Consecutive rows, in the order of event time, that a metric is measured on to learn how much it varies. */
export interface ReferencePart extends RowRange {
  startMs: number;
  endMs: number;
}

/**
 * Profiles of the data that a version was trained on, in parts of time: what its traffic is compared with, and how much that may vary.
 * @param trainRows in the order of event time
 * @param outputs the version's own outputs by row, where the trainer gave them
 */
export function trainingReference(
  trainRows: readonly DatasetRow[],
  outputs: ReadonlyMap<number, RowOutput>,
  windowSizeMs: number,
): TrainingReference {
  const features = [...new Set(trainRows.flatMap(row => Object.keys(row.features)))].sort();
  const rows = referenceParts(
    trainRows.map(row => row.eventTimeMs),
    windowSizeMs,
  ).flatMap(part => {
    const times = { window_start: part.startMs, window_end: part.endMs };
    const members = trainRows.slice(part.start, part.end);
    const ofFeatures = features.map(feature => ({
      ...times,
      kind: 'feature' as const,
      feature,
      ...toProfileRow(profileOf(members.map(row => row.features[feature]))),
    }));
    return [
      ...ofFeatures,
      ...outputProfiles(part, outputs).map(([feature, profile]) => ({
        ...times,
        kind: 'output' as const,
        feature,
        ...toProfileRow(profile),
      })),
    ];
  });
  return { id: createHash('sha256').update(JSON.stringify(rows)).digest('hex'), rows };
}

/** Profiles as the profiler makes them of predictions; `score` only where there are scores. */
function outputProfiles(part: RowRange, outputs: ReadonlyMap<number, RowOutput>): [string, FeatureProfile][] {
  const given: RowOutput[] = [];
  for (let row = part.start; row < part.end; row++) {
    const output = outputs.get(row);
    if (output) given.push(output);
  }
  if (given.length === 0) return [];
  const profiles: [string, FeatureProfile][] = [
    ['prediction', profileOf(given.map(output => output.predictionValue ?? output.prediction))],
  ];
  if (given.some(output => output.score !== null))
    profiles.push(['score', profileOf(given.map(output => output.score))]);
  return profiles;
}

function profileOf(values: readonly FeatureValue[]): FeatureProfile {
  const profile = emptyFeatureProfile();
  for (const value of values) addValue(profile, value);
  return profile;
}

/**
 * Cuts rows into 10 to 100 parts: event-time windows that hold enough rows each, neighbours merged until they do; where windows are so
 * long that there would be too few parts, equal numbers of rows. Rows of one event time stay together.
 */
export function referenceParts(eventTimesMs: readonly number[], windowSizeMs: number): ReferencePart[] {
  const rows = eventTimesMs.length;
  if (rows === 0) return [];
  const rowsPerPart = Math.max(
    1,
    Math.min(fewestRowsPerPart, Math.floor(rows / fewestParts)),
    Math.ceil(rows / mostParts),
  );
  const windowOf = (row: number) => windowStartMs(eventTimesMs[row]!, windowSizeMs);
  const byWindows = cut(rows, rowsPerPart, row => windowOf(row) !== windowOf(row - 1));
  const ranges =
    byWindows.length >= fewestParts
      ? byWindows
      : cut(rows, Math.max(1, Math.floor(rows / fewestParts)), row => eventTimesMs[row] !== eventTimesMs[row - 1]);
  return ranges.map(({ start, end }) => ({
    start,
    end,
    startMs: eventTimesMs[start]!,
    endMs: eventTimesMs[end - 1]! + 1,
  }));
}

/** Ranges of at least so many rows that end only where it is allowed; the last rows, if too few, go to the range before. */
function cut(rows: number, fewestRows: number, mayEndBefore: (row: number) => boolean): RowRange[] {
  const ranges: RowRange[] = [];
  let start = 0;
  for (let row = 1; row < rows; row++) {
    if (row - start < fewestRows || !mayEndBefore(row)) continue;
    ranges.push({ start, end: row });
    start = row;
  }
  const last = ranges.at(-1);
  if (last && rows - start < fewestRows) last.end = rows;
  else ranges.push({ start, end: rows });
  return ranges;
}
