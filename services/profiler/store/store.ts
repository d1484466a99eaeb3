import { type Clickhouse, clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import { queryPortions } from '../../shared/clickhouse/queryPortions.ts';
import type { ModelSettings } from '../../shared/config/settings.ts';
import { fromProfileRow, type ProfileRow } from '../../shared/profile/profileRow.ts';
import {
  fromSampleRow,
  recordSampleOf,
  type SampleRow,
} from '../../shared/profile/recordSample.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import type { PredictionBlock } from '../blocks/predictionBlock.ts';
import type { SampleBlock } from '../blocks/sampleBlock.ts';
import type { WindowBlock } from '../blocks/windowBlock.ts';
import {
  newVersionState,
  newWindowState,
  type ProfileKind,
  profilesOf,
  remember,
  type VersionState,
  type WindowState,
} from '../counting/profiler.ts';

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

interface StoredSample extends SampleRow {
  model: string;
  version: string;
  start_ms: number;
  end_ms: number;
  last_offset: number;
}

interface StoredProgress extends VersionName {
  last_offset: number;
  first_event_time_ms: number;
  max_event_time_ms: number;
  deduplicated_from_ms: number;
  predictions: number;
  duplicates: number;
  late: number;
  too_late: number;
}

const mostVersionsPerQuery = 200;
const inVersions = '(model, version) IN arrayZip({models:Array(String)}, {versions:Array(String)})';

function namesOf(versions: readonly VersionName[]) {
  return {
    models: versions.map(({ model }) => model),
    versions: versions.map(({ version }) => version),
  };
}

/** It bounds the longest parameter. */
function longerName({ model, version }: VersionName): string {
  return model.length > version.length ? model : version;
}

function applyProgress(state: VersionState, progress: StoredProgress): void {
  const seen = progress.predictions > 0;
  state.lastOffset = progress.last_offset;
  state.firstEventTimeMs = seen ? progress.first_event_time_ms : Number.POSITIVE_INFINITY;
  state.maxEventTimeMs = seen ? progress.max_event_time_ms : Number.NEGATIVE_INFINITY;
  state.predictions = progress.predictions;
  state.duplicates = progress.duplicates;
  state.late = progress.late;
  state.tooLate = progress.too_late;
  if (progress.deduplicated_from_ms > 0) state.deduplicatedFromMs = progress.deduplicated_from_ms;
}

export type ProfilerStore = ReturnType<typeof profilerStore>;

/** The SQL of the profiler. Rows are written in the order predictions, windows, their samples, progress: what progress claims is there. */
export function profilerStore(clickhouse: Clickhouse) {
  /** @param table with rows per window and source partition */
  function selectWindows<Row>(
    table: 'window_profiles' | 'window_samples',
    wanted: readonly (VersionName & { startMs: number })[],
    partition: number,
  ): Promise<Row[]> {
    return clickhouse.select<Row>(
      `SELECT * EXCEPT (window_start, window_end, ingested_at, source_partition),
              toUnixTimestamp64Milli(window_start) AS start_ms, toUnixTimestamp64Milli(window_end) AS end_ms
       FROM ${table} FINAL
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

  function selectHighestWindows(versions: readonly VersionName[], partition: number) {
    return clickhouse.select<VersionName & { highest_ms: number }>(
      `SELECT model, version, toUnixTimestamp64Milli(max(window_start)) AS highest_ms FROM window_profiles
       WHERE ${inVersions} AND source_partition = {partition:Int32} GROUP BY model, version`,
      { ...namesOf(versions), partition },
    );
  }

  function selectProgress(versions: readonly VersionName[], partition: number) {
    return clickhouse.select<StoredProgress>(
      `SELECT model, version, last_offset, toUnixTimestamp64Milli(first_event_time) AS first_event_time_ms,
              toUnixTimestamp64Milli(max_event_time) AS max_event_time_ms,
              toUnixTimestamp64Milli(deduplicated_from) AS deduplicated_from_ms, predictions, duplicates, late, too_late
       FROM stream_progress FINAL WHERE ${inVersions} AND source_partition = {partition:Int32}`,
      { ...namesOf(versions), partition },
    );
  }

  /** Row by row: there may be a million ids of each version. */
  async function loadIds(
    progress: readonly StoredProgress[],
    partition: number,
    states: ReadonlyMap<string, VersionState>,
  ): Promise<void> {
    if (progress.length === 0) return;
    const parameters: Record<string, unknown> = { partition };
    const alternatives = progress.map(
      ({ model, version, deduplicated_from_ms, last_offset }, index) => {
        parameters[`model${index}`] = model;
        parameters[`version${index}`] = version;
        return `model = {model${index}:String} AND version = {version${index}:String}
          AND event_time >= fromUnixTimestamp64Milli(${deduplicated_from_ms}) AND source_offset <= ${last_offset}`;
      },
    );
    await clickhouse.selectEach<VersionName & { id: string; time_ms: number }>(
      `SELECT model, version, id, toUnixTimestamp64Milli(event_time) AS time_ms FROM predictions
       WHERE source_partition = {partition:Int32} AND (${alternatives.map(sql => `(${sql})`).join(' OR ')})`,
      parameters,
      row => {
        remember(states.get(versionKey(row))!, row.id, row.time_ms);
      },
    );
  }

  return {
    /**
     * State of versions at the offset of their last stored progress, or new ones. Windows are loaded when they are needed.
     * Few queries for many versions: a flood of new names must not cost a query for each.
     */
    async loadVersions(
      names: readonly VersionName[],
      partition: number,
      settingsOf: (model: string) => ModelSettings,
    ): Promise<VersionState[]> {
      const states: VersionState[] = [];
      for (const portion of queryPortions(names, longerName, mostVersionsPerQuery)) {
        const loaded = portion.map(({ model, version }) =>
          newVersionState(model, version, settingsOf(model)),
        );
        const byKey = new Map(loaded.map(state => [versionKey(state), state]));
        for (const row of await selectHighestWindows(portion, partition))
          byKey.get(versionKey(row))!.highestWindowStartMs = row.highest_ms;
        const progress = await selectProgress(portion, partition);
        for (const row of progress) applyProgress(byKey.get(versionKey(row))!, row);
        await loadIds(progress, partition, byKey);
        states.push(...loaded);
      }
      return states;
    },

    /** Windows of one partition that were stored; a start that was not is absent. */
    async loadWindows(
      wanted: { model: string; version: string; startMs: number }[],
      partition: number,
      settingsOf: (model: string) => ModelSettings,
    ) {
      const loaded = new Map<string, WindowState>();
      for (const portion of queryPortions(
        wanted,
        window => `${longerName(window)}${window.startMs}`,
      )) {
        const [profiles, samples] = await Promise.all([
          selectWindows<StoredProfile>('window_profiles', portion, partition),
          selectWindows<StoredSample>('window_samples', portion, partition),
        ]);
        for (const row of profiles) addProfile(loaded, row, settingsOf(row.model).window);
        for (const row of samples) addSample(loaded, row, settingsOf(row.model).window);
      }
      return loaded;
    },

    insertPredictions: (rows: PredictionBlock) => clickhouse.insertBlock('predictions', rows),

    /** All rows of a window go in one block, so that no reader and no restart sees half of it. */
    insertWindows: (rows: WindowBlock) => clickhouse.insertBlock('window_profiles', rows),

    insertSamples: (rows: SampleBlock) => clickhouse.insertBlock('window_samples', rows),

    insertProgress: (rows: readonly object[]) => clickhouse.insert('stream_progress', rows),
  };
}

export function windowKey(model: string, version: string, startMs: number): string {
  return JSON.stringify([model, version, startMs]);
}

function addProfile(
  windows: Map<string, WindowState>,
  row: StoredProfile,
  windowSizeMs: number,
): void {
  const window = windowOf(windows, row, windowSizeMs);
  if (!window) return;
  window.lastOffset = Math.max(window.lastOffset, row.last_offset);
  profilesOf(window, row.segment)[row.kind].set(row.feature, fromProfileRow(row));
}

function addSample(
  windows: Map<string, WindowState>,
  row: StoredSample,
  windowSizeMs: number,
): void {
  const window = windowOf(windows, row, windowSizeMs);
  if (!window) return;
  window.sampledOffset = row.last_offset;
  window.sample = recordSampleOf(fromSampleRow(row));
}

/** The window of a stored row; one of another size, from before a change of the settings, is not continued. */
function windowOf(
  windows: Map<string, WindowState>,
  { model, version, start_ms, end_ms }: StoredProfile | StoredSample,
  windowSizeMs: number,
): WindowState | null {
  if (end_ms - start_ms !== windowSizeMs) return null;
  const key = windowKey(model, version, start_ms);
  const window = windows.get(key) ?? newWindowState(start_ms, windowSizeMs);
  windows.set(key, window);
  return window;
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
