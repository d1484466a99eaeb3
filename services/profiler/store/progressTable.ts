import { type Clickhouse, clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import type { RecentRecords } from '../../shared/service/recentRecords.ts';
import type { VersionName } from '../../shared/versionKey.ts';
import type { VersionProgress } from '../counting/versionState.ts';
import { inVersions, versionParameters, versionPortions } from './versionQueries.ts';

interface SelectedRow extends VersionName {
  last_offset: number;
  first_event_time_ms: number;
  max_event_time_ms: number;
  leap_records: number;
  leap_from_ms: number;
  deduplicated_from_ms: number;
  predictions: number;
  duplicates: number;
  late: number;
  too_late: number;
  recent_block: number;
  recent_in_block: number;
  recent_in_previous_block: number;
}

/** Usable records of a version among the newest ones of a source partition. */
export interface RecentOfVersion extends VersionName, RecentRecords {
  sourcePartition: number;
}

/** The table stream_progress. */
export class ProgressTable {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  /** Returns the stored progress of versions in one partition. A version without any is absent. */
  async select(
    versions: readonly VersionName[],
    partition: number,
  ): Promise<(VersionName & VersionProgress)[]> {
    const found: (VersionName & VersionProgress)[] = [];
    for (const portion of versionPortions(versions)) {
      const rows = await this.#clickhouse.select<SelectedRow>(
        `SELECT model, version, last_offset, predictions, duplicates, late, too_late,
                toUnixTimestamp64Milli(first_event_time) AS first_event_time_ms,
                toUnixTimestamp64Milli(max_event_time) AS max_event_time_ms,
                leap_records, toUnixTimestamp64Milli(leap_from) AS leap_from_ms,
                toUnixTimestamp64Milli(deduplicated_from) AS deduplicated_from_ms,
                recent_block, recent_in_block, recent_in_previous_block
         FROM stream_progress FINAL WHERE ${inVersions} AND source_partition = {partition:Int32}`,
        { ...versionParameters(portion), partition },
      );
      found.push(...rows.map(progressOf));
    }
    return found;
  }

  /** Returns how many of the newest records of partitions models could use. */
  recentOfModels(models: readonly string[]): Promise<RecentOfVersion[]> {
    return this.#clickhouse.select<RecentOfVersion>(
      `SELECT model, version, source_partition AS sourcePartition, recent_block AS block,
              recent_in_block AS inBlock, recent_in_previous_block AS inPreviousBlock
       FROM stream_progress FINAL WHERE model IN {models:Array(String)}`,
      { models },
    );
  }

  insert(rows: readonly object[]): Promise<void> {
    return this.#clickhouse.insert('stream_progress', rows);
  }
}

/** Times that have no value yet, which the core keeps as infinities, are stored as 0. */
function progressOf(row: SelectedRow): VersionName & VersionProgress {
  const { model, version, predictions, duplicates, late } = row;
  const seen = predictions > 0;
  return {
    model,
    version,
    lastOffset: row.last_offset,
    firstEventTimeMs: seen ? row.first_event_time_ms : Number.POSITIVE_INFINITY,
    maxEventTimeMs: seen ? row.max_event_time_ms : Number.NEGATIVE_INFINITY,
    leapRecords: row.leap_records,
    leapFromMs: row.leap_records > 0 ? row.leap_from_ms : Number.POSITIVE_INFINITY,
    predictions,
    duplicates,
    late,
    tooLate: row.too_late,
    deduplicatedFromMs:
      row.deduplicated_from_ms > 0 ? row.deduplicated_from_ms : Number.NEGATIVE_INFINITY,
    recent: {
      block: row.recent_block,
      inBlock: row.recent_in_block,
      inPreviousBlock: row.recent_in_previous_block,
    },
  };
}

/** Returns the row for one version in one partition. */
export function progressRow(state: VersionName & VersionProgress, partition: number): object {
  const seen = state.predictions > 0;
  return {
    model: state.model,
    version: state.version,
    source_partition: partition,
    last_offset: state.lastOffset,
    first_event_time: clickhouseTime(seen ? state.firstEventTimeMs : 0),
    max_event_time: clickhouseTime(seen ? state.maxEventTimeMs : 0),
    leap_records: state.leapRecords,
    leap_from: clickhouseTime(state.leapRecords > 0 ? state.leapFromMs : 0),
    deduplicated_from: clickhouseTime(Math.max(0, state.deduplicatedFromMs)),
    predictions: state.predictions,
    duplicates: state.duplicates,
    late: state.late,
    too_late: state.tooLate,
    recent_block: state.recent.block,
    recent_in_block: state.recent.inBlock,
    recent_in_previous_block: state.recent.inPreviousBlock,
  };
}
