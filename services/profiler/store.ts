import { type Clickhouse, clickhouseTime } from '../shared/clickhouse.ts';
import { fromProfileRow, type ProfileRow, toProfileRow } from '../shared/profile/profileRow.ts';
import { queryPortions } from '../shared/queryPortions.ts';
import type { RowBinary } from '../shared/rowBinary.ts';
import type { ModelSettings } from '../shared/settings.ts';
import type { VersionName } from '../shared/versionKey.ts';
import { predictionColumns } from './predictionRow.ts';
import {
  newVersionState,
  newWindowState,
  type ProfileKind,
  profilesOf,
  rememberId,
  type VersionState,
  type WindowState,
} from './profiler.ts';

interface StoredProfile extends ProfileRow {
  model: string;
  version: string;
  segment: string;
  start_ms: number;
  end_ms: number;
  kind: ProfileKind;
  feature: string;
  last_offset: number;
}

const profileKinds: readonly ProfileKind[] = ['feature', 'output', 'operation'];

export type ProfilerStore = ReturnType<typeof profilerStore>;

/** The SQL of the profiler. Rows are written in the order predictions, windows, progress: what progress claims is there. */
export function profilerStore(clickhouse: Clickhouse) {
  function selectWindows(
    wanted: readonly (VersionName & { startMs: number })[],
    partition: number,
  ): Promise<StoredProfile[]> {
    return clickhouse.select<StoredProfile>(
      `SELECT * EXCEPT (window_start, window_end, ingested_at, source_partition),
              toUnixTimestamp64Milli(window_start) AS start_ms, toUnixTimestamp64Milli(window_end) AS end_ms
       FROM window_profiles FINAL
       WHERE source_partition = {partition:Int32}
         AND (model, version, toUnixTimestamp64Milli(window_start)) IN
             arrayZip({models:Array(String)}, {versions:Array(String)}, {starts:Array(Int64)})
         AND model IN {models:Array(String)} AND window_start >= fromUnixTimestamp64Milli({fromMs:Int64})`,
      {
        partition,
        models: wanted.map(window => window.model),
        versions: wanted.map(window => window.version),
        starts: wanted.map(window => window.startMs),
        fromMs: Math.min(...wanted.map(window => window.startMs)),
      },
    );
  }

  return {
    /** State of a version at the offset of its last stored progress, or a new one. Windows are loaded when they are needed. */
    async loadVersion(
      { model, version }: VersionName,
      partition: number,
      settings: ModelSettings,
    ): Promise<VersionState> {
      const state = newVersionState(model, version, settings);
      const parameters = { model, version, partition };
      const [progress] = await clickhouse.select<{
        last_offset: number;
        first_event_time_ms: number;
        max_event_time_ms: number;
        deduplicated_from_ms: number | null;
        predictions: number;
        duplicates: number;
        late: number;
        too_late: number;
      }>(
        `SELECT last_offset, toUnixTimestamp64Milli(first_event_time) AS first_event_time_ms,
                toUnixTimestamp64Milli(max_event_time) AS max_event_time_ms,
                toUnixTimestamp64Milli(deduplicated_from) AS deduplicated_from_ms, predictions, duplicates, late, too_late
         FROM stream_progress FINAL
         WHERE model = {model:String} AND version = {version:String} AND source_partition = {partition:Int32}`,
        parameters,
      );
      const [windows] = await clickhouse.select<{ highest_ms: number; stored: number }>(
        `SELECT toUnixTimestamp64Milli(max(window_start)) AS highest_ms, count() AS stored FROM window_profiles
         WHERE model = {model:String} AND version = {version:String} AND source_partition = {partition:Int32}`,
        parameters,
      );
      if (windows && windows.stored > 0) state.highestWindowStartMs = windows.highest_ms;
      if (!progress) return state;

      state.lastOffset = progress.last_offset;
      state.firstEventTimeMs = progress.predictions > 0 ? progress.first_event_time_ms : Number.POSITIVE_INFINITY;
      state.maxEventTimeMs = progress.predictions > 0 ? progress.max_event_time_ms : Number.NEGATIVE_INFINITY;
      state.predictions = progress.predictions;
      state.duplicates = progress.duplicates;
      state.late = progress.late;
      state.tooLate = progress.too_late;
      const ids = await clickhouse.select<{ id: string; start_ms: number }>(
        `SELECT id, intDiv(toUnixTimestamp64Milli(event_time), {windowMs:Int64}) * {windowMs:Int64} AS start_ms FROM predictions FINAL
         WHERE model = {model:String} AND version = {version:String} AND event_time >= fromUnixTimestamp64Milli({fromMs:Int64})
           AND source_partition = {partition:Int32} AND source_offset <= {offset:UInt64}`,
        {
          ...parameters,
          fromMs: progress.deduplicated_from_ms ?? 0,
          offset: progress.last_offset,
          windowMs: settings.window,
        },
      );
      if (progress.deduplicated_from_ms) state.deduplicatedFromMs = progress.deduplicated_from_ms;
      for (const { id, start_ms } of ids) rememberId(state, start_ms, id);
      return state;
    },

    /** Windows of one partition that were stored; a start that was not is absent. */
    async loadWindows(
      wanted: { model: string; version: string; startMs: number }[],
      partition: number,
      settingsOf: (model: string) => ModelSettings,
    ) {
      const loaded = new Map<string, WindowState>();
      // The longer of the two names bounds the longest parameter.
      const longest = ({ model, version }: VersionName) => (model.length > version.length ? model : version);
      for (const portion of queryPortions(wanted, window => `${longest(window)}${window.startMs}`)) {
        for (const row of await selectWindows(portion, partition)) addRow(loaded, row, settingsOf(row.model).window);
      }
      return loaded;
    },

    insertPredictions: (rows: RowBinary) => clickhouse.insertBinary('predictions', predictionColumns, rows),

    /** All rows of a window go in one block, so that no reader and no restart sees half of it. */
    insertWindows: (rows: readonly object[]) => clickhouse.insert('window_profiles', rows),

    insertProgress: (rows: readonly object[]) => clickhouse.insert('stream_progress', rows),
  };
}

export function windowKey(model: string, version: string, startMs: number): string {
  return JSON.stringify([model, version, startMs]);
}

/** Puts a stored profile in its window; one of windows of another size, from before a change of the settings, is not continued. */
function addRow(windows: Map<string, WindowState>, row: StoredProfile, windowSizeMs: number): void {
  if (row.end_ms - row.start_ms !== windowSizeMs) return;
  const key = windowKey(row.model, row.version, row.start_ms);
  const window = windows.get(key) ?? newWindowState(row.start_ms, windowSizeMs);
  windows.set(key, window);
  window.lastOffset = Math.max(window.lastOffset, row.last_offset);
  profilesOf(window, row.segment)[row.kind].set(row.feature, fromProfileRow(row));
}

/** Rows of window_profiles for one window of one partition. */
export function windowRows({ model, version }: VersionName, window: WindowState, partition: number): object[] {
  const rows: object[] = [];
  for (const [segment, profiles] of window.segments) {
    for (const kind of profileKinds) {
      for (const [feature, profile] of profiles[kind]) {
        rows.push({
          model,
          version,
          segment,
          window_start: clickhouseTime(window.startMs),
          window_end: clickhouseTime(window.endMs),
          kind,
          feature,
          source_partition: partition,
          last_offset: window.lastOffset,
          ...toProfileRow(profile),
        });
      }
    }
  }
  return rows;
}

/** Row of stream_progress for one version in one partition. */
export function progressRow(state: VersionState, partition: number): object {
  const seen = state.predictions > 0;
  return {
    model: state.model,
    version: state.version,
    source_partition: partition,
    last_offset: state.lastOffset,
    first_event_time: clickhouseTime(seen ? state.firstEventTimeMs : 0),
    max_event_time: clickhouseTime(seen ? state.maxEventTimeMs : 0),
    deduplicated_from: clickhouseTime(Math.max(0, state.deduplicatedFromMs)),
    predictions: state.predictions,
    duplicates: state.duplicates,
    late: state.late,
    too_late: state.tooLate,
  };
}
