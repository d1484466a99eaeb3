import { type Clickhouse, clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import type { ModelVersion } from '../../shared/contracts.ts';

const revisionOfStatus: Record<ModelVersion['status'], number> = {
  candidate: 1,
  approved: 2,
  rejected: 2,
};

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

  async insert(version: ModelVersion): Promise<void> {
    await this.#clickhouse.insert('model_versions', [
      {
        model: version.model,
        version: version.version,
        revision: revisionOfStatus[version.status],
        status: version.status,
        reasons: version.reasons,
        metrics: version.metrics,
        champion_version: version.championVersion ?? '',
        run_id: version.runId,
        dataset_id: version.datasetId,
        code_version: version.codeVersion,
        artifact_uri: version.artifactUri,
        artifact_checksum: version.artifactChecksum,
        reference_id: version.referenceId,
        published_at: clickhouseTime(version.time),
      },
    ]);
  }
}
