import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import { finalSetting, hasWindowSize, isVersion, sqlTime } from '../../windows/conditions.ts';
import type { CalibrationPeriod } from '../quality/calibrationPeriod.ts';
import { estimatedMetrics } from '../quality/estimate.ts';
import type { EstimatedVersion } from '../quality/windowEstimates.ts';

/**
 * Finds the starts of a version's windows whose estimates are missing or come from another
 * calibration. Only windows are found that start at or after `fromMs`, end at or before `endedMs`,
 * and have scores (or predictions, if the task is not binary).
 */
export async function windowsToEstimate(
  clickhouse: Clickhouse,
  { model, version, windowSizeMs, task, positiveLabel, meaning }: EstimatedVersion,
  periods: readonly CalibrationPeriod[],
  { fromMs, endedMs }: { fromMs: number; endedMs: number },
): Promise<number[]> {
  const isInRange = `window_start >= ${sqlTime(fromMs)} AND window_end <= ${sqlTime(endedMs)}`;
  const hasSize = hasWindowSize('{windowSizeMs:Int64}');
  const rows = await clickhouse.select<{ start_ms: number }>(
    `SELECT DISTINCT toUnixTimestamp64Milli(window_start) AS start_ms FROM window_profiles
     WHERE ${isVersion} AND segment = '' AND ${isInRange} AND ${hasSize}
       AND kind = 'output' AND feature = {output:String}
       AND window_start NOT IN
       (
           SELECT window_start FROM estimated_quality FINAL
           WHERE ${isVersion} AND ${isInRange} AND ${hasSize}
             AND metric = {metric:String} AND positive_label = {positiveLabel:String}
             AND (${periods.map(isFromPeriodBefore).join(' OR ')})
       )
     SETTINGS ${finalSetting}`,
    {
      model,
      version,
      windowSizeMs,
      output: task === 'binary' && meaning.predictionIs === 'class' ? 'score' : 'prediction',
      metric: estimatedMetrics(task)[0],
      positiveLabel: positiveLabel ?? '',
    },
  );
  return rows.map(row => row.start_ms);
}

/** Holds for the windows that a period serves, if their estimates come from it. */
function isFromPeriodBefore(
  { step, untilMs, progress }: CalibrationPeriod,
  index: number,
  periods: readonly CalibrationPeriod[],
): string {
  const next = periods[index + 1];
  return `(${[
    `calibration_step = ${step}`,
    `calibration_progress = ${progress}`,
    ...(step === 0 ? [] : [`window_start >= ${sqlTime(untilMs)}`]),
    ...(next ? [`window_start < ${sqlTime(next.untilMs)}`] : []),
  ].join(' AND ')})`;
}
