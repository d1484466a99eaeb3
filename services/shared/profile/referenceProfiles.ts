import { createHash } from 'node:crypto';
import { windowStartMs } from '../timeWindow.ts';
import {
  addValue,
  emptyFeatureProfile,
  type FeatureProfile,
  type FeatureValue,
} from './featureProfile.ts';
import { type ProfileRow, toProfileRow } from './profileRow.ts';

/** One record that a reference is made of. */
export interface ReferenceRecord {
  eventTimeMs: number;
  features: Record<string, FeatureValue>;
  /** What the version answers to it, where that is known. */
  prediction?: FeatureValue;
  score?: number | null;
}

export interface ReferenceRow extends ProfileRow {
  /** Milliseconds since the epoch. */
  window_start: number;
  window_end: number;
  kind: 'feature' | 'output';
  feature: string;
}

/** The profiles of a reference, as rows of reference_profiles. */
export interface ReferenceProfiles {
  /** Hash of the rows. */
  id: string;
  rows: ReferenceRow[];
}

const fewestParts = 10;
const mostParts = 100;
const fewestRowsPerPart = 100;

/** Consecutive records, in the order of event time, that a metric is measured on to learn how much it varies. */
export interface ReferencePart {
  /** Of the first record, and behind the last one. */
  start: number;
  end: number;
  startMs: number;
  endMs: number;
}

/**
 * Profiles of the data that a version is compared with, in parts of time: what they are, and how much they may vary.
 * @param records in the order of event time
 */
export function referenceProfiles(
  records: readonly ReferenceRecord[],
  windowSizeMs: number,
): ReferenceProfiles {
  const features = new Set<string>();
  for (const record of records)
    for (const feature of Object.keys(record.features)) features.add(feature);
  const names = [...features].sort();
  const times = records.map(({ eventTimeMs }) => eventTimeMs);
  const rows = referenceParts(times, windowSizeMs).flatMap(({ start, end, startMs, endMs }) => {
    const members = records.slice(start, end);
    const row = (
      kind: ReferenceRow['kind'],
      feature: string,
      profile: FeatureProfile,
    ): ReferenceRow => ({
      window_start: startMs,
      window_end: endMs,
      kind,
      feature,
      ...toProfileRow(profile),
    });
    return [
      ...names.map(name =>
        row('feature', name, profileOf(members.map(member => member.features[name]))),
      ),
      ...outputProfiles(members).map(([name, profile]) => row('output', name, profile)),
    ];
  });
  return { id: createHash('sha256').update(JSON.stringify(rows)).digest('hex'), rows };
}

/** Profiles as the profiler makes them of predictions; `score` only where there are scores. */
function outputProfiles(members: readonly ReferenceRecord[]): [string, FeatureProfile][] {
  const answered = members.filter(({ prediction }) => prediction !== undefined);
  if (answered.length === 0) return [];
  const profiles: [string, FeatureProfile][] = [
    ['prediction', profileOf(answered.map(({ prediction }) => prediction))],
  ];
  if (answered.some(({ score }) => score != null))
    profiles.push(['score', profileOf(answered.map(({ score }) => score))]);
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
export function referenceParts(
  eventTimesMs: readonly number[],
  windowSizeMs: number,
): ReferencePart[] {
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
      : cut(
          rows,
          Math.max(1, Math.floor(rows / fewestParts)),
          row => eventTimesMs[row] !== eventTimesMs[row - 1],
        );
  return ranges.map(({ start, end }) => ({
    start,
    end,
    startMs: eventTimesMs[start]!,
    endMs: eventTimesMs[end - 1]! + 1,
  }));
}

/** Ranges of at least so many rows that end only where it is allowed; the last rows, if too few, go to the range before. */
function cut(
  rows: number,
  fewestRows: number,
  mayEndBefore: (row: number) => boolean,
): Pick<ReferencePart, 'start' | 'end'>[] {
  const ranges: Pick<ReferencePart, 'start' | 'end'>[] = [];
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
