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
  /** Until when the result of a training outside is waited for; absent where none was asked for. */
  deadlineMs?: number;
  /** When a platform outside has accepted the request; absent before. */
  handedOverAtMs?: number;
}

export type RunState = Pick<TrainingRun, 'status' | 'revision'> & {
  /** Whether it has started, and waits for the result of a training outside. */
  waits: boolean;
};

/** A run whose training was asked for outside. */
export interface OutsideRun {
  model: string;
  id: string;
  deadlineMs: number;
  /** Null as long as the platform has not accepted the request. */
  handedOverAtMs: number | null;
  status: 'started' | 'failed';
  revision: number;
  reasons: string[];
  finishedAtMs: number | null;
}

/** The table training_runs. */
export class TrainingRunTable {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  /** Returns the state of a run, or null if there has been none. */
  async selectState(model: string, id: string): Promise<RunState | null> {
    const [row] = await this.#clickhouse.select<Omit<RunState, 'waits'> & { waits: number }>(
      `SELECT status, revision, status = 'started' AND isNotNull(deadline) AS waits
       FROM training_runs FINAL WHERE model = {model:String} AND id = {id:String}`,
      { model, id },
    );
    return row ? { ...row, waits: row.waits > 0 } : null;
  }

  /**
   * Returns the runs that wait for the result of a training outside, the first deadline first, and
   * those that have ended without one since a time, because it may come yet.
   * @param refusal the reason that a run has after such a result was refused
   */
  selectOutside(endedAfterMs: number, refusal: string): Promise<OutsideRun[]> {
    return this.#clickhouse.select<OutsideRun>(
      `SELECT toString(model) AS model, id, toString(status) AS status,
              revision, reasons, toUnixTimestamp64Milli(deadline) AS deadlineMs,
              toUnixTimestamp64Milli(handed_over_at) AS handedOverAtMs,
              toUnixTimestamp64Milli(finished_at) AS finishedAtMs
       FROM training_runs FINAL
       WHERE isNotNull(deadline)
         AND (status = 'started'
              OR status = 'failed' AND finished_at >= deadline
                 AND finished_at > fromUnixTimestamp64Milli({endedAfterMs:Int64}, 'UTC')
                 AND NOT has(reasons, {refusal:String}))
       ORDER BY status = 'started' DESC, deadline, id`,
      { endedAfterMs, refusal },
    );
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
        deadline: run.deadlineMs === undefined ? null : clickhouseTime(run.deadlineMs),
        handed_over_at:
          run.handedOverAtMs === undefined ? null : clickhouseTime(run.handedOverAtMs),
      },
    ]);
  }
}
