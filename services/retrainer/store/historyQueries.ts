import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { ModelHistory } from '../causes/retrainer.ts';

/** Questions about what has served and what was trained. */
export class HistoryQueries {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  /** Returns the models that predictions have named. */
  async selectModels(): Promise<string[]> {
    const rows = await this.#clickhouse.select<{ model: string }>(
      'SELECT DISTINCT model FROM stream_progress ORDER BY model',
    );
    return rows.map(row => row.model);
  }

  /** Returns the event time of the first prediction of a version, or 0. */
  async selectFirstEventTime(model: string, version: string): Promise<number> {
    const [first] = await this.#clickhouse.select<{ firstMs: number }>(
      `SELECT toUnixTimestamp64Milli(min(first_event_time)) AS firstMs FROM stream_progress FINAL
       WHERE model = {model:String} AND version = {version:String}`,
      { model, version },
    );
    return first!.firstMs;
  }

  async selectHistory(model: string): Promise<ModelHistory> {
    return {
      championVersion: await this.#selectChampion(model),
      lastTrainedEventTimeMs: await this.#selectLastTrained(model),
    };
  }

  /**
   * The version that serves is the champion. As long as that one has logged no predictions, it is
   * the version that was superseded or, by Driftloop 0.1, approved last. Without any of these it is
   * the version with the newest predictions.
   */
  async #selectChampion(model: string): Promise<string | null> {
    const [champion] = await this.#clickhouse.select<{ version: string }>(
      `SELECT p.version AS version
       FROM
       (
           SELECT version, max(max_event_time) AS last_time
           FROM stream_progress FINAL WHERE model = {model:String} GROUP BY version
       ) AS p
       LEFT JOIN
       (
           SELECT version, argMax(state, tuple(sequence, step)) AS last_state,
                  max(sequence) AS last_sequence
           FROM version_steps FINAL WHERE model = {model:String} AND step > 0 GROUP BY version
       ) AS s ON s.version = p.version
       LEFT JOIN
       (
           SELECT version, published_at FROM model_versions FINAL
           WHERE model = {model:String} AND status = 'approved' AND state = ''
       ) AS v ON v.version = p.version
       ORDER BY s.last_state = 'champion' DESC,
                if(s.last_state = 'superseded', s.last_sequence, 0) DESC,
                v.version != '' DESC, v.published_at DESC, p.last_time DESC, p.version DESC
       LIMIT 1`,
      { model },
    );
    return champion?.version ?? null;
  }

  /**
   * Returns the part of the margin that a version and those before it have used up, which its gates
   * measured; 0 for a version that Driftloop has not made.
   */
  async selectMarginUsed(model: string, version: string): Promise<number> {
    const [found] = await this.#clickhouse.select<{ used: number }>(
      `SELECT metrics['marginUsed'] AS used FROM model_versions FINAL
       WHERE model = {model:String} AND version = {version:String}`,
      { model, version },
    );
    return found?.used ?? 0;
  }

  async #selectLastTrained(model: string): Promise<number | null> {
    const [trained] = await this.#clickhouse.select<{ datasets: number; lastMs: number }>(
      `SELECT count() AS datasets, toUnixTimestamp64Milli(max(to_time)) AS lastMs FROM datasets
       WHERE model = {model:String} AND id IN
       (
           SELECT dataset_id FROM training_runs FINAL
           WHERE model = {model:String}
             AND (status IN ('approved', 'rejected') OR status = 'started' AND isNotNull(deadline))
       )`,
      { model },
    );
    return trained!.datasets > 0 ? trained!.lastMs : null;
  }
}
