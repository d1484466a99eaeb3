import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { DriftEntry, StoryEntry, TrainingEntry } from './story.ts';

const iso = (column: string) => `formatDateTime(${column}, '%Y-%m-%dT%H:%i:%SZ', 'UTC')`;

/**
 * Reads from ClickHouse what Driftloop has done since the last call.
 * @param told keys of what was told already; new ones are added
 */
export async function loopNews(
  clickhouse: Clickhouse,
  model: string,
  told: Set<string>,
): Promise<StoryEntry[]> {
  const entries: StoryEntry[] = [
    ...(await discoveries(clickhouse, model)),
    ...(await driftEvents(clickhouse, model)),
    ...(await trainingRuns(clickhouse, model)),
    ...(await publishedVersions(clickhouse, model)),
  ];
  const news = entries.filter(entry => !told.has(keyOf(entry)));
  for (const entry of news) {
    told.add(keyOf(entry));
    if (entry.kind !== 'drift') continue;
    entry.toldBefore = told.has(entry.id);
    told.add(entry.id);
  }
  return news;
}

/**
 * Returns the key of an entry. The key changes with the status or the cause, so that the entry is
 * told again.
 */
function keyOf(entry: StoryEntry): string {
  const { id, version, status, cause } = entry as {
    id?: string;
    version?: string;
    status?: string;
    cause?: string;
  };
  return [entry.kind, id ?? version, status, cause].join('/');
}

function discoveries(clickhouse: Clickhouse, model: string): Promise<StoryEntry[]> {
  return clickhouse.select(
    `SELECT 'discovered' AS kind, model, version, ${iso('min(first_event_time)')} AS firstEventTime
     FROM stream_progress FINAL WHERE model = {model:String}
     GROUP BY model, version ORDER BY firstEventTime`,
    { model },
  );
}

function driftEvents(clickhouse: Clickhouse, model: string): Promise<DriftEntry[]> {
  return clickhouse.select(
    `SELECT 'drift' AS kind, false AS toldBefore, id, revision, status, version, cause, severity,
            feature, metric, value, threshold,
            ${iso('detected_at_event_time')} AS detectedAt, explanation
     FROM drift_events FINAL WHERE model = {model:String} ORDER BY detected_at_event_time, id`,
    { model },
  );
}

function trainingRuns(clickhouse: Clickhouse, model: string): Promise<TrainingEntry[]> {
  return clickhouse.select(
    `SELECT 'training' AS kind, id, status, cause_type AS causeType, cause_id AS causeId,
            champion_version AS championVersion,
            candidate_version AS candidateVersion, reasons, metrics
     FROM training_runs FINAL WHERE model = {model:String} ORDER BY started_at, id`,
    { model },
  );
}

function publishedVersions(clickhouse: Clickhouse, model: string): Promise<StoryEntry[]> {
  return clickhouse.select(
    `SELECT 'version' AS kind, version, status, champion_version AS championVersion,
            artifact_uri AS artifactUri
     FROM model_versions FINAL
     WHERE model = {model:String} AND status != 'candidate' ORDER BY published_at`,
    { model },
  );
}
