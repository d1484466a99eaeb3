import { type Clickhouse, clickhouseTime } from '../../../shared/clickhouse/clickhouse.ts';
import { estimatedMetrics } from '../quality/estimate.ts';
import type { WindowEstimates } from '../quality/windowEstimates.ts';

/** Inserts estimates into estimated_quality, one row per metric. @returns the number of rows */
export async function insertEstimates(
  clickhouse: Clickhouse,
  windows: readonly WindowEstimates[],
): Promise<number> {
  const rows = windows.flatMap(estimateRows);
  await clickhouse.insert('estimated_quality', rows);
  return rows.length;
}

function estimateRows(window: WindowEstimates): object[] {
  const { model, version, startMs, windowSizeMs, task, positiveLabel, records, estimates, period } =
    window;
  return estimatedMetrics(task).map(metric => {
    const estimate = estimates?.[metric] ?? null;
    return {
      model,
      version,
      window_start: clickhouseTime(startMs),
      window_end: clickhouseTime(startMs + windowSizeMs),
      metric,
      status:
        estimates === null ? 'insufficient_data' : estimate === null ? 'undefined' : 'estimated',
      estimate: estimate?.value ?? null,
      lower: estimate?.lower ?? null,
      upper: estimate?.upper ?? null,
      records,
      positive_label: positiveLabel ?? '',
      calibration_to: clickhouseTime(period.untilMs),
      calibration_step: period.step,
      calibration_records: window.calibrationRecords,
      calibration_progress: String(period.progress),
      progress: String(period.progress + BigInt(records)),
    };
  });
}
