import { createHash } from 'node:crypto';
import { windowStartMs } from '../timeWindow.ts';
import {
  addValue,
  emptyFeatureProfile,
  type FeatureProfile,
  type FeatureValue,
  type Vector,
} from './featureProfile.ts';
import { type ProfileRow, toProfileRow } from './profileRow.ts';

/** One record of a reference. */
export interface ReferenceRecord {
  eventTimeMs: number;
  features: Record<string, FeatureValue | Vector>;
  /** What the version predicts for the record, where that is known. */
  prediction?: FeatureValue;
  score?: number | null;
}

/**
 * The profile of one feature or output in one part of a reference, as a row of
 * `reference_profiles`.
 */
export interface ReferenceRow extends ProfileRow {
  /** Milliseconds since the epoch, like `window_end`. */
  window_start: number;
  window_end: number;
  kind: 'feature' | 'output';
  feature: string;
}

/** The profiles of a reference. */
export interface ReferenceProfiles {
  /** SHA-256 of the rows, so that the same data give the same reference. */
  id: string;
  rows: ReferenceRow[];
}

const minParts = 10;
const maxParts = 100;
/** Parts of data with fewer than ten times this many rows are smaller. */
const minRowsPerPart = 100;

/**
 * Consecutive records in the order of event time. How much a metric varies is learned from its
 * values in the parts.
 */
export interface ReferencePart {
  /** Index of the first record. */
  start: number;
  /** Index after that of the last record. */
  end: number;
  /** Event time of the first record. */
  startMs: number;
  /** Event time of the last record, plus 1 ms. */
  endMs: number;
}

/**
 * Returns the profiles of the data that a version is compared with, one set for each part in time:
 * together they show what the data are like, and beside each other how much they vary.
 *
 * A feature that a record lacks is missing there. Outputs have profiles in parts where some record
 * has a prediction; the score only where some record has a score. O(records · features).
 *
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

/**
 * Returns the profiles that the profiler would make of these predictions; that of `score` only if
 * there are scores.
 */
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

function profileOf(values: readonly (FeatureValue | Vector)[]): FeatureProfile {
  const profile = emptyFeatureProfile();
  for (const [index, value] of values.entries()) addValue(profile, value, String(index));
  return profile;
}

/**
 * Cuts rows into about 10 to 100 parts. The parts are event-time windows; neighbours are merged
 * until each holds enough rows. If windows are so long that there would be fewer than 10 parts, the
 * parts have equal numbers of rows instead. Rows of one event time stay together, so there may be
 * fewer parts. O(rows).
 *
 * @param eventTimesMs in ascending order
 * @example
 * referenceParts([0, 1, 2, 3], 2).map(({ start, end }) => [start, end])
 * // [[0, 1], [1, 2], [2, 3], [3, 4]]
 */
export function referenceParts(
  eventTimesMs: readonly number[],
  windowSizeMs: number,
): ReferencePart[] {
  const rows = eventTimesMs.length;
  if (rows === 0) return [];
  const rowsPerPart = Math.max(
    1,
    Math.min(minRowsPerPart, Math.floor(rows / minParts)),
    Math.ceil(rows / maxParts),
  );
  const windowOf = (row: number) => windowStartMs(eventTimesMs[row]!, windowSizeMs);
  const byWindows = cut(rows, rowsPerPart, row => windowOf(row) !== windowOf(row - 1));
  const ranges =
    byWindows.length >= minParts
      ? byWindows
      : cut(
          rows,
          Math.max(1, Math.floor(rows / minParts)),
          row => eventTimesMs[row] !== eventTimesMs[row - 1],
        );
  return ranges.map(({ start, end }) => ({
    start,
    end,
    startMs: eventTimesMs[start]!,
    endMs: eventTimesMs[end - 1]! + 1,
  }));
}

/**
 * Returns ranges of at least `minRows` rows that end only where they may. The last rows, if too
 * few, join the range before.
 */
function cut(
  rows: number,
  minRows: number,
  mayEndBefore: (row: number) => boolean,
): Pick<ReferencePart, 'start' | 'end'>[] {
  const ranges: Pick<ReferencePart, 'start' | 'end'>[] = [];
  let start = 0;
  for (let row = 1; row < rows; row++) {
    if (row - start < minRows || !mayEndBefore(row)) continue;
    ranges.push({ start, end: row });
    start = row;
  }
  const last = ranges.at(-1);
  if (last && rows - start < minRows) last.end = rows;
  else ranges.push({ start, end: rows });
  return ranges;
}
