import type { ModelSettings } from '../../shared/config/settings.ts';
import { noRecentRecords, type RecentRecords } from '../../shared/service/recentRecords.ts';
import type { VersionName } from '../../shared/versionKey.ts';
import { type CountedIds, noCountedIds } from './deduplication.ts';
import type { EventClock } from './eventClock.ts';
import type { WindowState } from './windowState.ts';

/** How far a model version has come in one source partition: what stream_progress stores of it. */
export interface VersionProgress extends EventClock {
  /** Offset of the last record that was counted, or -1. */
  lastOffset: number;
  firstEventTimeMs: number;
  predictions: number;
  duplicates: number;
  late: number;
  tooLate: number;
  deduplicatedFromMs: number;
  /** Predictions and duplicates among the newest records of the partition. */
  recent: RecentRecords;
}

/** What the profiler knows of one model version in one source partition. */
export interface VersionState extends VersionName, VersionProgress, CountedIds {
  /** The last prediction that was counted of the last record; infinite when it is complete. */
  lastRow: number;
  settings: ModelSettings;
  /**
   * By start. Windows that are stored may be absent; `highestWindowStartMs` says which certainly
   * are not stored.
   */
  windows: Map<number, WindowState>;
  /** No window that starts later has ever been stored. */
  highestWindowStartMs: number;
  /**
   * Starts of the windows to announce: those that changed, and those of records that are delivered
   * again, because Kafka may not have their announcement.
   */
  touchedWindows: Set<number>;
  /** True if it has something that is not stored. */
  changed: boolean;
  /** Codes of the notices on its times that were stated last, or null before the first time. */
  toldOfTimes: string | null;
  /** Number of the flush that last had something of it. */
  usedAtFlush: number;
  /** Memory that it took at that flush. */
  bytes: number;
}

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
    lastRow: Number.POSITIVE_INFINITY,
    firstEventTimeMs: Number.POSITIVE_INFINITY,
    maxEventTimeMs: Number.NEGATIVE_INFINITY,
    leapRecords: 0,
    leapFromMs: Number.POSITIVE_INFINITY,
    predictions: 0,
    duplicates: 0,
    late: 0,
    tooLate: 0,
    recent: noRecentRecords(),
    knownIds: noCountedIds(settings),
    deduplicatedFromMs: Number.NEGATIVE_INFINITY,
    windows: new Map(),
    highestWindowStartMs: Number.NEGATIVE_INFINITY,
    touchedWindows: new Set(),
    changed: false,
    toldOfTimes: null,
    usedAtFlush: 0,
    bytes: 0,
  };
}

/**
 * Sets a new state to its stored progress. The ids that were counted up to there have to be
 * remembered as well.
 */
export function restoreProgress(state: VersionState, progress: VersionProgress): void {
  state.lastOffset = progress.lastOffset;
  state.firstEventTimeMs = progress.firstEventTimeMs;
  state.maxEventTimeMs = progress.maxEventTimeMs;
  state.leapRecords = progress.leapRecords;
  state.leapFromMs = progress.leapFromMs;
  state.predictions = progress.predictions;
  state.duplicates = progress.duplicates;
  state.late = progress.late;
  state.tooLate = progress.tooLate;
  state.recent = progress.recent;
  state.deduplicatedFromMs = progress.deduplicatedFromMs;
}

/** Event time that the version is expected to have passed. Records behind it come late. */
export function watermarkMs(state: VersionState): number {
  return state.maxEventTimeMs - state.settings.outOfOrdernessMs;
}
