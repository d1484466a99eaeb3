import type { Prediction } from '../shared/contracts.ts';
import type { Rejection } from '../shared/decodeRecord.ts';
import {
  addValue,
  emptyFeatureProfile,
  type FeatureProfile,
  type FeatureValue,
} from '../shared/profile/featureProfile.ts';
import type { ModelSettings } from '../shared/settings.ts';
import { windowStartMs } from '../shared/timeWindow.ts';

/*
 * The log-prefix rule: everything here is a pure function of the records of one source partition up to an offset. So a record
 * that is delivered again changes nothing, and of two stored rows with the same key the one with the higher offset is right.
 */

export type ProfileKind = 'feature' | 'output' | 'operation';

/** Profiles of one segment in one window, by kind and name. */
export type SegmentProfiles = Record<ProfileKind, Map<string, FeatureProfile>>;

export interface WindowState {
  startMs: number;
  endMs: number;
  /** Offset of the last record counted, -1 for none. */
  lastOffset: number;
  /** By segment: '' for all predictions, else name=value. */
  segments: Map<string, SegmentProfiles>;
  changed: boolean;
}

/** What the profiler knows of one model version in one source partition. */
export interface VersionState {
  model: string;
  version: string;
  settings: ModelSettings;
  /** Every record up to here is counted and stored; -1 for none. */
  lastOffset: number;
  firstEventTimeMs: number;
  /** The clock of the version: highest event time seen. */
  maxEventTimeMs: number;
  predictions: number;
  duplicates: number;
  late: number;
  tooLate: number;
  /** Ids that were counted, and the same by the start of their window; those of windows before `deduplicatedFromMs` are forgotten. */
  knownIds: Set<string>;
  idsByWindow: Map<number, string[]>;
  deduplicatedFromMs: number;
  windows: Map<number, WindowState>;
  /** No window that starts later has ever been stored: it needs no look-up. */
  highestWindowStartMs: number;
  /** Windows to announce: changed, or delivered again by a Kafka that may not have seen the announcement. */
  touchedWindows: Set<number>;
  changed: boolean;
  /** For the operator's metrics; no part of what is stored. */
  tally: Tally;
}

/** What happened since the tally was last read. */
export interface Tally {
  onTime: number;
  late: number;
  tooLate: number;
  duplicates: number;
  replayed: number;
  /** Values of features counted under the name (other). */
  foldedNames: number;
  /** Predictions counted in the segment (other). */
  foldedSegmentValues: number;
  /** Ids within the deduplication horizon that were too many to be kept. */
  idsForgottenEarly: number;
}

/** One usable record of predictions. */
export interface PredictionRecord {
  prediction: Prediction;
  offset: number;
}

export type Verdict = 'counted' | 'duplicate' | 'replayed' | Rejection;

const knownIdsKept = 100_000;
const knownIdsAtMost = 1_000_000;
const mostValuesPerSegment = 100;
const mostNamesPerWindow = 4_000;
export const overflowName = '(other)';

export function newVersionState(model: string, version: string, settings: ModelSettings): VersionState {
  return {
    model,
    version,
    settings,
    lastOffset: -1,
    firstEventTimeMs: Number.POSITIVE_INFINITY,
    maxEventTimeMs: Number.NEGATIVE_INFINITY,
    predictions: 0,
    duplicates: 0,
    late: 0,
    tooLate: 0,
    knownIds: new Set(),
    idsByWindow: new Map(),
    deduplicatedFromMs: Number.NEGATIVE_INFINITY,
    windows: new Map(),
    highestWindowStartMs: Number.NEGATIVE_INFINITY,
    touchedWindows: new Set(),
    changed: false,
    tally: {
      onTime: 0,
      late: 0,
      tooLate: 0,
      duplicates: 0,
      replayed: 0,
      foldedNames: 0,
      foldedSegmentValues: 0,
      idsForgottenEarly: 0,
    },
  };
}

export function newWindowState(startMs: number, windowSizeMs: number): WindowState {
  return { startMs, endMs: startMs + windowSizeMs, lastOffset: -1, segments: new Map(), changed: false };
}

/** Event time that the version is expected to have passed: what comes behind it is late. */
export function watermarkMs(state: VersionState): number {
  return state.maxEventTimeMs - state.settings.allowedLateness;
}

/**
 * Counts one prediction. Its window must be in `state.windows` if it may have been stored before
 * (a start up to `highestWindowStartMs`); a newer one is opened here.
 */
export function countPrediction(state: VersionState, { prediction, offset }: PredictionRecord): Verdict {
  const startMs = windowStartMs(prediction.time, state.settings.window);
  if (offset <= state.lastOffset) {
    state.touchedWindows.add(startMs);
    state.tally.replayed++;
    return 'replayed';
  }
  state.lastOffset = offset;
  state.changed = true;
  const watermark = watermarkMs(state);
  if (prediction.time < watermark - state.settings.horizon) {
    state.tooLate++;
    state.tally.tooLate++;
    return {
      class: 'too-late',
      message: `time: ${new Date(prediction.time).toISOString()} is ${describeDelay(watermark - prediction.time)} behind the watermark of ${state.model} ${state.version}, at most ${describeDelay(state.settings.horizon)} are waited for`,
      model: state.model,
      version: state.version,
    };
  }
  if (isKnownId(state, startMs, prediction.id)) {
    state.duplicates++;
    state.tally.duplicates++;
    return 'duplicate';
  }
  state.predictions++;
  const late = startMs + state.settings.window <= watermark;
  if (late) state.late++;
  state.tally[late ? 'late' : 'onTime']++;
  state.firstEventTimeMs = Math.min(state.firstEventTimeMs, prediction.time);
  state.maxEventTimeMs = Math.max(state.maxEventTimeMs, prediction.time);
  forgetOldIds(state);

  let window = state.windows.get(startMs);
  if (!window) {
    window = newWindowState(startMs, state.settings.window);
    state.windows.set(startMs, window);
    state.highestWindowStartMs = Math.max(state.highestWindowStartMs, startMs);
  }
  state.touchedWindows.add(startMs);
  // The window may have been stored at a higher offset than the version's progress, by a process that died in between.
  if (offset > window.lastOffset) addToWindow(state, window, prediction, offset);
  return 'counted';
}

function describeDelay(milliseconds: number): string {
  const hours = milliseconds / 3_600_000;
  return hours < 48 ? `${Number(hours.toFixed(1))} h` : `${Number((hours / 24).toFixed(1))} d`;
}

/** @returns whether the id is known; from now on it is. Too old a window remembers nothing. */
function isKnownId(state: VersionState, startMs: number, id: string): boolean {
  if (startMs < state.deduplicatedFromMs) return false;
  if (state.knownIds.has(id)) return true;
  rememberId(state, startMs, id);
  return false;
}

export function rememberId(state: VersionState, startMs: number, id: string): void {
  state.knownIds.add(id);
  const ids = state.idsByWindow.get(startMs);
  if (ids) ids.push(id);
  else state.idsByWindow.set(startMs, [id]);
}

/** Ids are kept for the deduplication horizon, and longer while they are few; in no case more than a million. */
function forgetOldIds(state: VersionState): void {
  const horizonMs = watermarkMs(state) - state.settings.deduplication;
  while (state.knownIds.size > knownIdsKept) {
    const oldestMs = Math.min(...state.idsByWindow.keys());
    const endMs = oldestMs + state.settings.window;
    if (endMs > horizonMs && state.knownIds.size <= knownIdsAtMost) return;
    const ids = state.idsByWindow.get(oldestMs)!;
    for (const id of ids) state.knownIds.delete(id);
    if (endMs > horizonMs) state.tally.idsForgottenEarly += ids.length;
    state.idsByWindow.delete(oldestMs);
    state.deduplicatedFromMs = endMs;
  }
}

function addToWindow(
  { settings, tally }: VersionState,
  window: WindowState,
  prediction: Prediction,
  offset: number,
): void {
  window.lastOffset = offset;
  window.changed = true;
  addToProfiles(profilesOf(window, ''), prediction, tally);
  for (const name of settings.segments) {
    // A segment may be called like something that every object inherits.
    if (!prediction.segment || !Object.hasOwn(prediction.segment, name)) continue;
    const value = prediction.segment[name]!;
    addToProfiles(profilesOf(window, segmentKey(window, name, value, tally)), prediction, tally);
  }
}

function segmentKey(window: WindowState, name: string, value: string, tally: Tally): string {
  const key = `${name}=${value}`;
  if (window.segments.has(key)) return key;
  let values = 0;
  for (const known of window.segments.keys()) if (known.startsWith(`${name}=`)) values++;
  if (values < mostValuesPerSegment) return key;
  tally.foldedSegmentValues++;
  return `${name}=${overflowName}`;
}

/** The profiles of a segment, empty if it is new. */
export function profilesOf(window: WindowState, segment: string): SegmentProfiles {
  let profiles = window.segments.get(segment);
  if (!profiles) {
    profiles = { feature: new Map(), output: new Map(), operation: new Map() };
    window.segments.set(segment, profiles);
  }
  return profiles;
}

/** Counts the inputs and outputs of one prediction. */
export function addToProfiles(
  { feature, output, operation }: SegmentProfiles,
  prediction: Prediction,
  tally: Tally,
): void {
  for (const name in prediction.features) {
    if (addNamedValue(feature, name, prediction.features[name]) !== name) tally.foldedNames++;
  }
  addNamedValue(output, 'prediction', prediction.prediction);
  if (prediction.score !== null) addNamedValue(output, 'score', prediction.score);
  if (prediction.latencyMs !== null) addNamedValue(operation, 'latencyMs', prediction.latencyMs);
  if (prediction.codeVersion !== null) addNamedValue(operation, 'codeVersion', prediction.codeVersion);
}

/** @returns the name that it was counted under */
function addNamedValue(profiles: Map<string, FeatureProfile>, name: string, value: FeatureValue): string {
  const key = profiles.has(name) || profiles.size < mostNamesPerWindow ? name : overflowName;
  let profile = profiles.get(key);
  if (!profile) {
    profile = emptyFeatureProfile();
    profiles.set(key, profile);
  }
  addValue(profile, value);
  return key;
}

/**
 * Closed windows leave memory, the oldest first, when more profiles than this are held; late records bring them back from ClickHouse.
 * @returns how many left
 */
export function evictClosedWindows(state: VersionState, mostProfiles: number): number {
  const closed = [...state.windows.values()].filter(window => !window.changed && window.endMs <= watermarkMs(state));
  closed.sort((a, b) => a.startMs - b.startMs);
  let held = 0;
  for (const window of state.windows.values()) held += profileCount(window);
  let evicted = 0;
  for (const window of closed) {
    if (held <= mostProfiles) break;
    held -= profileCount(window);
    state.windows.delete(window.startMs);
    evicted++;
  }
  return evicted;
}

export function profileCount(window: WindowState): number {
  let profiles = 0;
  for (const { feature, output, operation } of window.segments.values())
    profiles += feature.size + output.size + operation.size;
  return profiles;
}
