import { chunk } from '../../shared/chunk.ts';
import { anyOf } from '../../shared/clickhouse/anyOf.ts';
import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { JudgedWindowOfVersion } from './judgedWindow.ts';
import { timeOf } from './sqlTime.ts';
import { windowColumns } from './windowColumns.ts';

/** Windows that one statement names: its text stays far below `max_query_size`. */
const windowsPerStatement = 200;

/**
 * Writes the metrics of judged windows, and deletes those that only an earlier judgement of the
 * same window had: no row of a higher revision replaces them. Where only the labels were judged
 * again, the metrics of the inputs stay.
 * @returns the number of metrics that were written
 */
export async function insertDriftMetrics(
  clickhouse: Clickhouse,
  judged: readonly JudgedWindowOfVersion[],
): Promise<number> {
  const rows = judged.flatMap(metricRows);
  await clickhouse.insert('drift_metrics', rows);
  const judgedAgain = judged.filter(({ revision }) => revision > 1);
  for (const group of chunk(judgedAgain, windowsPerStatement))
    await deleteOutdated(clickhouse, group);
  return rows.length;
}

async function deleteOutdated(
  clickhouse: Clickhouse,
  judged: readonly JudgedWindowOfVersion[],
): Promise<void> {
  const { sql, parameters } = anyOf(
    judged,
    ({ model, version, segment, observation, revision, onlyLabels }, value) =>
      `model = ${value('String', model)} AND version = ${value('String', version)}
       AND segment = ${value('String', segment)}
       AND window_start = ${timeOf(value('Int64', observation.startMs))}
       AND window_end = ${timeOf(value('Int64', observation.endMs))}
       AND revision < ${value('UInt32', revision)}${onlyLabels ? " AND kind = 'performance'" : ''}`,
  );
  const [outdated] = await clickhouse.select<{ rows: number }>(
    `SELECT count() AS rows FROM drift_metrics FINAL WHERE ${sql}`,
    parameters,
  );
  if (outdated!.rows > 0)
    await clickhouse.command(`DELETE FROM drift_metrics WHERE ${sql}`, parameters);
}

function metricRows(judged: JudgedWindowOfVersion): object[] {
  const window = windowColumns(judged);
  return judged.metrics.map(metric => ({
    ...window,
    family: metric.family,
    kind: metric.kind,
    feature: metric.feature,
    metric: metric.metric,
    value: metric.value,
    reference_value: metric.referenceValue,
    threshold: metric.threshold,
    p_value: metric.pValue,
    level: metric.level,
    records: metric.records,
    reference_records: metric.referenceRecords,
    reference: metric.reference,
    cycle: metric.cycle ?? '',
    scale: metric.scale,
    overdispersion: metric.overdispersion,
    noise_weight: metric.noiseWeight,
    reason: metric.reason,
    revision: judged.revision,
  }));
}
