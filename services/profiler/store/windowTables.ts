import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import { queryPortions } from '../../shared/clickhouse/queryPortions.ts';
import { fromProfileRow, type ProfileRow } from '../../shared/profile/profileRow.ts';
import {
  fromSampleRow,
  type SampledRecords,
  type SampleRow,
} from '../../shared/profile/recordSample.ts';
import type { VersionName } from '../../shared/versionKey.ts';
import type { SampleBlock } from '../blocks/sampleBlock.ts';
import type { WindowBlock } from '../blocks/windowBlock.ts';
import type { ProfileKind } from '../counting/segmentProfiles.ts';
import type { StoredProfile } from '../counting/windowState.ts';
import { inVersions, longerName, versionParameters, versionPortions } from './versionQueries.ts';

/** Names the window of a model version that starts at a time. */
export interface WindowName extends VersionName {
  startMs: number;
}

interface StoredWindow extends WindowName {
  endMs: number;
  lastOffset: number;
}

export interface StoredWindows {
  profiles: (StoredWindow & StoredProfile)[];
  samples: (StoredWindow & { records: SampledRecords })[];
}

interface WindowRow extends VersionName {
  start_ms: number;
  end_ms: number;
  last_offset: number;
}

interface SelectedProfile extends WindowRow, ProfileRow {
  segment: string;
  kind: ProfileKind;
  feature: string;
}

interface SelectedSample extends WindowRow, SampleRow {}

/** The tables window_profiles and window_samples. */
export class WindowTables {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  /**
   * Returns what is stored of windows in one partition. A window that was never stored is absent.
   */
  async select(windows: readonly WindowName[], partition: number): Promise<StoredWindows> {
    const found: StoredWindows = { profiles: [], samples: [] };
    const longestText = (window: WindowName) => `${longerName(window)}${window.startMs}`;
    for (const portion of queryPortions(windows, longestText)) {
      const [profiles, samples] = await Promise.all([
        this.#selectRows<SelectedProfile>('window_profiles', portion, partition),
        this.#selectRows<SelectedSample>('window_samples', portion, partition),
      ]);
      for (const row of profiles) found.profiles.push(storedProfile(row));
      for (const row of samples)
        found.samples.push({ ...storedWindow(row), records: fromSampleRow(row) });
    }
    return found;
  }

  #selectRows<Row>(
    table: 'window_profiles' | 'window_samples',
    windows: readonly WindowName[],
    partition: number,
  ): Promise<Row[]> {
    const starts = windows.map(({ startMs }) => startMs);
    return this.#clickhouse.select<Row>(
      `SELECT * EXCEPT (window_start, window_end, ingested_at, source_partition),
              toUnixTimestamp64Milli(window_start) AS start_ms,
              toUnixTimestamp64Milli(window_end) AS end_ms
       FROM ${table} FINAL
       WHERE source_partition = {partition:Int32}
         AND (model, version, toUnixTimestamp64Milli(window_start)) IN
             arrayZip({models:Array(String)}, {versions:Array(String)}, {starts:Array(Int64)})
         AND model IN {models:Array(String)}
         AND window_start >= fromUnixTimestamp64Milli({fromMs:Int64})`,
      { partition, ...versionParameters(windows), starts, fromMs: Math.min(...starts) },
    );
  }

  /** Returns the highest start of the stored windows of each version in one partition. */
  async selectHighestStarts(
    versions: readonly VersionName[],
    partition: number,
  ): Promise<WindowName[]> {
    const found: WindowName[] = [];
    for (const portion of versionPortions(versions)) {
      const rows = await this.#clickhouse.select<WindowName>(
        `SELECT model, version, toUnixTimestamp64Milli(max(window_start)) AS startMs
         FROM window_profiles
         WHERE ${inVersions} AND source_partition = {partition:Int32} GROUP BY model, version`,
        { ...versionParameters(portion), partition },
      );
      found.push(...rows);
    }
    return found;
  }

  /**
   * Inserts profiles. All of a window go in one block, so that no reader and no restart sees half
   * of them.
   */
  insertProfiles(rows: WindowBlock): Promise<void> {
    return this.#clickhouse.insertBlock('window_profiles', rows);
  }

  insertSamples(rows: SampleBlock): Promise<void> {
    return this.#clickhouse.insertBlock('window_samples', rows);
  }
}

function storedWindow({ model, version, start_ms, end_ms, last_offset }: WindowRow): StoredWindow {
  return { model, version, startMs: start_ms, endMs: end_ms, lastOffset: last_offset };
}

function storedProfile(row: SelectedProfile): StoredWindow & StoredProfile {
  const { segment, kind, feature: name } = row;
  return { ...storedWindow(row), segment, kind, name, profile: fromProfileRow(row) };
}
