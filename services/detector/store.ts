import { type Clickhouse, clickhouseTime } from '../shared/clickhouse.ts';
import type { Alert, DriftEvent } from '../shared/contracts.ts';
import { deterministicId } from '../shared/deterministicId.ts';
import { mergeFeatureProfiles } from '../shared/profile/featureProfile.ts';
import { fromProfileRow, type ProfileRow } from '../shared/profile/profileRow.ts';
import type { VersionName } from '../shared/versionKey.ts';
import type { DriftEventRevision } from './driftEventRevisions.ts';
import type { GivenReference } from './reference.ts';
import type { FoldedWindow } from './versionFold.ts';
import {
  type NamedProfile,
  observationOfProfiles,
  type VariableKind,
  type WindowObservation,
  type WindowPerformance,
} from './windowObservation.ts';

/** What is known of a window that was judged before. */
export interface StoredEvaluation {
  revision: number;
  digest: string;
}

/** Windows of a version: by start, then by segment. */
export type ObservedWindows = Map<number, Map<string, WindowObservation>>;

const digestDigits = 9;
const ofVersion = 'model = {model:String} AND version = {version:String}';
const inRange = `${ofVersion} AND window_start >= fromUnixTimestamp64Milli({fromMs:Int64})
                 AND window_start <= fromUnixTimestamp64Milli({toMs:Int64})
                 AND toUnixTimestamp64Milli(window_end) - toUnixTimestamp64Milli(window_start) = {windowSizeMs:Int64}`;
const profileColumns = `count, missing, non_finite, numeric_count, minimum, maximum, sum, mantissa_bits, bucket_keys, bucket_counts,
                        categorical_count, hashed, category_values, category_counts`;

/** Of whatever carries a name the name alone: all that a query is given travels with it. */
const named = ({ model, version }: VersionName): { model: string; version: string } => ({ model, version });

interface WindowRange extends VersionName {
  /** Of window starts, both inclusive. */
  fromMs: number;
  toMs: number;
  windowSizeMs: number;
}

/** The SQL of the detector. */
export function detectorStore(clickhouse: Clickhouse) {
  return {
    /** Highest event time per partition of predictions that carries the version. */
    async progress(name: VersionName): Promise<{ partition: number; maxEventTimeMs: number }[]> {
      const rows = await clickhouse.select<{ partition: number; max_ms: number }>(
        `SELECT source_partition AS partition, toUnixTimestamp64Milli(max_event_time) AS max_ms
         FROM stream_progress FINAL WHERE ${ofVersion} AND predictions > 0`,
        named(name),
      );
      return rows.map(({ partition, max_ms }) => ({ partition, maxEventTimeMs: max_ms }));
    },

    /** End of the last window that was judged; null if none was. */
    async evaluatedUntilMs(name: VersionName): Promise<number | null> {
      const [row] = await clickhouse.select<{ until_ms: number; windows: number }>(
        `SELECT toUnixTimestamp64Milli(max(window_end)) AS until_ms, count() AS windows FROM evaluated_windows WHERE ${ofVersion}`,
        named(name),
      );
      return row && row.windows > 0 ? row.until_ms : null;
    },

    /** The windows that have predictions, with the number of their profiles: what reading them costs. */
    async windowStarts(range: WindowRange): Promise<{ startMs: number; profiles: number }[]> {
      const rows = await clickhouse.select<{ start_ms: number; profiles: number }>(
        `SELECT toUnixTimestamp64Milli(window_start) AS start_ms, count() AS profiles
         FROM window_profiles WHERE ${inRange} GROUP BY window_start ORDER BY window_start`,
        { ...range },
      );
      return rows.map(({ start_ms, profiles }) => ({ startMs: start_ms, profiles }));
    },

    /** The windows of a range in the order of time, their partitions merged. */
    async windows(range: WindowRange): Promise<ObservedWindows> {
      const profiles = await clickhouse.select<StoredProfile>(
        `SELECT segment, toUnixTimestamp64Milli(window_start) AS start_ms, toString(kind) AS kind, feature, ${profileColumns}
         FROM window_profiles FINAL WHERE ${inRange} ORDER BY window_start, segment, kind, feature, source_partition`,
        { ...range },
      );
      const performance = await clickhouse.select<StoredPerformance>(
        `SELECT segment, toUnixTimestamp64Milli(window_start) AS start_ms, toString(task) AS task, labelled, loss_sum, loss_square_sum, label_counts
         FROM performance_windows FINAL WHERE ${inRange}`,
        { ...range },
      );
      return observedWindows(profiles, performance, range.windowSizeMs);
    },

    async evaluations(range: WindowRange): Promise<Map<string, StoredEvaluation>> {
      const rows = await clickhouse.select<{ segment: string; start_ms: number } & StoredEvaluation>(
        `SELECT segment, toUnixTimestamp64Milli(window_start) AS start_ms, revision, digest FROM evaluated_windows FINAL WHERE ${inRange}`,
        { ...range },
      );
      return new Map(
        rows.map(({ segment, start_ms, revision, digest }) => [evaluationKey(segment, start_ms), { revision, digest }]),
      );
    },

    /** The newest reference that came with the version, or was uploaded for it. */
    async givenReference(name: VersionName): Promise<GivenReference | null> {
      const rows = await clickhouse.select<
        StoredProfile & { id: string; source: GivenReference['source']; end_ms: number }
      >(
        `SELECT reference_id AS id, toString(source) AS source, '' AS segment, toUnixTimestamp64Milli(window_start) AS start_ms,
                toUnixTimestamp64Milli(window_end) AS end_ms, toString(kind) AS kind, feature, ${profileColumns}
         FROM reference_profiles FINAL
         WHERE ${ofVersion} AND reference_id = (SELECT argMax(reference_id, (created_at, reference_id)) FROM reference_profiles WHERE ${ofVersion})
         ORDER BY window_start, kind, feature`,
        named(name),
      );
      const [first] = rows;
      if (!first) return null;
      const parts = [...Map.groupBy(rows, ({ start_ms }) => start_ms).values()].map(part =>
        observationOf(part, undefined, part[0]!.end_ms - part[0]!.start_ms),
      );
      return { id: first.id, source: first.source, parts };
    },

    /** Newest revisions, by id. */
    async driftEvents(name: VersionName): Promise<Map<string, DriftEvent>> {
      const rows = await clickhouse.select<DriftEvent>(
        `SELECT id, revision, toString(status) AS status, model, version, segment, feature, cause, toString(severity) AS severity,
                toUnixTimestamp64Milli(window_start) AS windowStart, toUnixTimestamp64Milli(window_end) AS windowEnd, metric, value, threshold,
                p_value AS pValue, records, reference, contributions, explanation,
                toUnixTimestamp64Milli(detected_at_event_time) AS detectedAtEventTime
         FROM drift_events FINAL WHERE ${ofVersion}`,
        named(name),
      );
      return new Map(rows.map(event => [event.id, event]));
    },

    /** Newest revisions, by id. */
    async alerts(name: VersionName): Promise<Map<string, Alert>> {
      const rows = await clickhouse.select<Alert>(
        `SELECT id, revision, toString(state) AS state, model, version, toString(severity) AS severity, title, drift_event_ids AS driftEventIds,
                toUnixTimestamp64Milli(opened_at_event_time) AS openedAtEventTime,
                toUnixTimestamp64Milli(updated_at_event_time) AS updatedAtEventTime
         FROM alerts FINAL WHERE ${ofVersion}`,
        named(name),
      );
      return new Map(rows.map(alert => [alert.id, alert]));
    },

    async insertEvaluations(
      name: VersionName,
      evaluations: readonly (FoldedWindow & StoredEvaluation)[],
    ): Promise<number> {
      const metrics = evaluations.flatMap(evaluation => metricRows(name, evaluation));
      await clickhouse.insert('drift_metrics', metrics);
      await clickhouse.insert(
        'evaluated_windows',
        evaluations.map(({ segment, observation, verdict, revision, digest }) => ({
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

interface StoredProfile extends ProfileRow {
  segment: string;
  start_ms: number;
  kind: VariableKind | 'operation';
  feature: string;
}

interface StoredPerformance {
  segment: string;
  start_ms: number;
  task: WindowPerformance['task'];
  labelled: number;
  loss_sum: number;
  loss_square_sum: number;
  label_counts: Record<string, number>;
}

export function evaluationKey(segment: string, startMs: number): string {
  return `${startMs} ${segment}`;
}

function observedWindows(
  profiles: readonly StoredProfile[],
  performance: readonly StoredPerformance[],
  windowSizeMs: number,
): ObservedWindows {
  const performanceOf = new Map(performance.map(row => [evaluationKey(row.segment, row.start_ms), row]));
  const windows: ObservedWindows = new Map();
  for (const rows of Map.groupBy(profiles, row => evaluationKey(row.segment, row.start_ms)).values()) {
    const { segment, start_ms: startMs } = rows[0]!;
    const segments = windows.get(startMs) ?? new Map();
    windows.set(startMs, segments);
    segments.set(segment, observationOf(rows, performanceOf.get(evaluationKey(segment, startMs)), windowSizeMs));
  }
  return windows;
}

/** @param rows of one window (or part of a reference) and segment, those of one variable in a row */
function observationOf(
  rows: readonly StoredProfile[],
  performance: StoredPerformance | undefined,
  windowSizeMs: number,
): WindowObservation {
  const profiles: NamedProfile[] = [];
  for (const ofVariable of Map.groupBy(rows, ({ kind, feature }) => `${kind}/${feature}`).values()) {
    const { kind, feature: name } = ofVariable[0]!;
    profiles.push({ kind, name, profile: mergeFeatureProfiles(...ofVariable.map(fromProfileRow)) });
  }
  const { start_ms: startMs } = rows[0]!;
  const window = { startMs, endMs: startMs + windowSizeMs };
  return observationOfProfiles(window, profiles, performance ? performanceOf(performance) : null);
}

function performanceOf({
  task,
  labelled,
  loss_sum,
  loss_square_sum,
  label_counts,
}: StoredPerformance): WindowPerformance {
  return {
    task,
    labelled,
    lossSum: loss_sum,
    lossSquareSum: loss_square_sum,
    labelCounts: new Map(Object.entries(label_counts)),
  };
}

/** Identity of what a window was found to be; the last bits of sums of floats are left out. */
export function evaluationDigest({ observation, verdict, metrics }: FoldedWindow): string {
  const rounded = JSON.stringify(metrics, (_, value) =>
    typeof value === 'number' ? Number(value.toPrecision(digestDigits)) : value,
  );
  return deterministicId(observation.records, verdict.status, verdict.reference, rounded);
}

function windowColumns({ model, version }: VersionName, segment: string, { startMs, endMs }: WindowObservation) {
  return { model, version, segment, window_start: clickhouseTime(startMs), window_end: clickhouseTime(endMs) };
}

function metricRows(
  name: VersionName,
  { segment, observation, metrics, revision }: FoldedWindow & StoredEvaluation,
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
    explanation: event.explanation,
    detected_at_event_time: clickhouseTime(event.detectedAtEventTime),
  };
}
