import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import { finalSetting, isInWindows } from '../../windows/conditions.ts';
import type { PartitionWindows } from '../../windows/versionWindows.ts';

/** Windows of which some predictions have not been joined with their feedback. */
export interface UnjoinedWindows extends PartitionWindows {
  /** Offset up to which the predictions have been joined; -1 for none. */
  joinedOffset: number;
}

/** Writes the outcomes of all stored predictions that have one of the ids. */
export function joinOutcomesById(clickhouse: Clickhouse, ids: readonly string[]): Promise<void> {
  return joinOutcomes(
    clickhouse,
    'SELECT model, version, event_time, id FROM prediction_ids WHERE id IN ({ids:Array(String)})',
    '{ids:Array(String)}',
    { ids },
  );
}

/** Writes the outcomes of the stored predictions of windows whose feedback came before them. */
export function joinOutcomesOfWindows(
  clickhouse: Clickhouse,
  windows: readonly UnjoinedWindows[],
  windowSizeMs: number,
): Promise<void> {
  const { sql, parameters } = isInWindows(
    windows,
    'event_time',
    windowSizeMs,
    ({ sourcePartition, joinedOffset }) =>
      `source_partition = ${sourcePartition} AND toInt64(source_offset) > ${joinedOffset}`,
  );
  const from = `FROM predictions WHERE ${sql}`;
  return joinOutcomes(
    clickhouse,
    `SELECT model, version, event_time, id ${from}`,
    `SELECT id ${from}`,
    parameters,
  );
}

/**
 * Joins predictions with their feedback. Feedback that names no model belongs to its id in every
 * model. If there is feedback both with and without the name, both are inserted, and the table
 * keeps the one with the higher precedence.
 *
 * @param keys query of the keys of the predictions
 * @param ids query or array of their ids
 */
function joinOutcomes(
  clickhouse: Clickhouse,
  keys: string,
  ids: string,
  parameters: Record<string, unknown>,
): Promise<void> {
  return clickhouse.command(
    `INSERT INTO outcomes (model, version, id, event_time,
                           prediction, prediction_value, score, probabilities, quantiles, ranking,
                           segments, weight, label, label_value, value, observed_at, precedence)
     SELECT p.model, p.version, p.id, p.event_time,
            p.prediction, p.prediction_value, p.score, p.probabilities, p.quantiles, p.ranking,
            p.segments, p.weight, f.label, f.label_value, f.value, f.observed_at, f.precedence
     FROM
     (
         SELECT model, version, id, event_time, prediction, prediction_value, score,
                probabilities, quantiles, ranking, segments, weight
         FROM predictions FINAL WHERE (model, version, event_time, id) IN (${keys})
     ) AS p
     INNER JOIN
     (
         SELECT id, model, label, label_value, value, observed_at, precedence
         FROM feedback FINAL WHERE id IN (${ids})
     ) AS f ON p.id = f.id
     WHERE f.model = '' OR f.model = p.model
     SETTINGS ${finalSetting}, use_skip_indexes = 0`,
    parameters,
  );
}
