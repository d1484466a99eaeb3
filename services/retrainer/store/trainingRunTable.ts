import { type Clickhouse, clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import type { Cause } from '../causes/retrainer.ts';

export type RunStatus = 'started' | 'skipped' | 'failed' | 'approved' | 'rejected';

/**
 * A run as it stands. The names of versions, the dataset and the trainer are '' as long as there
 * are none.
 */
export interface TrainingRun {
  id: string;
  /** Revision of the row. The highest one is valid. */
  revision: number;
  cause: Cause;
  status: RunStatus;
  reasons: string[];
  datasetId: string;
  /** Labelled rows since the change with which it tried to train; 0 if it did not come so far. */
  rowsSinceChange: number;
  championVersion: string;
  candidateVersion: string;
  metrics: Record<string, number>;
  trainer: string;
  seed: number;
  startedAtMs: number;
  finishedAtMs: number | null;
}

export type RunState = Pick<TrainingRun, 'status' | 'revision'>;

/** The table training_runs. */
export class TrainingRunTable {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  /** Returns the state of a run, or null if there has been none. */
  async selectState(model: string, id: string): Promise<RunState | null> {
    const [row] = await this.#clickhouse.select<RunState>(
      `SELECT status, revision FROM training_runs FINAL
       WHERE model = {model:String} AND id = {id:String}`,
      { model, id },
    );
    return row ?? null;
  }

  async insert(run: TrainingRun): Promise<void> {
    await this.#clickhouse.insert('training_runs', [
      {
        id: run.id,
        revision: run.revision,
        model: run.cause.model,
        cause_type: run.cause.type,
        cause_id: run.cause.id,
        status: run.status,
        reasons: run.reasons,
        dataset_id: run.datasetId,
        rows_since_change: run.rowsSinceChange,
        champion_version: run.championVersion,
        candidate_version: run.candidateVersion,
        metrics: run.metrics,
        trainer: run.trainer,
        seed: run.seed,
        started_at: clickhouseTime(run.startedAtMs),
        finished_at: run.finishedAtMs === null ? null : clickhouseTime(run.finishedAtMs),
      },
    ]);
  }
}
