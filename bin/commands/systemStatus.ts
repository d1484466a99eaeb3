import { groupLag } from '../../infra/kafka/groupLag.ts';
import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { Environment } from '../../services/shared/config/environment.ts';
import type { Settings } from '../../services/shared/config/settings.ts';
import type { KafkaAdmin } from '../../services/shared/kafka/kafka.ts';
import { consumerGroup, wantedServices } from '../../services/shared/kafka/serviceFlow.ts';

export interface ServiceStatus {
  service: string;
  group: string;
  /**
   * State of the consumer group: Stable while a replica runs, Empty if none runs now, Dead if none
   * ever ran.
   */
  state: string;
  members: number;
  /** Records that the service has not committed, by topic. */
  lag: Record<string, number>;
}

export interface ModelStatus {
  model: string;
  version: string;
  /** State of the version, such as champion; observed if the retrainer knows nothing of it. */
  status: string;
  predictions: number;
  duplicates: number;
  late: number;
  labelled: number;
  /** What the output means, such as `binary, positive leaves`; null before the first label. */
  output: string | null;
  /**
   * Event time (ISO 8601) up to which all predictions are expected to have come, on the partition
   * that is farthest behind.
   */
  watermark: string;
  lastWindow: {
    start: string;
    end: string;
    records: number;
    status: string;
    revision: number;
  } | null;
  openDriftEvents: number;
  lastAccuracy: number | null;
  lastMae: number | null;
}

export interface OpenDriftEvent {
  id: string;
  model: string;
  version: string;
  segment: string;
  cause: string;
  feature: string | null;
  severity: string;
  since: string;
  /** Since when its new level is stable, although its harm is not over; null while it is followed. */
  persistingSince: string | null;
  explanation: string;
  /** What is known of its harm; null while it is followed. */
  standing: string | null;
}

/** What is odd in how a model version is logged. */
export interface OpenNotice {
  model: string;
  version: string;
  code: string;
  subject: string;
  since: string;
  message: string;
  evidence: string;
  advice: string;
}

export interface DeadLetterCount {
  topic: string;
  class: string;
  model: string;
  count: number;
}

export interface SystemStatus {
  services: ServiceStatus[];
  models: ModelStatus[];
  openDriftEvents: OpenDriftEvent[];
  notices: OpenNotice[];
  deadLetters: DeadLetterCount[];
}

export async function readServiceStatus(
  admin: KafkaAdmin,
  environment: Environment,
): Promise<ServiceStatus[]> {
  const services = wantedServices(environment);
  const { groups } = await admin.describeGroups(
    services.map(name => consumerGroup(environment, name)),
  );
  const statuses: ServiceStatus[] = [];
  for (const name of services) {
    const group = consumerGroup(environment, name);
    const description = groups.find(({ groupId }) => groupId === group);
    const lag: Record<string, number> = {};
    for (const partition of await groupLag(admin, environment, name)) {
      lag[partition.topic] = (lag[partition.topic] ?? 0) + partition.lag;
    }
    const { state = 'Dead', members = [] } = description ?? {};
    statuses.push({ service: name, group, state, members: members.length, lag });
  }
  return statuses;
}

interface ModelRow extends Omit<ModelStatus, 'watermark' | 'lastWindow'> {
  maxEventTimeMs: number;
  windowStartMs: number | null;
  windowEndMs: number;
  windowRecords: number;
  windowStatus: string;
  windowRevision: number;
}

export async function readModelStatus(
  clickhouse: Clickhouse,
  settings: Settings,
): Promise<ModelStatus[]> {
  const rows = await clickhouse.select<ModelRow>(`
    WITH
      clocks AS (
        SELECT model, version, toUnixTimestamp64Milli(min(max_event_time)) AS maxEventTimeMs
        FROM stream_progress FINAL WHERE predictions > 0 GROUP BY model, version),
      windows AS (
        SELECT model, version, argMax(tuple(*), window_start) AS last
        FROM (SELECT model, version, window_start, toUnixTimestamp64Milli(window_start) AS start_ms,
                     toUnixTimestamp64Milli(window_end) AS end_ms, records,
                     toString(status) AS state, revision
              FROM evaluated_windows FINAL WHERE segment = '')
        GROUP BY model, version),
      meanings AS (
        SELECT model, version,
               concat(toString(task),
                      if(positive_label = '', '', concat(', positive ', positive_label)),
                      if(prediction_is IN ('probability', 'score'),
                         concat(', prediction is a ', toString(prediction_is), ' of ', score_of),
                         if(score_of IN ('', positive_label), '', concat(', score of ', score_of))))
                 AS text
        FROM output_meanings FINAL)
    SELECT s.model AS model, s.version AS version, s.version_status AS status,
           s.predictions AS predictions,
           s.duplicates AS duplicates, s.late AS late, s.labelled AS labelled,
           nullIf(m.text, '') AS output, s.open_drift_events AS openDriftEvents,
           s.last_accuracy AS lastAccuracy, s.last_mae AS lastMae,
           c.maxEventTimeMs AS maxEventTimeMs,
           if(w.last.6 = 0, NULL, w.last.4) AS windowStartMs, w.last.5 AS windowEndMs,
           w.last.6 AS windowRecords,
           w.last.7 AS windowStatus, w.last.8 AS windowRevision
    FROM model_status AS s
    LEFT JOIN clocks AS c ON c.model = s.model AND c.version = s.version
    LEFT JOIN windows AS w ON w.model = s.model AND w.version = s.version
    LEFT JOIN meanings AS m ON m.model = s.model AND m.version = s.version
    ORDER BY model, version`);
  return rows.map(row => {
    const {
      maxEventTimeMs,
      windowStartMs,
      windowEndMs,
      windowRecords,
      windowStatus,
      windowRevision,
      ...status
    } = row;
    return {
      ...status,
      watermark: isoTime(maxEventTimeMs - settings.of(row.model).outOfOrdernessMs),
      lastWindow:
        windowStartMs === null
          ? null
          : {
              start: isoTime(windowStartMs),
              end: isoTime(windowEndMs),
              records: windowRecords,
              status: windowStatus,
              revision: windowRevision,
            },
    };
  });
}

export async function readOpenDriftEvents(clickhouse: Clickhouse): Promise<OpenDriftEvent[]> {
  const rows = await clickhouse.select<
    OpenDriftEvent & { startMs: number; persistingMs: number | null }
  >(`
    SELECT id, model, version, segment, cause, feature, toString(severity) AS severity, explanation,
           toUnixTimestamp64Milli(window_start) AS startMs,
           toUnixTimestamp64Milli(persisting_since) AS persistingMs, standing
    FROM drift_events FINAL WHERE status = 'open' ORDER BY window_start, id`);
  return rows.map(({ startMs, persistingMs, ...event }) => ({
    ...event,
    since: isoTime(startMs),
    persistingSince: persistingMs === null ? null : isoTime(persistingMs),
  }));
}

export async function readOpenNotices(clickhouse: Clickhouse): Promise<OpenNotice[]> {
  const rows = await clickhouse.select<OpenNotice & { sinceMs: number }>(`
    SELECT model, version, code, subject, message, evidence, advice,
           toUnixTimestamp64Milli(since) AS sinceMs
    FROM notices FINAL WHERE status = 'open' ORDER BY model, version, code, subject`);
  return rows.map(({ sinceMs, ...notice }) => ({ ...notice, since: isoTime(sinceMs) }));
}

export function readDeadLetterCounts(clickhouse: Clickhouse): Promise<DeadLetterCount[]> {
  return clickhouse.select<DeadLetterCount>(`
    SELECT source_topic AS topic, class, model, count() AS count
    FROM dead_letters FINAL GROUP BY topic, class, model ORDER BY count DESC, topic, class, model`);
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
