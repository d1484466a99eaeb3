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
    return 'replayed';
  }
  state.lastOffset = offset;
  state.changed = true;
  const watermark = watermarkMs(state);
  if (prediction.time < watermark - state.settings.horizon) {
    state.tooLate++;
    return {
      class: 'too-late',
      message: `time: ${new Date(prediction.time).toISOString()} is ${describeDelay(watermark - prediction.time)} behind the watermark of ${state.model} ${state.version}, at most ${describeDelay(state.settings.horizon)} are waited for`,
      model: state.model,
      version: state.version,
    };
  }
  if (isKnownId(state, startMs, prediction.id)) {
    state.duplicates++;
    return 'duplicate';
  }
  state.predictions++;
  if (startMs + state.settings.window <= watermark) state.late++;
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
  if (offset > window.lastOffset) addToWindow(window, prediction, offset, state.settings.segments);
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
    for (const id of state.idsByWindow.get(oldestMs)!) state.knownIds.delete(id);
    state.idsByWindow.delete(oldestMs);
    state.deduplicatedFromMs = endMs;
  }
}

function addToWindow(
  window: WindowState,
  prediction: Prediction,
  offset: number,
  segmentNames: readonly string[],
): void {
  window.lastOffset = offset;
  window.changed = true;
  addToProfiles(profilesOf(window, ''), prediction);
  for (const name of segmentNames) {
    const value = prediction.segment?.[name];
    if (value === undefined) continue;
    addToProfiles(profilesOf(window, segmentKey(window, name, value)), prediction);
  }
}

function segmentKey(window: WindowState, name: string, value: string): string {
  const key = `${name}=${value}`;
  if (window.segments.has(key)) return key;
  let values = 0;
  for (const known of window.segments.keys()) if (known.startsWith(`${name}=`)) values++;
  return values < mostValuesPerSegment ? key : `${name}=${overflowName}`;
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

function addToProfiles(profiles: SegmentProfiles, prediction: Prediction): void {
  for (const name in prediction.features) addNamedValue(profiles.feature, name, prediction.features[name]);
  addNamedValue(profiles.output, 'prediction', prediction.prediction);
  if (prediction.score !== null) addNamedValue(profiles.output, 'score', prediction.score);
  if (prediction.latencyMs !== null) addNamedValue(profiles.operation, 'latencyMs', prediction.latencyMs);
  if (prediction.codeVersion !== null) addNamedValue(profiles.operation, 'codeVersion', prediction.codeVersion);
}

function addNamedValue(profiles: Map<string, FeatureProfile>, name: string, value: FeatureValue): void {
  const key = profiles.has(name) || profiles.size < mostNamesPerWindow ? name : overflowName;
  let profile = profiles.get(key);
  if (!profile) {
    profile = emptyFeatureProfile();
    profiles.set(key, profile);
  }
  addValue(profile, value);
}

/** Closed windows leave memory, the oldest first, when more profiles than this are held; late records bring them back from ClickHouse. */
export function evictClosedWindows(state: VersionState, mostProfiles: number): void {
  const closed = [...state.windows.values()].filter(window => !window.changed && window.endMs <= watermarkMs(state));
  closed.sort((a, b) => a.startMs - b.startMs);
  let held = 0;
  for (const window of state.windows.values()) held += profileCount(window);
  for (const window of closed) {
    if (held <= mostProfiles) return;
    held -= profileCount(window);
    state.windows.delete(window.startMs);
  }
}

function profileCount(window: WindowState): number {
  let profiles = 0;
  for (const { feature, output, operation } of window.segments.values())
    profiles += feature.size + output.size + operation.size;
  return profiles;
}
