import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import { type VersionName, versionKey } from '../../../shared/versionKey.ts';
import { isAnyVersion } from '../../windows/conditions.ts';
import type { StrayLabels } from '../quality/outputNotices.ts';

/** Predictions without any label from which on that is odd, and labels that wait. */
const minRecords = 100;
/** Labels that are looked at. */
const maxLabels = 1_000;

interface SilentVersion extends VersionName {
  predicted: number;
  waiting: number;
  label_id: string;
}

/**
 * Finds the versions that have predictions and no outcome although labels of their model, or of no
 * named model, have come and belong to no prediction at all.
 *
 * @param models of labels that came, '' for those that named none
 */
export async function versionsWithStrayLabels(
  clickhouse: Clickhouse,
  models: readonly string[],
): Promise<(VersionName & StrayLabels)[]> {
  const silent = await silentVersions(clickhouse, models);
  if (silent.length === 0) return [];
  const { sql, parameters } = isAnyVersion(silent);
  const first = await clickhouse.select<VersionName & { id: string; first_ms: number }>(
    `SELECT model, version, argMin(id, event_time) AS id,
            toUnixTimestamp64Milli(min(event_time)) AS first_ms
     FROM predictions WHERE ${sql} GROUP BY model, version`,
    parameters,
  );
  const firstOf = new Map(first.map(row => [versionKey(row), row]));
  return silent.flatMap(({ predicted, waiting, label_id, ...version }) => {
    const found = firstOf.get(versionKey(version));
    if (!found) return [];
    return [
      {
        ...version,
        predictions: predicted,
        firstMs: found.first_ms,
        labels: waiting,
        labelId: label_id,
        predictionId: found.id,
      },
    ];
  });
}

function silentVersions(
  clickhouse: Clickhouse,
  models: readonly string[],
): Promise<SilentVersion[]> {
  const labels = `SELECT id, model FROM feedback WHERE model IN ({models:Array(String)})
                  ORDER BY id, model LIMIT ${maxLabels} BY model`;
  return clickhouse.select<SilentVersion>(
    `WITH waiting AS
     (
         SELECT model AS label_model, uniqExact(id) AS labels, min(id) AS first_id
         FROM (${labels})
         WHERE id NOT IN (SELECT id FROM prediction_ids WHERE id IN (SELECT id FROM (${labels})))
         GROUP BY label_model HAVING labels >= ${minRecords}
     ),
     silent AS
     (
         SELECT model, version, sum(predictions) AS predicted FROM stream_progress FINAL
         WHERE (model, version) NOT IN (SELECT model, version FROM output_meanings)
         GROUP BY model, version HAVING predicted >= ${minRecords}
     )
     SELECT silent.model AS model, silent.version AS version, any(predicted) AS predicted,
            max(labels) AS waiting, argMax(first_id, labels) AS label_id
     FROM silent CROSS JOIN waiting
     WHERE label_model IN (silent.model, '')
     GROUP BY silent.model, silent.version`,
    { models },
  );
}
