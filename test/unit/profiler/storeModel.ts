import { rememberCountedId } from '../../../services/profiler/counting/deduplication.ts';
import {
  countPrediction,
  isCounted,
  type PredictionRecord,
} from '../../../services/profiler/counting/profiler.ts';
import { emptyTally } from '../../../services/profiler/counting/tally.ts';
import {
  newVersionState,
  restoreProgress,
  type VersionState,
} from '../../../services/profiler/counting/versionState.ts';
import {
  newWindowState,
  restoreProfile,
  restoreSample,
  type WindowState,
} from '../../../services/profiler/counting/windowState.ts';
import { evictToBytes, settleVersion } from '../../../services/profiler/memory/versionMemory.ts';
import { progressRow } from '../../../services/profiler/store/progressTable.ts';
import type { ModelSettings } from '../../../services/shared/config/settings.ts';
import { fromProfileRow } from '../../../services/shared/profile/profileRow.ts';
import {
  type SampledRecords,
  sampledRecords,
} from '../../../services/shared/profile/recordSample.ts';
import { windowStartMs } from '../../../services/shared/timeWindow.ts';
import { type WindowRow, windowRows } from './windowRows.ts';

type ProgressRow = Record<
  | 'last_offset'
  | 'predictions'
  | 'duplicates'
  | 'late'
  | 'too_late'
  | 'leap_records'
  | 'recent_block'
  | 'recent_in_block'
  | 'recent_in_previous_block',
  number
> & {
  first_event_time: string;
  max_event_time: string;
  leap_from: string;
};

/**
 * ClickHouse as the profiler sees it. Of rows with the same key it keeps the one with the highest
 * offset, of predictions the one with the lowest.
 */
export interface StoreModel {
  /**
   * Rows by segment, window start, kind and feature. All rows of a window are written in one block.
   */
  windows: Map<string, WindowRow>;
  /** Samples by window start. They are written in a block of their own. */
  samples: Map<number, SampledRecords & { last_offset: number }>;
  progress: ProgressRow | null;
  predictions: Map<string, PredictionRecord>;
  /** Offsets of the dead letters. */
  deadLetters: Set<number>;
  committed: number;
}

export const emptyStore = (): StoreModel => ({
  windows: new Map(),
  samples: new Map(),
  progress: null,
  predictions: new Map(),
  deadLetters: new Set(),
  committed: 0,
});

const milliseconds = (text: string) => Date.parse(`${text.replace(' ', 'T')}Z`);

/**
 * A profiler with one version in one partition. It does what profilerHandler.ts does, without
 * servers.
 */
export class ProfilerModel {
  state: VersionState;
  position: number;
  private readonly store: StoreModel;
  private counted: PredictionRecord[] = [];
  private rejected: number[] = [];

  constructor(store: StoreModel, settings: ModelSettings, position = store.committed) {
    this.store = store;
    this.position = position;
    this.state = loaded(store, settings);
  }

  take(log: readonly PredictionRecord[], count: number): void {
    for (const record of log.slice(this.position, this.position + count)) {
      const { state } = this;
      const startMs = windowStartMs(record.prediction.time, state.settings.windowSizeMs);
      if (
        record.offset > state.lastOffset &&
        startMs <= state.highestWindowStartMs &&
        !state.windows.has(startMs)
      ) {
        state.windows.set(startMs, loadedWindow(this.store, startMs, state.settings.windowSizeMs));
      }
      const result = countPrediction(state, record, emptyTally());
      if (isCounted(result)) this.counted.push(record);
      else if (typeof result === 'object') this.rejected.push(record.offset);
      this.position++;
    }
  }

  /**
   * @param steps number of steps that are reached, of: predictions, windows, samples, dead letters,
   * progress, commit
   */
  flush(steps: number): void {
    const { store, state } = this;
    const actions = [
      () => this.writePredictions(),
      () => {
        for (const window of state.windows.values())
          if (window.changed)
            for (const row of windowRows(state, window)) writeWindowRow(store, row);
      },
      () => {
        for (const window of state.windows.values()) if (window.changed) writeSample(store, window);
      },
      () => {
        for (const offset of this.rejected) store.deadLetters.add(offset);
      },
      () => {
        const row = progressRow(state, 0) as ProgressRow;
        if (state.changed && row.last_offset >= (store.progress?.last_offset ?? -1))
          store.progress = row;
      },
      () => {
        store.committed = this.position;
      },
    ];
    for (const action of actions.slice(0, steps)) action();
    this.counted = [];
    this.rejected = [];
    settleVersion(state, 1);
  }

  evict(maxBytes: number): void {
    evictToBytes([new Map([['', this.state]])], maxBytes);
  }

  private writePredictions(): void {
    for (const record of this.counted) {
      const key = `${record.prediction.time} ${record.prediction.id}`;
      const known = this.store.predictions.get(key);
      if (!known || record.offset < known.offset) this.store.predictions.set(key, record);
    }
  }
}

function writeWindowRow(store: StoreModel, row: WindowRow): void {
  const key = JSON.stringify([row.segment, row.window_start, row.kind, row.feature]);
  const known = store.windows.get(key);
  if (!known || row.last_offset >= known.last_offset) store.windows.set(key, row);
}

function writeSample(store: StoreModel, { startMs, sample, sampledOffset }: WindowState): void {
  const known = store.samples.get(startMs);
  if (!known || sampledOffset >= known.last_offset)
    store.samples.set(startMs, { ...sampledRecords(sample), last_offset: sampledOffset });
}

function loaded(
  { progress, predictions, windows }: StoreModel,
  settings: ModelSettings,
): VersionState {
  const state = newVersionState('m', '1', settings);
  for (const row of windows.values())
    state.highestWindowStartMs = Math.max(state.highestWindowStartMs, row.window_start);
  if (!progress) return state;
  const seen = progress.predictions > 0;
  restoreProgress(state, {
    lastOffset: progress.last_offset,
    firstEventTimeMs: seen ? milliseconds(progress.first_event_time) : Number.POSITIVE_INFINITY,
    maxEventTimeMs: seen ? milliseconds(progress.max_event_time) : Number.NEGATIVE_INFINITY,
    leapRecords: progress.leap_records,
    leapFromMs:
      progress.leap_records > 0 ? milliseconds(progress.leap_from) : Number.POSITIVE_INFINITY,
    predictions: progress.predictions,
    duplicates: progress.duplicates,
    late: progress.late,
    tooLate: progress.too_late,
    recent: {
      block: progress.recent_block,
      inBlock: progress.recent_in_block,
      inPreviousBlock: progress.recent_in_previous_block,
    },
    deduplicatedFromMs: state.deduplicatedFromMs,
  });
  for (const { prediction, offset } of predictions.values()) {
    if (offset <= progress.last_offset) rememberCountedId(state, prediction.id, prediction.time);
  }
  return state;
}

function loadedWindow(store: StoreModel, startMs: number, sizeMs: number): WindowState {
  const window = newWindowState(startMs, sizeMs);
  for (const row of store.windows.values()) {
    if (row.window_start !== startMs) continue;
    restoreProfile(window, {
      segment: row.segment,
      kind: row.kind,
      name: row.feature,
      profile: fromProfileRow(JSON.parse(JSON.stringify(row))),
      lastOffset: row.last_offset,
    });
  }
  const sample = store.samples.get(startMs);
  if (sample) restoreSample(window, { records: sample, lastOffset: sample.last_offset });
  return window;
}
