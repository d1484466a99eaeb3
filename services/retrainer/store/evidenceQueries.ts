import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { CauseState, EarlierTraining, LossOfChampion } from '../causes/pendingCauses.ts';

const maxCauses = 20;
const maxTrainings = 1_000;
/** Newest windows that are looked at for rows that say how good a version is now. */
const maxNewestWindows = 1_000;
const ended = `status NOT IN ('started', 'skipped')`;
/**
 * Whether a run made a version that passed the gates, or proved better in shadow, and that nobody
 * took back.
 */
const mends = `(status = 'approved' AND candidate_version NOT IN (
             SELECT version FROM version_states
             WHERE model = {model:String} AND state IN ('shadow', 'rejected', 'rolled_back'))
         OR status = 'rejected' AND candidate_version IN (
             SELECT version FROM version_states
             WHERE model = {model:String}
               AND state IN ('waiting_for_approval', 'champion', 'superseded')))`;
const windowsOfVersion = `FROM performance_windows FINAL
       WHERE model = {model:String} AND version = {version:String} AND segment = ''
         AND labelled > 0`;

/** Questions about what a cause has led to, and whether the champion is as good as it was. */
export class EvidenceQueries {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  /**
   * Returns the newest drift events of a model that the retrainer has had in hand, without those of
   * which a person has accepted the level.
   */
  selectCauses(model: string): Promise<CauseState[]> {
    return this.#clickhouse.select<CauseState>(
      `SELECT e.id AS id, e.version AS version, e.cause AS cause,
              toUnixTimestamp64Milli(e.window_start) AS changedAtMs,
              r.attempts AS attempts, r.mended_by AS mendedBy, r.rows_tried AS rowsTried
       FROM
       (
           SELECT cause_id, countIf(${ended}) AS attempts,
                  groupUniqArrayIf(toString(candidate_version), ${mends}) AS mended_by,
                  maxIf(rows_since_change, status != 'started') AS rows_tried
           FROM training_runs FINAL
           WHERE model = {model:String} AND cause_type = 'drift_event' GROUP BY cause_id
       ) AS r
       INNER JOIN
       (
           SELECT id, toString(version) AS version, toString(cause) AS cause, window_start
           FROM drift_events FINAL WHERE model = {model:String} AND status != 'withdrawn'
             AND NOT (ifNull(end_reason, '') = 'accepted' AND ended_by IS NOT NULL)
       ) AS e ON e.id = r.cause_id
       ORDER BY e.window_start DESC, e.id LIMIT {maxCauses:UInt32}`,
      { model, maxCauses },
    );
  }

  /** Returns the newest trainings of a model, also failed ones. */
  async selectTrainings(model: string): Promise<EarlierTraining[]> {
    const rows = await this.#clickhouse.select<{ approved: number; judged: number; toMs: number }>(
      `SELECT r.approved AS approved, r.status != 'failed' AS judged,
              toUnixTimestamp64Milli(d.to_time) AS toMs
       FROM
       (
           SELECT status, ${mends} AS approved, dataset_id FROM training_runs FINAL
           WHERE model = {model:String} AND ${ended} AND dataset_id != ''
       ) AS r
       INNER JOIN (SELECT id, to_time FROM datasets FINAL WHERE model = {model:String}) AS d
           ON d.id = r.dataset_id
       ORDER BY toMs DESC LIMIT {maxTrainings:UInt32}`,
      { model, maxTrainings },
    );
    return rows.map(row => ({ ...row, approved: row.approved > 0, judged: row.judged > 0 }));
  }

  /** Returns whether an earlier run of the same cause had these rows, and so the same seed. */
  async hasTrainedOn(model: string, causeId: string, datasetId: string): Promise<boolean> {
    const [runs] = await this.#clickhouse.select<{ runs: number }>(
      `SELECT count() AS runs FROM training_runs FINAL
       WHERE model = {model:String} AND cause_id = {causeId:String} AND ${ended}
         AND dataset_id = {datasetId:String}`,
      { model, causeId, datasetId },
    );
    return runs!.runs > 0;
  }

  /**
   * Returns the weighted mean loss of a version in its windows before a time, or null if they have
   * fewer labels than `minRows`.
   */
  async selectLossBefore(
    model: string,
    version: string,
    beforeMs: number,
    minRows: number,
  ): Promise<number | null> {
    const [before] = await this.#clickhouse.select<{ rows: number; loss: number }>(
      `SELECT sum(labelled) AS rows, sum(loss_sum) / sum(weight) AS loss ${windowsOfVersion}
         AND window_end <= fromUnixTimestamp64Milli({beforeMs:Int64}, 'UTC')`,
      { model, version, beforeMs },
    );
    const { rows, loss } = before!;
    return rows >= minRows && Number.isFinite(loss) ? loss : null;
  }

  /**
   * Returns the weighted mean loss of a version in its newest windows that have `rows` labels
   * together, or null if there are fewer.
   */
  async selectLossNow(
    model: string,
    version: string,
    rows: number,
  ): Promise<Pick<LossOfChampion, 'now' | 'isRate'> | null> {
    const windows = await this.#clickhouse.select<{
      task: string;
      rows: number;
      weight: number;
      losses: number;
    }>(
      `SELECT toString(task) AS task, labelled AS rows, weight, loss_sum AS losses ${windowsOfVersion}
       ORDER BY window_start DESC LIMIT {maxNewestWindows:UInt32}`,
      { model, version, maxNewestWindows },
    );
    let [counted, weight, losses] = [0, 0, 0];
    for (const window of windows) {
      counted += window.rows;
      weight += window.weight;
      losses += window.losses;
      if (counted >= rows) return { now: losses / weight, isRate: window.task !== 'regression' };
    }
    return null;
  }
}
