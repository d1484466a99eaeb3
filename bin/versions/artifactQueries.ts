import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';
import type { KeptArtifacts, KeptDataset, KeptVersion } from './prunePlan.ts';
import type { MadeVersion } from './reproduceVersion.ts';

/** Reads what is kept of a model, or of all models, and not yet removed. */
export async function selectKeptArtifacts(
  clickhouse: Clickhouse,
  model: string | undefined,
): Promise<KeptArtifacts> {
  const parameters = { model: model ?? '' };
  const ofModel = "({model:String} = '' OR model = {model:String})";
  const removed = `(SELECT * FROM removed_artifacts FINAL WHERE ${ofModel})`;
  // Runs first: a dataset that is seen was frozen before, or by a run that is seen.
  const runs = await clickhouse.select<{ model: string; sinceMs: number }>(
    `SELECT model, toUnixTimestamp64Milli(min(started_at)) AS sinceMs FROM training_runs FINAL
     WHERE ${ofModel} AND status = 'started' GROUP BY model`,
    parameters,
  );
  const versions = await clickhouse.select<KeptVersion>(
    `SELECT v.model AS model, v.version AS version, s.state AS state,
            toUnixTimestamp64Milli(s.since) AS sinceMs, a.names AS aliases,
            v.dataset_id AS datasetId, v.artifact_uri AS artifactUri,
            v.artifact_checksum AS artifactChecksum
     FROM (SELECT * FROM model_versions FINAL WHERE ${ofModel} AND artifact_uri != '') AS v
     INNER JOIN version_states AS s ON s.model = v.model AND s.version = v.version
     LEFT JOIN
     (
         SELECT model, version, arraySort(groupArray(toString(alias))) AS names
         FROM model_aliases FINAL WHERE version != '' GROUP BY model, version
     ) AS a ON a.model = v.model AND a.version = v.version
     LEFT JOIN ${removed} AS r ON r.model = v.model AND r.uri = v.artifact_uri
     WHERE r.uri = ''
     ORDER BY v.model, s.since DESC, v.version`,
    parameters,
  );
  const datasets = await clickhouse.select<KeptDataset>(
    // The same rows may have been frozen again after they were removed.
    `SELECT d.model AS model, d.id AS id, d.uri AS uri, d.checksum AS checksum,
            toUnixTimestamp64Milli(d.created_at) AS createdAtMs
     FROM (SELECT * FROM datasets FINAL WHERE ${ofModel} AND uri != '') AS d
     LEFT JOIN ${removed} AS r ON r.model = d.model AND r.uri = d.uri
     WHERE r.uri = '' OR r.removed_at < d.created_at
     ORDER BY d.model, d.created_at DESC, d.id`,
    parameters,
  );
  return {
    versions,
    datasets,
    runsSinceMs: new Map(runs.map(({ model: name, sinceMs }) => [name, sinceMs])),
  };
}

export interface RemovedArtifact {
  model: string;
  uri: string;
  version?: string;
  dataset_id?: string;
  checksum: string;
  removed_by: string;
  reason: string;
}

/** Records that files were removed. */
export function insertRemoved(clickhouse: Clickhouse, removed: RemovedArtifact): Promise<void> {
  return clickhouse.insert('removed_artifacts', [removed]);
}

/** Returns what a version was made of, or null if the retrainer did not make it. */
export async function selectMadeVersion(
  clickhouse: Clickhouse,
  model: string,
  version: string,
): Promise<(MadeVersion & { removedAt: string | null }) | null> {
  const [row] = await clickhouse.select<MadeVersion & { removedAt: string | null }>(
    `SELECT v.model AS model, v.version AS version, v.code_version AS trainer,
            v.artifact_uri AS artifactUri, v.artifact_checksum AS artifactChecksum,
            v.dataset_id AS datasetId, d.uri AS datasetUri,
            if(r.uri = '', NULL, formatDateTime(r.removed_at, '%Y-%m-%dT%H:%i:%SZ', 'UTC')) AS removedAt
     FROM
     (
         SELECT * FROM model_versions FINAL
         WHERE model = {model:String} AND version = {version:String} AND artifact_uri != ''
     ) AS v
     LEFT JOIN (SELECT * FROM datasets FINAL WHERE model = {model:String}) AS d
       ON d.id = v.dataset_id
     LEFT JOIN (SELECT * FROM removed_artifacts FINAL WHERE model = {model:String}) AS r
       ON r.uri = v.artifact_uri`,
    { model, version },
  );
  return row ?? null;
}
