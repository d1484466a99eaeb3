import type { ModelSettings } from '../../shared/config/settings.ts';
import { fnv1a } from '../../shared/profile/categoryHash.ts';
import {
  emptyFeatureProfile,
  type FeatureProfile,
  type FeatureValue,
  featureProfileBytes,
} from '../../shared/profile/featureProfile.ts';
import type { LoggedPrediction } from '../../shared/profile/features.ts';
import {
  countBatch,
  emptyRecordBatch,
  type RecordBatch,
  setValue,
} from '../../shared/profile/recordBatch.ts';
import {
  addToSample,
  emptyRecordSample,
  type RecordSample,
  recordSampleBytes,
} from '../../shared/profile/recordSample.ts';
import type { Rejection } from '../../shared/records/decodeRecord.ts';
import { windowStartMs } from '../../shared/timeWindow.ts';
import {
  emptyRecentIds,
  forgetOldestSlices,
  forgetOldestWindow,
  type RecentIds,
  recentIdsBytes,
  rememberId,
} from './recentIds.ts';

/*
 * The log-prefix rule: everything here is a pure function of the records of one source partition up to an offset. So a record
 * that is delivered again changes nothing, and of two stored rows with the same key the one with the higher offset is right.
 */

export type ProfileKind = 'feature' | 'output' | 'operation';

/** Profiles of one segment in one window, by kind and name. */
export interface SegmentProfiles extends Record<ProfileKind, Map<string, FeatureProfile>> {
  /** Records that are not counted yet: `countedSegments` counts them. */
  waiting: WaitingRecords | null;
}

/** Records that name the same features. */
interface WaitingRecords {
  names: readonly string[];
  /** Names that are counted under (other). */
  folded: number;
  /** Columns of features, then those of `outputs`. */
  batch: RecordBatch;
}

/** What is counted of a prediction beside its features, where it is there. */
const outputs: {
  kind: ProfileKind;
  name: string;
  valueIn(prediction: LoggedPrediction): FeatureValue;
}[] = [
  { kind: 'output', name: 'prediction', valueIn: ({ prediction }) => prediction },
  { kind: 'output', name: 'score', valueIn: ({ score }) => score },
  { kind: 'operation', name: 'latencyMs', valueIn: ({ latencyMs }) => latencyMs },
  { kind: 'operation', name: 'codeVersion', valueIn: ({ codeVersion }) => codeVersion },
];

export interface WindowState {
  startMs: number;
  endMs: number;
  /** Offset of the last record counted, -1 for none. */
  lastOffset: number;
  /** By segment: '' for all predictions, else name=value. To be read as `countedSegments`. */
  segments: Map<string, SegmentProfiles>;
  /** Of all predictions. */
  sample: RecordSample;
  /** Offset of the last record that the sample knows of: it is stored beside the profiles, not at once with them. */
  sampledOffset: number;
  changed: boolean;
  /** Number of the flush that last stored it. */
  storedAtFlush: number;
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
  /** Ids that were counted; those of event times before `deduplicatedFromMs` are forgotten. */
  knownIds: RecentIds;
  deduplicatedFromMs: number;
  windows: Map<number, WindowState>;
  /** No window that starts later has ever been stored: it needs no look-up. */
  highestWindowStartMs: number;
  /** Windows to announce: changed, or delivered again by a Kafka that may not have seen the announcement. */
  touchedWindows: Set<number>;
  changed: boolean;
  /** Number of the flush that last had something of it, and the bytes that it took in memory then. */
  usedAtFlush: number;
  bytes: number;
  /** For metrics and limits; no part of what is stored. */
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
  /** Profiles that were begun and not stored yet. */
  newProfiles: number;
}

/** One usable record of predictions. */
export interface PredictionRecord {
  prediction: LoggedPrediction;
  offset: number;
}

export type Verdict = 'counted' | 'duplicate' | 'replayed' | Rejection;

export const knownIdsKept = 100_000;
export const knownIdsAtMost = 1_000_000;
/** So many stay when there were too many: forgetting looks at all of them, so it should not come with every record. */
const knownIdsKeptOfTooMany = 900_000;
/** Enough to share the way of a profile into the processor's caches, few enough to take less memory than the profiles do. */
const mostWaitingRecords = 16;
const mostValuesPerSegment = 100;
const mostNamesPerWindow = 4_000;
export const overflowName = '(other)';

export function newVersionState(
  model: string,
  version: string,
  settings: ModelSettings,
): VersionState {
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
    knownIds: emptyRecentIds(settings.window / idSliceMs(settings)),
    deduplicatedFromMs: Number.NEGATIVE_INFINITY,
    windows: new Map(),
    highestWindowStartMs: Number.NEGATIVE_INFINITY,
    touchedWindows: new Set(),
    changed: false,
    usedAtFlush: 0,
    bytes: 0,
    tally: {
      onTime: 0,
      late: 0,
      tooLate: 0,
      duplicates: 0,
      replayed: 0,
      foldedNames: 0,
      foldedSegmentValues: 0,
      idsForgottenEarly: 0,
      newProfiles: 0,
    },
  };
}

export function newWindowState(startMs: number, windowSizeMs: number): WindowState {
  return {
    startMs,
    endMs: startMs + windowSizeMs,
    lastOffset: -1,
    segments: new Map(),
    sample: emptyRecordSample(),
    sampledOffset: -1,
    changed: false,
    storedAtFlush: 0,
  };
}

/** Event time that the version is expected to have passed: what comes behind it is late. */
export function watermarkMs(state: VersionState): number {
  return state.maxEventTimeMs - state.settings.allowedLateness;
}

/**
 * Counts one prediction. Its window must be in `state.windows` if it may have been stored before
 * (a start up to `highestWindowStartMs`); a newer one is opened here.
 */
export function countPrediction(
  state: VersionState,
  { prediction, offset }: PredictionRecord,
): Verdict {
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
  const idHash = fnv1a(prediction.id);
  if (isKnownId(state, prediction, idHash)) {
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
  if (offset > window.sampledOffset) {
    window.sampledOffset = offset;
    window.changed = true;
    addToSample(
      window.sample,
      idHash,
      prediction.features,
      prediction.score ?? prediction.prediction,
    );
  }
  return 'counted';
}

function describeDelay(milliseconds: number): string {
  const hours = milliseconds / 3_600_000;
  return hours < 48 ? `${Number(hours.toFixed(1))} h` : `${Number((hours / 24).toFixed(1))} d`;
}

/** Event time in which ids are forgotten together where there are too many: a part of a window, and a number that fits in 32 bits. */
function idSliceMs({ window }: ModelSettings): number {
  return window % 1000 === 0 ? 1000 : window;
}

/** @returns whether the id is remembered already */
export function remember(
  { knownIds, settings }: VersionState,
  id: string,
  timeMs: number,
  idHash?: number,
): boolean {
  return !rememberId(knownIds, id, Math.floor(timeMs / idSliceMs(settings)), idHash);
}

/** @returns whether the id is known; from now on it is. Too old a time remembers nothing. */
function isKnownId(state: VersionState, { id, time }: LoggedPrediction, idHash: number): boolean {
  return time >= state.deduplicatedFromMs && remember(state, id, time, idHash);
}

/** Ids are kept for the deduplication horizon, and longer while they are few; of more than a million the oldest are forgotten. */
function forgetOldIds(state: VersionState): void {
  const { knownIds, settings } = state;
  while (knownIds.size > knownIdsKept) {
    const early =
      (knownIds.oldestWindow + 1) * settings.window > watermarkMs(state) - settings.deduplication;
    if (early && knownIds.size <= knownIdsAtMost) return;
    if (early) state.tally.idsForgottenEarly += forgetOldestSlices(knownIds, knownIdsKeptOfTooMany);
    else forgetOldestWindow(knownIds);
    state.deduplicatedFromMs = knownIds.fromSlice * idSliceMs(settings);
  }
}

function addToWindow(
  { settings, tally }: VersionState,
  window: WindowState,
  prediction: LoggedPrediction,
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
    profiles = { feature: new Map(), output: new Map(), operation: new Map(), waiting: null };
    window.segments.set(segment, profiles);
  }
  return profiles;
}

/** Adds the inputs and outputs of one prediction, which are counted later: `countedSegments` sees to it. */
export function addToProfiles(
  profiles: SegmentProfiles,
  prediction: LoggedPrediction,
  tally: Tally,
): void {
  const { names, values } = prediction.features;
  const { batch, folded } = roomForOne(profiles, names, tally);
  for (let column = 0; column < names.length; column++)
    setValue(batch, column, values[column] ?? null);
  for (let index = 0; index < outputs.length; index++) {
    const { kind, name, valueIn } = outputs[index]!;
    const column = names.length + index;
    const value = valueIn(prediction) ?? undefined;
    if (value !== undefined) batch.profiles[column] ??= profileOf(profiles[kind], name, tally);
    if (batch.profiles[column] !== null) setValue(batch, column, value);
  }
  batch.rows++;
  tally.foldedNames += folded;
}

/** Records that name the same features wait together, from the second one on: names may change with every record. */
function roomForOne(
  profiles: SegmentProfiles,
  names: readonly string[],
  tally: Tally,
): WaitingRecords {
  const { waiting } = profiles;
  if (waiting === null || waiting.names !== names) {
    countWaiting(profiles);
    profiles.waiting = noneWaiting(profiles.feature, names, tally);
    return profiles.waiting;
  }
  const { batch, folded } = waiting;
  if (batch.rows < batch.mostRows) return waiting;
  countBatch(batch);
  // Where several columns have one profile, its sum shall be that of the records in their order.
  if (batch.mostRows === 1 && folded === 0)
    waiting.batch = emptyRecordBatch(batch.profiles, mostWaitingRecords);
  return waiting;
}

function noneWaiting(
  profiles: Map<string, FeatureProfile>,
  names: readonly string[],
  tally: Tally,
): WaitingRecords {
  const ofFeatures = names.map(name => profileOf(profiles, name, tally));
  const folded = names.filter(name => !profiles.has(name)).length;
  return { names, folded, batch: emptyRecordBatch([...ofFeatures, ...outputs.map(() => null)], 1) };
}

function countWaiting(profiles: SegmentProfiles): void {
  if (profiles.waiting !== null) countBatch(profiles.waiting.batch);
  profiles.waiting = null;
}

/** The profiles of a window by segment, with all that was added to them counted. */
export function countedSegments({ segments }: WindowState): ReadonlyMap<string, SegmentProfiles> {
  for (const profiles of segments.values()) countWaiting(profiles);
  return segments;
}

/** The profile of a name: a new one if it has none yet, or that of all names past the limit. */
function profileOf(
  profiles: Map<string, FeatureProfile>,
  name: string,
  tally: Tally,
): FeatureProfile {
  const key = profiles.has(name) || profiles.size < mostNamesPerWindow ? name : overflowName;
  const known = profiles.get(key);
  if (known) return known;
  const profile = emptyFeatureProfile();
  profiles.set(key, profile);
  tally.newProfiles++;
  return profile;
}

/** Takes note of what a flush has stored. */
export function settleVersion(state: VersionState, flush: number): void {
  for (const window of state.windows.values()) {
    if (window.changed) window.storedAtFlush = flush;
    window.changed = false;
  }
  state.changed = false;
  state.touchedWindows.clear();
  state.tally.newProfiles = 0;
  state.usedAtFlush = flush;
  state.bytes = recentIdsBytes(state.knownIds);
  for (const window of state.windows.values()) state.bytes += windowBytes(window);
}

/**
 * What is stored may leave memory, and right after a flush that is everything: what comes again is read again from ClickHouse.
 * Closed windows go first, those that were changed the longest ago before the others; then whole versions, in the same order.
 * @returns how many of each left
 */
export function evictToBytes(
  partitions: readonly Map<string, VersionState>[],
  mostBytes: number,
): { windows: number; versions: number } {
  const evicted = { windows: 0, versions: 0 };
  const versions = partitions.flatMap(held =>
    [...held].map(([key, state]) => ({ held, key, state })),
  );
  let bytes = versions.reduce((sum, { state }) => sum + state.bytes, 0);
  if (bytes <= mostBytes) return evicted;
  const closed = versions.flatMap(({ state }) =>
    [...state.windows.values()]
      .filter(({ changed, endMs }) => !changed && endMs <= watermarkMs(state))
      .map(window => ({ state, window })),
  );
  closed.sort(
    (a, b) =>
      a.window.storedAtFlush - b.window.storedAtFlush || a.window.startMs - b.window.startMs,
  );
  for (const { state, window } of closed) {
    if (bytes <= mostBytes) return evicted;
    const freed = windowBytes(window);
    bytes -= freed;
    state.bytes -= freed;
    state.windows.delete(window.startMs);
    evicted.windows++;
  }
  versions.sort((a, b) => a.state.usedAtFlush - b.state.usedAtFlush);
  for (const { held, key, state } of versions) {
    if (bytes <= mostBytes) return evicted;
    if (state.changed) continue;
    bytes -= state.bytes;
    held.delete(key);
    evicted.versions++;
  }
  return evicted;
}

const windowOverheadBytes = 1_000;

function windowBytes(window: WindowState): number {
  let bytes = windowOverheadBytes + recordSampleBytes(window.sample);
  for (const { feature, output, operation } of window.segments.values()) {
    for (const profiles of [feature, output, operation])
      for (const profile of profiles.values()) bytes += featureProfileBytes(profile);
  }
  return bytes;
}

export function profileCount(window: WindowState): number {
  let profiles = 0;
  for (const { feature, output, operation } of window.segments.values())
    profiles += feature.size + output.size + operation.size;
  return profiles;
}
