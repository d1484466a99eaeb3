import { type Clickhouse, clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import type { ModelVersion } from '../../shared/contracts.ts';
import type { TrainedVersion } from '../versions/modelState.ts';
import type { VersionFacts } from '../versions/publishedVersion.ts';

/** A version that the retrainer made, as it was when the gates had judged it. */
export interface StoredVersion {
  facts: VersionFacts;
  trained: TrainedVersion;
}

/** Revision of the row of a version that the gates have not judged, and of one that they have. */
export const revisions = { candidate: 1, judged: 2 };

/** More than the steps that one request leads to. */
const maxSteps = 8;

/** Returns the revision of the row of a version after a step, which is above all earlier ones. */
export function revisionOfStep(sequence: number, step: number): number {
  return revisions.judged + maxSteps * sequence + step;
}

interface VersionRow extends Omit<VersionFacts, 'model' | 'championVersion' | 'causeType'> {
  status: ModelVersion['status'];
  state: ModelVersion['state'] | '';
  revision: number;
  championVersion: string;
  causeType: ModelVersion['causeType'] | '';
  judgedAtMs: number;
}

/** The table model_versions. */
export class ModelVersionTable {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  /** Returns the names of versions that were predicted with, or that another run has produced. */
  async selectTakenNames(model: string, ownRunId: string): Promise<Set<string>> {
    const rows = await this.#clickhouse.select<{ version: string }>(
      `SELECT version FROM stream_progress WHERE model = {model:String}
       UNION DISTINCT
       SELECT version FROM model_versions
       WHERE model = {model:String} AND run_id != {ownRunId:String}`,
      { model, ownRunId },
    );
    return new Set(rows.map(row => row.version));
  }

  async selectVersions(model: string): Promise<StoredVersion[]> {
    const rows = await this.#clickhouse.select<VersionRow>(
      `SELECT v.version AS version, toString(v.status) AS status,
              toString(v.state) AS state, v.revision AS revision,
              nullIf(toString(v.verdict), '') AS verdict,
              v.reasons AS reasons, v.metrics AS metrics, v.champion_version AS championVersion,
              v.run_id AS runId, if(r.id = '', '', toString(r.cause_type)) AS causeType,
              r.cause_id AS causeId, v.dataset_id AS datasetId, v.code_version AS codeVersion,
              v.artifact_uri AS artifactUri, v.artifact_checksum AS artifactChecksum,
              v.reference_id AS referenceId, toUnixTimestamp64Milli(v.published_at) AS judgedAtMs
       FROM (SELECT * FROM model_versions FINAL WHERE model = {model:String}) AS v
       LEFT JOIN
       (
           SELECT id, cause_type, cause_id FROM training_runs FINAL WHERE model = {model:String}
       ) AS r ON r.id = v.run_id`,
      { model },
    );
    return rows.map(row => storedVersion(model, row));
  }

  /** Returns the models with versions that Driftloop 0.1 approved, of which no step is known. */
  async selectModelsBeforeSteps(): Promise<string[]> {
    const rows = await this.#clickhouse.select<{ model: string }>(
      `SELECT DISTINCT model FROM model_versions FINAL
       WHERE status = 'approved' AND state = ''
         AND model NOT IN (SELECT model FROM version_steps WHERE step > 0)
       ORDER BY model`,
    );
    return rows.map(row => row.model);
  }

  async insert(version: ModelVersion, revision: number, judgedAtMs: number): Promise<void> {
    await this.#clickhouse.insert('model_versions', [
      {
        model: version.model,
        version: version.version,
        revision,
        status: version.status,
        state: version.state ?? '',
        verdict: version.verdict ?? '',
        reasons: version.reasons,
        metrics: version.metrics,
        champion_version: version.championVersion ?? '',
        run_id: version.runId,
        dataset_id: version.datasetId,
        code_version: version.codeVersion,
        artifact_uri: version.artifactUri,
        artifact_checksum: version.artifactChecksum,
        reference_id: version.referenceId,
        published_at: clickhouseTime(judgedAtMs),
        state_since: clickhouseTime(version.time),
        changed_by: version.changedBy ?? '',
        note: version.note,
      },
    ]);
  }
}

function storedVersion(model: string, row: VersionRow): StoredVersion {
  const { status, state, revision, judgedAtMs, championVersion, causeType, ...facts } = row;
  return {
    facts: {
      ...facts,
      model,
      championVersion: championVersion === '' ? null : championVersion,
      // The row of its run is there before the version, unless somebody has deleted it.
      causeType: causeType === '' ? 'manual' : causeType,
    },
    trained: {
      version: facts.version,
      status: statusBeforeSteps(row),
      isJudged: revision >= revisions.judged,
      championVersion,
      datasetId: facts.datasetId,
      verdict: facts.verdict ?? '',
      judgedAtMs,
    },
  };
}

/**
 * Returns the status that the gates gave a version, whose row may be that of a later step. Only
 * Driftloop 0.1 wrote "approved" here.
 */
function statusBeforeSteps({ status, state, revision }: VersionRow): ModelVersion['status'] {
  if (state === '') return status;
  return state === 'rejected' && revision === revisions.judged ? 'rejected' : 'candidate';
}
