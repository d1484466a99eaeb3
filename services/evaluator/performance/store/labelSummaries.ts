import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import type { LabelSummary } from '../../../shared/task.ts';
import { type VersionName, versionKey } from '../../../shared/versionKey.ts';
import { isAnyVersion } from '../../windows/conditions.ts';

interface StoredSummary extends VersionName {
  labels: string[];
  predictions: string[];
  text_labels: number;
  fractional_labels: number;
  fractional_predictions: number;
}

/** Reads the label summaries of versions, by `versionKey`. A version without outcomes is absent. */
export async function labelSummaries(
  clickhouse: Clickhouse,
  versions: readonly VersionName[],
): Promise<Map<string, LabelSummary>> {
  const { sql, parameters } = isAnyVersion(versions);
  const rows = await clickhouse.select<StoredSummary>(
    `SELECT model, version, groupUniqArrayMerge(101)(labels) AS labels,
            groupUniqArrayMerge(101)(predictions) AS predictions,
            max(text_labels) AS text_labels, max(fractional_labels) AS fractional_labels,
            max(fractional_predictions) AS fractional_predictions
     FROM version_labels AS v WHERE ${sql} GROUP BY model, version`,
    parameters,
  );
  return new Map(
    rows.map(row => [
      versionKey(row),
      {
        labels: row.labels,
        predictions: row.predictions,
        textLabels: row.text_labels === 1,
        fractionalLabels: row.fractional_labels === 1,
        fractionalPredictions: row.fractional_predictions === 1,
      },
    ]),
  );
}
