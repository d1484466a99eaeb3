import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import { finalSettings } from '../../shared/clickhouse/finalSettings.ts';
import type { AliasName } from '../content/names.ts';
import type { StoredDataset, StoredVersion } from '../content/storedVersion.ts';

/** What an alias of a model names. */
export interface AliasRow {
  model: string;
  alias: AliasName;
  /** '' if it names none. */
  version: string;
  /** Number of the request that moved it. */
  sequence: number;
  /** Whether the retrainer made the version. */
  isMade: boolean;
}

export interface StoredAnswer {
  accepted: boolean;
  reason: string;
  /** Number of the request. */
  sequence: number;
}

type VersionRow = Omit<StoredVersion, 'model' | 'dataset'> & StoredDataset;

/** The SQL of the service. It reads what the retrainer has written before it published it. */
export class MlflowStore {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  /** Returns a version that the retrainer has made, or null. */
  async selectVersion(model: string, version: string): Promise<StoredVersion | null> {
    const [row] = await this.#clickhouse.select<VersionRow>(
      `SELECT v.version AS version, toString(v.status) AS status, toString(v.state) AS state,
              v.reasons AS reasons, v.metrics AS metrics, v.champion_version AS championVersion,
              v.run_id AS runId, v.code_version AS codeVersion, v.artifact_uri AS artifactUri,
              v.artifact_checksum AS artifactChecksum, v.changed_by AS changedBy, v.note AS note,
              toUnixTimestamp64Milli(v.published_at) AS judgedAtMs,
              if(r.id = '', '', toString(r.cause_type)) AS causeType, r.cause_id AS causeId,
              toUnixTimestamp64Milli(if(r.id = '', v.published_at, r.started_at)) AS startedAtMs,
              v.dataset_id AS datasetId, toString(d.task) AS task, d.uri AS uri, d.rows AS rows,
              d.train_rows AS trainRows, d.select_rows AS selectRows, d.gate_rows AS gateRows,
              toUnixTimestamp64Milli(d.from_time) AS fromMs,
              toUnixTimestamp64Milli(d.to_time) AS toMs,
              d.feature_types AS featureTypes
       FROM
       (
           SELECT * FROM model_versions FINAL
           WHERE model = {model:String} AND version = {version:String}
       ) AS v
       LEFT JOIN (SELECT * FROM training_runs FINAL WHERE model = {model:String}) AS r
           ON r.id = v.run_id
       LEFT JOIN (SELECT * FROM datasets FINAL WHERE model = {model:String}) AS d
           ON d.id = v.dataset_id
       ${finalSettings}`,
      { model, version },
    );
    return row ? storedVersion(model, row) : null;
  }

  /** Returns the models that the retrainer has made versions of. */
  async selectModels(): Promise<Set<string>> {
    const rows = await this.#clickhouse.select<{ model: string }>(
      'SELECT DISTINCT model FROM model_versions',
    );
    return new Set(rows.map(({ model }) => model));
  }

  /** Returns all aliases of all models that were ever moved. */
  async selectAliases(): Promise<AliasRow[]> {
    return this.#clickhouse.select<AliasRow>(
      `SELECT model, toString(alias) AS alias, version, sequence,
              toBool((model, version) IN (SELECT model, version FROM model_versions)) AS isMade
       FROM model_aliases FINAL ${finalSettings}`,
    );
  }

  /** Returns the state of a version, or null if it is not known. */
  async selectState(model: string, version: string): Promise<string | null> {
    const [row] = await this.#clickhouse.select<{ state: string }>(
      `SELECT state FROM version_states
       WHERE model = {model:String} AND version = {version:String}`,
      { model, version },
    );
    return row?.state ?? null;
  }

  /** Returns the answer to a request about a version of a model, or null if there is none yet. */
  async selectAnswer(model: string, requestId: string): Promise<StoredAnswer | null> {
    const [row] = await this.#clickhouse.select<StoredAnswer & { outcome: string }>(
      `SELECT toString(outcome) AS outcome, reason, sequence FROM version_steps FINAL
       WHERE model = {model:String} AND step = 0 AND request_id = {requestId:String}`,
      { model, requestId },
    );
    if (!row) return null;
    const { outcome, reason, sequence } = row;
    return { accepted: outcome === 'accepted', reason, sequence };
  }
}

function storedVersion(model: string, row: VersionRow): StoredVersion {
  const { task, uri, rows, trainRows, selectRows, gateRows, fromMs, toMs, ...rest } = row;
  const { featureTypes, ...facts } = rest;
  const sizes = { rows, trainRows, selectRows, gateRows };
  const dataset = rows === 0 ? null : { task, uri, ...sizes, fromMs, toMs, featureTypes };
  return { ...facts, model, dataset };
}
