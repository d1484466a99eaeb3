import { anyOf } from '../../shared/clickhouse/anyOf.ts';
import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import { insertDriftMetrics } from './driftMetrics.ts';
import {
  type JudgedWindowOfVersion,
  type JudgedWindowRevision,
  judgedWindowKey,
} from './judgedWindow.ts';
import type { PerVersion } from './perVersion.ts';
import { msOf, timeOf } from './sqlTime.ts';
import { windowColumns } from './windowColumns.ts';
import { inRanges, type WindowRange } from './windowRange.ts';

export function evaluatedWindows(clickhouse: Clickhouse) {
  return {
    /** Reads the end of the last judged window among those that start at `fromMs` or later. */
    async judgedUntilMs(
      wanted: readonly (VersionName & { fromMs: number })[],
    ): Promise<PerVersion<number>> {
      const { sql, parameters } = anyOf(
        wanted,
        ({ model, version, fromMs }, value) =>
          `model = ${value('String', model)} AND version = ${value('String', version)}
           AND window_start >= ${timeOf(value('Int64', fromMs))}`,
      );
      const rows = await clickhouse.select<VersionName & { untilMs: number }>(
        `SELECT model, version, ${msOf('max(window_end)')} AS untilMs
         FROM evaluated_windows WHERE ${sql} GROUP BY model, version`,
        parameters,
      );
      return new Map(rows.map(row => [versionKey(row), row.untilMs]));
    },

    /** Reads the newest revisions of the judged windows of the ranges, by `judgedWindowKey`. */
    async judgedWindows(
      ranges: readonly WindowRange[],
    ): Promise<PerVersion<Map<string, JudgedWindowRevision>>> {
      if (ranges.length === 0) return new Map();
      const { sql, parameters } = inRanges(ranges);
      const rows = await clickhouse.select<
        VersionName & { segment: string; startMs: number } & JudgedWindowRevision
      >(
        `SELECT model, version, segment, ${msOf('window_start')} AS startMs, revision, digest
         FROM evaluated_windows FINAL WHERE ${sql}`,
        parameters,
      );
      const perVersion: PerVersion<Map<string, JudgedWindowRevision>> = new Map();
      for (const [key, ofVersion] of Map.groupBy(rows, versionKey)) {
        const entries = ofVersion.map(
          ({ segment, startMs, revision, digest }) =>
            [judgedWindowKey(segment, startMs), { revision, digest }] as const,
        );
        perVersion.set(key, new Map(entries));
      }
      return perVersion;
    },

    /**
     * Reads the start of the first window of each range that an earlier release judged, which knew
     * no results of labels alone (`judgedWindowDigest`). A range without one has no entry.
     */
    async firstOutdatedMs(ranges: readonly WindowRange[]): Promise<PerVersion<number>> {
      if (ranges.length === 0) return new Map();
      const { sql, parameters } = inRanges(ranges);
      const rows = await clickhouse.select<VersionName & { startMs: number }>(
        `SELECT model, version, ${msOf('min(window_start)')} AS startMs
         FROM evaluated_windows FINAL WHERE ${sql} AND position(digest, ' ') = 0
         GROUP BY model, version`,
        parameters,
      );
      return new Map(rows.map(row => [versionKey(row), row.startMs]));
    },

    /**
     * Writes judged windows with their metrics. The metrics come first, so that a window that
     * counts as judged has its metrics and no others.
     * @returns the number of metrics that were written
     */
    async insertJudgedWindows(judged: readonly JudgedWindowOfVersion[]): Promise<number> {
      const metrics = await insertDriftMetrics(clickhouse, judged);
      await clickhouse.insert(
        'evaluated_windows',
        judged.map(window => ({
          ...windowColumns(window),
          revision: window.revision,
          records: window.observation.records,
          status: window.verdict.status,
          reference: window.verdict.reference,
          digest: window.digest,
        })),
      );
      return metrics;
    },
  };
}
