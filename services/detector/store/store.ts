import { chunk } from '../../shared/chunk.ts';
import { anyOf, type Condition } from '../../shared/clickhouse/anyOf.ts';
import { type Clickhouse, clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import type { Alert, DriftEvent } from '../../shared/contracts.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import type { WindowObservation } from '../blocks/windowObservation.ts';
import type { FoldLedger } from '../checkpoints/foldLedger.ts';
import type { DriftEventRevision } from '../events/driftEventRevisions.ts';
import type { GivenReference } from '../reference/reference.ts';
import { type JudgedWindow, type JudgedWindowRevision, judgedWindowKey } from './judgedWindow.ts';
import { fromLedgerRow, type LedgerRow, ledgerColumns, toLedgerRow } from './ledgerRow.ts';
import {
  type ObservedWindows,
  observationOf,
  observedWindows,
  type StoredPerformance,
  type StoredProfile,
  type StoredSample,
} from './observedWindows.ts';

export type DetectorStore = ReturnType<typeof detectorStore>;

/** Windows of a version. */
export interface WindowRange extends VersionName {
  /** Of window starts, both inclusive. */
  fromMs: number;
  toMs: number;
  windowSizeMs: number;
}

/** What was published of a version: what is open, what came about after a window, and what is named. */
export interface PublishedSince extends VersionName {
  sinceMs: number;
  ids: readonly string[];
}

/** By `versionKey`. */
type PerVersion<T> = Map<string, T>;

/** Windows that one statement names: its text stays far below `max_query_size`. */
const windowsPerStatement = 200;

const profileColumns = `count, missing, non_finite, numeric_count, minimum, maximum, sum, mantissa_bits, bucket_keys, bucket_counts,
                        categorical_count, hashed, category_values, category_counts`;
const time = (value: string) => `fromUnixTimestamp64Milli(${value})`;

function ofVersions(names: readonly VersionName[]): Condition {
  return anyOf(
    names,
    ({ model, version }, value) =>
      `model = ${value('String', model)} AND version = ${value('String', version)}`,
  );
}

function inRanges(ranges: readonly WindowRange[]): Condition {
  return anyOf(
    ranges,
    ({ model, version, fromMs, toMs, windowSizeMs }, value) =>
      `model = ${value('String', model)} AND version = ${value('String', version)}
       AND window_start >= ${time(value('Int64', fromMs))} AND window_start <= ${time(value('Int64', toMs))}
       AND toUnixTimestamp64Milli(window_end) - toUnixTimestamp64Milli(window_start) = ${value('Int64', windowSizeMs)}`,
  );
}

/** A judged window and the version that it belongs to. */
interface NamedWindow {
  name: VersionName;
  window: JudgedWindow;
}

/** The SQL of the detector. Each query asks for a group of versions, and of each for what a fold from a checkpoint on needs. */
export function detectorStore(clickhouse: Clickhouse) {
  /** Metrics that an earlier judgement of the windows had and the present one has not: no row with a higher revision replaces them. */
  async function removeOutdatedMetrics(judged: readonly NamedWindow[]): Promise<void> {
    const again = judged.filter(({ window }) => window.revision > 1);
    for (const group of chunk(again, windowsPerStatement)) {
      const { sql, parameters } = anyOf(group, ({ name, window }, value) => {
        const { segment, observation, revision } = window;
        return `model = ${value('String', name.model)} AND version = ${value('String', name.version)} AND segment = ${value('String', segment)}
                AND window_start = ${time(value('Int64', observation.startMs))} AND window_end = ${time(value('Int64', observation.endMs))}
                AND revision < ${value('UInt32', revision)}`;
      });
      const [outdated] = await clickhouse.select<{ rows: number }>(
        `SELECT count() AS rows FROM drift_metrics FINAL WHERE ${sql}`,
        parameters,
      );
      if (outdated!.rows > 0)
        await clickhouse.command(`DELETE FROM drift_metrics WHERE ${sql}`, parameters);
    }
  }

  return {
    /** Highest event time per partition of predictions that carries a version. */
    async progress(
      names: readonly VersionName[],
    ): Promise<PerVersion<{ partition: number; maxEventTimeMs: number }[]>> {
      const { sql, parameters } = ofVersions(names);
      const rows = await clickhouse.select<
        VersionName & { partition: number; maxEventTimeMs: number }
      >(
        `SELECT model, version, source_partition AS partition, toUnixTimestamp64Milli(max_event_time) AS maxEventTimeMs
         FROM stream_progress FINAL WHERE ${sql} AND predictions > 0`,
        parameters,
      );
      return Map.groupBy(rows, versionKey);
    },

    async ledgers(names: readonly VersionName[]): Promise<PerVersion<FoldLedger>> {
      const { sql, parameters } = ofVersions(names);
      const rows = await clickhouse.select<LedgerRow>(
        `SELECT ${ledgerColumns} FROM fold_ledgers FINAL WHERE ${sql}`,
        parameters,
      );
      return new Map(rows.map(row => [versionKey(row), fromLedgerRow(row)]));
    },

    insertLedgers: (ledgers: readonly (VersionName & { ledger: FoldLedger })[]) =>
      clickhouse.insert(
        'fold_ledgers',
        ledgers.map(({ ledger, ...name }) => toLedgerRow(name, ledger)),
      ),

    /** `PackedStates.text` of one checkpoint each. */
    async states(wanted: readonly (VersionName & { slot: number })[]): Promise<PerVersion<string>> {
      const { sql, parameters } = anyOf(
        wanted,
        ({ model, version, slot }, value) =>
          `model = ${value('String', model)} AND version = ${value('String', version)} AND slot = ${value('UInt8', slot)}`,
      );
      const rows = await clickhouse.select<VersionName & { state: string }>(
        `SELECT model, version, state FROM fold_states FINAL WHERE ${sql}`,
        parameters,
      );
      return new Map(rows.map(row => [versionKey(row), row.state]));
    },

    insertStates: (states: readonly (VersionName & { slot: number; text: string })[]) =>
      clickhouse.insert(
        'fold_states',
        states.map(({ model, version, slot, text }) => ({ model, version, slot, state: text })),
      ),

    /** End of the last window that was judged; a version of which none was, from a start on, is absent. */
    async judgedUntilMs(
      names: readonly (VersionName & { fromMs: number })[],
    ): Promise<PerVersion<number>> {
      const { sql, parameters } = anyOf(
        names,
        ({ model, version, fromMs }, value) =>
          `model = ${value('String', model)} AND version = ${value('String', version)} AND window_start >= ${time(value('Int64', fromMs))}`,
      );
      const rows = await clickhouse.select<VersionName & { untilMs: number }>(
        `SELECT model, version, toUnixTimestamp64Milli(max(window_end)) AS untilMs
         FROM evaluated_windows WHERE ${sql} GROUP BY model, version`,
        parameters,
      );
      return new Map(rows.map(row => [versionKey(row), row.untilMs]));
    },

    /** The first windows of each range that have predictions, with the number of their profiles: what reading them costs. */
    async windowStarts(
      ranges: readonly WindowRange[],
      mostWindows: number,
    ): Promise<PerVersion<{ startMs: number; profiles: number }[]>> {
      const { sql, parameters } = inRanges(ranges);
      const rows = await clickhouse.select<VersionName & { startMs: number; profiles: number }>(
        `SELECT model, version, toUnixTimestamp64Milli(window_start) AS startMs, count() AS profiles
         FROM window_profiles WHERE ${sql} GROUP BY model, version, window_start
         ORDER BY model, version, window_start LIMIT {mostWindows:UInt32} BY model, version`,
        { ...parameters, mostWindows },
      );
      return Map.groupBy(rows, versionKey);
    },

    /** The windows of the ranges, one range a version, in the order of time, their partitions merged. */
    async windows(ranges: readonly WindowRange[]): Promise<PerVersion<ObservedWindows>> {
      const { sql, parameters } = inRanges(ranges);
      const [profiles, performance, samples] = await Promise.all([
        clickhouse.select<VersionName & StoredProfile>(
          `SELECT model, version, segment, toUnixTimestamp64Milli(window_start) AS start_ms, toString(kind) AS kind, feature, ${profileColumns}
           FROM window_profiles FINAL WHERE ${sql}
           ORDER BY model, version, window_start, segment, kind, feature, source_partition`,
          parameters,
        ),
        clickhouse.select<VersionName & StoredPerformance>(
          `SELECT model, version, segment, toUnixTimestamp64Milli(window_start) AS start_ms, toString(task) AS task, labelled, loss_sum, loss_square_sum, label_counts
           FROM performance_windows FINAL WHERE ${sql}`,
          parameters,
        ),
        clickhouse.select<VersionName & StoredSample>(
          `SELECT model, version, toUnixTimestamp64Milli(window_start) AS start_ms, id_hashes, features, codes, outputs
           FROM window_samples FINAL WHERE ${sql} ORDER BY model, version, window_start, source_partition`,
          parameters,
        ),
      ]);
      const profilesOf = Map.groupBy(profiles, versionKey);
      const performanceOf = Map.groupBy(performance, versionKey);
      const samplesOf = Map.groupBy(samples, versionKey);
      return new Map(
        ranges.map(range => {
          const key = versionKey(range);
          const windows = observedWindows(
            profilesOf.get(key) ?? [],
            performanceOf.get(key) ?? [],
            samplesOf.get(key) ?? [],
            range.windowSizeMs,
          );
          return [key, windows];
        }),
      );
    },

    /** What is stored of the windows of the ranges, by `judgedWindowKey`. */
    async judgedWindows(
      ranges: readonly WindowRange[],
    ): Promise<PerVersion<Map<string, JudgedWindowRevision>>> {
      if (ranges.length === 0) return new Map();
      const { sql, parameters } = inRanges(ranges);
      const rows = await clickhouse.select<
        VersionName & { segment: string; startMs: number } & JudgedWindowRevision
      >(
        `SELECT model, version, segment, toUnixTimestamp64Milli(window_start) AS startMs, revision, digest FROM evaluated_windows FINAL WHERE ${sql}`,
        parameters,
      );
      const windows: PerVersion<Map<string, JudgedWindowRevision>> = new Map();
      for (const [key, ofVersion] of Map.groupBy(rows, versionKey)) {
        const entries = ofVersion.map(
          ({ segment, startMs, revision, digest }) =>
            [judgedWindowKey(segment, startMs), { revision, digest }] as const,
        );
        windows.set(key, new Map(entries));
      }
      return windows;
    },

    /** The newest reference that came with a version, or was uploaded for it; a version without any is absent. */
    async referenceIds(names: readonly VersionName[]): Promise<PerVersion<string>> {
      const { sql, parameters } = ofVersions(names);
      const rows = await clickhouse.select<VersionName & { id: string }>(
        `SELECT model, version, argMax(reference_id, (created_at, reference_id)) AS id
         FROM reference_profiles WHERE ${sql} GROUP BY model, version`,
        parameters,
      );
      return new Map(rows.map(row => [versionKey(row), row.id]));
    },

    async givenReference({ model, version }: VersionName, id: string): Promise<GivenReference> {
      const rows = await clickhouse.select<
        StoredProfile & { source: GivenReference['source']; end_ms: number }
      >(
        `SELECT toString(source) AS source, '' AS segment, toUnixTimestamp64Milli(window_start) AS start_ms,
                toUnixTimestamp64Milli(window_end) AS end_ms, toString(kind) AS kind, feature, ${profileColumns}
         FROM reference_profiles FINAL
         WHERE model = {model:String} AND version = {version:String} AND reference_id = {id:String}
         ORDER BY window_start, kind, feature`,
        { model, version, id },
      );
      const parts = [...Map.groupBy(rows, ({ start_ms }) => start_ms).values()].map(part =>
        observationOf(part, undefined, undefined, part[0]!.end_ms - part[0]!.start_ms),
      );
      return { id, source: rows[0]!.source, parts };
    },

    /** Newest revisions, by id. */
    async driftEvents(
      wanted: readonly PublishedSince[],
    ): Promise<PerVersion<Map<string, DriftEvent>>> {
      const { sql, parameters } = anyOf(
        wanted,
        ({ model, version, sinceMs, ids }, value) =>
          `model = ${value('String', model)} AND version = ${value('String', version)}
           AND (status = 'open' OR drift_events.window_start > ${time(value('Int64', sinceMs))} OR id IN ${value('Array(String)', ids)})`,
      );
      const rows = await clickhouse.select<DriftEvent>(
        `SELECT id, revision, toString(status) AS status, model, version, segment, feature, cause, toString(severity) AS severity,
                toUnixTimestamp64Milli(window_start) AS windowStart, toUnixTimestamp64Milli(window_end) AS windowEnd, metric, value, threshold,
                p_value AS pValue, records, reference, contributions, prediction_contributions AS predictionContributions, explanation,
                toUnixTimestamp64Milli(detected_at_event_time) AS detectedAtEventTime
         FROM drift_events FINAL WHERE ${sql}`,
        parameters,
      );
      return byVersionAndId(rows);
    },

    /** Newest revisions, by id. */
    async alerts(wanted: readonly PublishedSince[]): Promise<PerVersion<Map<string, Alert>>> {
      const { sql, parameters } = anyOf(
        wanted,
        ({ model, version, sinceMs, ids }, value) =>
          `model = ${value('String', model)} AND version = ${value('String', version)}
           AND (state != 'resolved' OR opened_at_event_time > ${time(value('Int64', sinceMs))} OR id IN ${value('Array(String)', ids)})`,
      );
      const rows = await clickhouse.select<Alert>(
        `SELECT id, revision, toString(alerts.state) AS state, model, version, toString(severity) AS severity, title, drift_event_ids AS driftEventIds,
                toUnixTimestamp64Milli(opened_at_event_time) AS openedAtEventTime,
                toUnixTimestamp64Milli(updated_at_event_time) AS updatedAtEventTime
         FROM alerts FINAL WHERE ${sql}`,
        parameters,
      );
      return byVersionAndId(rows);
    },

    /** Metrics first: a window that counts as judged has them, and no others. @returns the number of metrics */
    async insertJudgedWindows(
      judged: readonly (VersionName & { windows: readonly JudgedWindow[] })[],
    ): Promise<number> {
      const all: NamedWindow[] = judged.flatMap(({ windows, ...name }) =>
        windows.map(window => ({ name, window })),
      );
      const metrics = all.flatMap(({ name, window }) => metricRows(name, window));
      await clickhouse.insert('drift_metrics', metrics);
      await removeOutdatedMetrics(all);
      await clickhouse.insert(
        'evaluated_windows',
        all.map(({ name, window: { segment, observation, verdict, revision, digest } }) => ({
          ...windowColumns(name, segment, observation),
          revision,
          records: observation.records,
          status: verdict.status,
          reference: verdict.reference,
          digest,
        })),
      );
      return metrics.length;
    },

    insertDriftEvents: (revisions: readonly DriftEventRevision[]) =>
      clickhouse.insert(
        'drift_events',
        revisions.map(({ event }) => driftEventRow(event)),
      ),

    insertAlerts: (alerts: readonly Alert[]) =>
      clickhouse.insert(
        'alerts',
        alerts.map(alert => ({
          id: alert.id,
          revision: alert.revision,
          state: alert.state,
          model: alert.model,
          version: alert.version,
          severity: alert.severity,
          title: alert.title,
          drift_event_ids: alert.driftEventIds,
          opened_at_event_time: clickhouseTime(alert.openedAtEventTime),
          updated_at_event_time: clickhouseTime(alert.updatedAtEventTime),
        })),
      ),
  };
}

function byVersionAndId<T extends VersionName & { id: string }>(
  rows: readonly T[],
): PerVersion<Map<string, T>> {
  const perVersion: PerVersion<Map<string, T>> = new Map();
  for (const [key, ofVersion] of Map.groupBy(rows, versionKey)) {
    perVersion.set(key, new Map(ofVersion.map(row => [row.id, row])));
  }
  return perVersion;
}

function windowColumns(
  { model, version }: VersionName,
  segment: string,
  { startMs, endMs }: WindowObservation,
) {
  return {
    model,
    version,
    segment,
    window_start: clickhouseTime(startMs),
    window_end: clickhouseTime(endMs),
  };
}

function metricRows(
  name: VersionName,
  { segment, observation, metrics, revision }: JudgedWindow,
): object[] {
  return metrics.map(metric => ({
    ...windowColumns(name, segment, observation),
    kind: metric.kind,
    feature: metric.feature,
    metric: metric.metric,
    value: metric.value,
    threshold: metric.threshold,
    p_value: metric.pValue,
    records: metric.records,
    reference_records: metric.referenceRecords,
    reference: metric.reference,
    scale: metric.scale,
    overdispersion: metric.overdispersion,
    revision,
  }));
}

function driftEventRow(event: DriftEvent): object {
  return {
    id: event.id,
    revision: event.revision,
    status: event.status,
    model: event.model,
    version: event.version,
    segment: event.segment,
    feature: event.feature,
    cause: event.cause,
    severity: event.severity,
    window_start: clickhouseTime(event.windowStart),
    window_end: clickhouseTime(event.windowEnd),
    metric: event.metric,
    value: event.value,
    threshold: event.threshold,
    p_value: event.pValue,
    records: event.records,
    reference: event.reference,
    contributions: event.contributions,
    prediction_contributions: event.predictionContributions,
    explanation: event.explanation,
    detected_at_event_time: clickhouseTime(event.detectedAtEventTime),
  };
}
