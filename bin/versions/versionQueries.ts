import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { MetricCondition } from './metricCondition.ts';

/** A version and where it stands. What is not known of it is null. */
export interface VersionRow {
  model: string;
  version: string;
  state: string;
  /** Aliases that name it. */
  aliases: string[];
  /** When it came to this state (ISO 8601), who or what brought it there, and why. */
  since: string;
  changedBy: string;
  reason: string;
  /** When the gates judged it; null if the retrainer did not make it. The same for what follows. */
  judgedAt: string | null;
  championVersion: string | null;
  /** What asked for its training, such as `drift_event`, with the id. */
  causeType: string | null;
  causeId: string | null;
  driftCause: string | null;
  runId: string | null;
  trainer: string | null;
  datasetId: string | null;
  datasetRows: number | null;
  datasetFrom: string | null;
  datasetTo: string | null;
  features: string[];
  metrics: Record<string, number>;
  /** Why the gates passed or rejected it. */
  reasons: string[];
  artifactUri: string | null;
  artifactChecksum: string | null;
}

/** What versions are searched by. All that are given must hold. */
export interface VersionFilter {
  model?: string;
  version?: string;
  state?: string;
  metric?: MetricCondition;
  feature?: string;
  /** Beginning of the id of a dataset. */
  dataset?: string;
  /** Type of a cause (drift_event), cause of a drift (data_drift), or an id. */
  cause?: string;
  /** Times in ms between which a version came to its state. */
  since?: number;
  until?: number;
  limit: number;
}

const iso = (column: string) => `formatDateTime(${column}, '%Y-%m-%dT%H:%i:%SZ', 'UTC')`;

/** Returns the versions that fit, the newest change first. */
export function selectVersions(
  clickhouse: Clickhouse,
  filter: VersionFilter,
): Promise<VersionRow[]> {
  const { metric, since, until, limit, ...texts } = filter;
  const comparison = metric
    ? `mapContains(v.metrics, {metric:String})
       AND v.metrics[{metric:String}] ${metric.operator} {value:Float64}`
    : '1';
  return clickhouse.select<VersionRow>(
    `SELECT s.model AS model, s.version AS version, s.state AS state, a.names AS aliases,
            ${iso('s.since')} AS since, s.changed_by AS changedBy, s.reason AS reason,
            if(v.version = '', NULL, ${iso('v.published_at')}) AS judgedAt,
            nullIf(v.champion_version, '') AS championVersion,
            if(r.id = '', NULL, toString(r.cause_type)) AS causeType,
            nullIf(r.cause_id, '') AS causeId, nullIf(toString(e.cause), '') AS driftCause,
            nullIf(v.run_id, '') AS runId, nullIf(v.code_version, '') AS trainer,
            nullIf(v.dataset_id, '') AS datasetId, if(d.id = '', NULL, d.rows) AS datasetRows,
            if(d.id = '', NULL, ${iso('d.from_time')}) AS datasetFrom,
            if(d.id = '', NULL, ${iso('d.to_time')}) AS datasetTo, d.features AS features,
            v.metrics AS metrics, v.reasons AS reasons,
            nullIf(v.artifact_uri, '') AS artifactUri,
            nullIf(v.artifact_checksum, '') AS artifactChecksum
     FROM version_states AS s
     LEFT JOIN (SELECT * FROM model_versions FINAL) AS v
       ON v.model = s.model AND v.version = s.version
     LEFT JOIN (SELECT * FROM training_runs FINAL) AS r ON r.model = v.model AND r.id = v.run_id
     LEFT JOIN (SELECT * FROM datasets FINAL) AS d ON d.model = v.model AND d.id = v.dataset_id
     LEFT JOIN (SELECT model, id, cause FROM drift_events FINAL) AS e
       ON e.model = r.model AND e.id = r.cause_id
     LEFT JOIN
     (
         SELECT model, version, arraySort(groupArray(toString(alias))) AS names
         FROM model_aliases FINAL GROUP BY model, version
     ) AS a ON a.model = s.model AND a.version = s.version
     WHERE ({model:String} = '' OR s.model = {model:String})
       AND ({version:String} = '' OR s.version = {version:String})
       AND ({state:String} = '' OR s.state = {state:String})
       AND ({feature:String} = '' OR has(d.features, {feature:String}))
       AND ({dataset:String} = '' OR startsWith(v.dataset_id, {dataset:String}))
       AND ({cause:String} = '' OR {cause:String}
            IN (if(r.id = '', '', toString(r.cause_type)), r.cause_id, toString(e.cause)))
       AND s.since >= fromUnixTimestamp64Milli({since:Int64}, 'UTC')
       AND s.since < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
       AND ${comparison}
     ORDER BY s.since DESC, s.model, s.version
     LIMIT {limit:UInt32}`,
    {
      model: '',
      version: '',
      state: '',
      feature: '',
      dataset: '',
      cause: '',
      ...texts,
      metric: metric?.metric ?? '',
      value: metric?.value ?? 0,
      since: since ?? 0,
      until: until ?? Date.UTC(2200, 0),
      limit,
    },
  );
}

/** A change of a version's state. */
export interface HistoryRow {
  at: string;
  stateBefore: string | null;
  state: string;
  changedBy: string;
  reason: string;
  note: string | null;
  requestId: string;
}

/** Returns the changes of a version's state after its training, the oldest first. */
export function selectHistory(
  clickhouse: Clickhouse,
  model: string,
  version: string,
): Promise<HistoryRow[]> {
  return clickhouse.select<HistoryRow>(
    `SELECT ${iso('at')} AS at, state_before AS stateBefore, state, changed_by AS changedBy, reason,
            note, request_id AS requestId
     FROM version_history WHERE model = {model:String} AND version = {version:String}`,
    { model, version },
  );
}

/** What was asked about a version, and what was answered. */
export interface RequestRow {
  at: string;
  action: string;
  requestedBy: string;
  note: string | null;
  outcome: 'accepted' | 'refused';
  answer: string;
  requestId: string;
}

const requestColumns = `${iso('answered_at')} AS at, action, requested_by AS requestedBy, note,
                        outcome, answer, request_id AS requestId`;

/** Returns the requests that named a version, the oldest first. */
export function selectRequests(
  clickhouse: Clickhouse,
  model: string,
  version: string,
): Promise<RequestRow[]> {
  return clickhouse.select<RequestRow>(
    `SELECT ${requestColumns} FROM version_requests
     WHERE model = {model:String} AND version = {version:String}`,
    { model, version },
  );
}

/** Returns the answer to a request, or null as long as there is none. */
export async function selectAnswer(
  clickhouse: Clickhouse,
  model: string,
  id: string,
): Promise<RequestRow | null> {
  const [row] = await clickhouse.select<RequestRow>(
    `SELECT ${requestColumns} FROM version_requests
     WHERE model = {model:String} AND request_id = {id:String}`,
    { model, id },
  );
  return row ?? null;
}

/** Returns the champion of a model, or null if no version was promoted. */
export async function selectChampion(
  clickhouse: Clickhouse,
  model: string,
): Promise<string | null> {
  const [row] = await clickhouse.select<{ version: string }>(
    `SELECT version FROM version_states WHERE model = {model:String} AND state = 'champion'`,
    { model },
  );
  return row?.version ?? null;
}
