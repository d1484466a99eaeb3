import type { FeatureProfile } from '../../shared/profile/featureProfile.ts';
import type { LoggedPrediction } from '../../shared/profile/features.ts';
import {
  emptyRecordSample,
  type RecordSample,
  recordSampleOf,
  type SampledRecords,
} from '../../shared/profile/recordSample.ts';
import type { TimeWindow } from '../../shared/timeWindow.ts';
import {
  emptySegmentProfiles,
  overflowName,
  type ProfileKind,
  type SegmentProfiles,
} from './segmentProfiles.ts';
import type { Tally } from './tally.ts';
import { addToProfiles, countWaiting } from './waitingRecords.ts';

/** What was counted in one window of a model version, from one source partition. */
export interface WindowState extends TimeWindow {
  /** Offset of the last record in the profiles, or -1. */
  lastOffset: number;
  /** The last prediction of that record in them; infinite when it is complete. */
  lastRow: number;
  /** By segment: '' for all predictions, else name=value. Complete after `countWaitingRecords`. */
  segments: Map<string, SegmentProfiles>;
  /** A sample of all predictions. */
  sample: RecordSample;
  /**
   * Offset of the last record that the sample has taken into account, or -1. Profiles and sample
   * are stored one after the other, so a process that is killed in between leaves different
   * offsets.
   */
  sampledOffset: number;
  /** The same of the sample. */
  sampledRow: number;
  /** True if it has something that is not stored. */
  changed: boolean;
  /** Number of the flush that last stored it. */
  storedAtFlush: number;
}

/**
 * Maximum values of one declared segment in a window. Further values share the segment
 * name=(other).
 */
const maxValuesPerSegment = 100;

export function newWindowState(startMs: number, windowSizeMs: number): WindowState {
  return {
    startMs,
    endMs: startMs + windowSizeMs,
    lastOffset: -1,
    lastRow: Number.POSITIVE_INFINITY,
    segments: new Map(),
    sample: emptyRecordSample(),
    sampledOffset: -1,
    sampledRow: Number.POSITIVE_INFINITY,
    changed: false,
    storedAtFlush: 0,
  };
}

/**
 * Adds a prediction to the profiles of all predictions and to those of the declared segments it
 * belongs to.
 */
export function addToWindow(
  window: WindowState,
  prediction: LoggedPrediction,
  offset: number,
  declaredSegments: readonly string[],
  tally: Tally,
): void {
  window.lastOffset = offset;
  window.changed = true;
  addToProfiles(segmentProfiles(window, ''), prediction, tally);
  for (const name of declaredSegments) {
    // A segment may have the name of a property that every object inherits.
    if (!prediction.segment || !Object.hasOwn(prediction.segment, name)) continue;
    const key = segmentKey(window, name, prediction.segment[name]!, tally);
    addToProfiles(segmentProfiles(window, key), prediction, tally);
  }
}

function segmentKey(window: WindowState, name: string, value: string, tally: Tally): string {
  const key = `${name}=${value}`;
  if (window.segments.has(key)) return key;
  let values = 0;
  for (const known of window.segments.keys()) if (known.startsWith(`${name}=`)) values++;
  if (values < maxValuesPerSegment) return key;
  tally.foldedSegmentValues++;
  return `${name}=${overflowName}`;
}

/** Returns the profiles of a segment, which are empty if it is new. */
export function segmentProfiles(window: WindowState, segment: string): SegmentProfiles {
  let profiles = window.segments.get(segment);
  if (!profiles) {
    profiles = emptySegmentProfiles();
    window.segments.set(segment, profiles);
  }
  return profiles;
}

/** Counts all records of a window that wait. Call it before the profiles are read. */
export function countWaitingRecords({ segments }: WindowState): void {
  for (const profiles of segments.values()) countWaiting(profiles);
}

/** A profile of a window as it was stored. */
export interface StoredProfile {
  segment: string;
  kind: ProfileKind;
  name: string;
  profile: FeatureProfile;
  lastOffset: number;
}

/** Puts a stored profile back into its window. All profiles of a window are stored at once. */
export function restoreProfile(window: WindowState, stored: StoredProfile): void {
  const { segment, kind, name, profile, lastOffset } = stored;
  window.lastOffset = Math.max(window.lastOffset, lastOffset);
  segmentProfiles(window, segment)[kind].set(name, profile);
}

/** Puts the stored sample back into its window. */
export function restoreSample(
  window: WindowState,
  { records, lastOffset }: { records: SampledRecords; lastOffset: number },
): void {
  window.sample = recordSampleOf(records);
  window.sampledOffset = lastOffset;
}

export function profileCount(window: WindowState): number {
  let profiles = 0;
  for (const { feature, output, operation } of window.segments.values())
    profiles += feature.size + output.size + operation.size;
  return profiles;
}
