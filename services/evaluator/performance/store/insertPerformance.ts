import { type Clickhouse, clickhouseTime } from '../../../shared/clickhouse/clickhouse.ts';
import { meaningKey } from '../../../shared/output/outputMeaning.ts';
import type { Quality } from '../quality/quality.ts';
import type { WindowPerformance } from '../quality/windowPerformance.ts';

/** Classes whose figures a row keeps. */
const maxClassFigures = 100;

/** Inserts rows into performance_windows. */
export function insertPerformance(
  clickhouse: Clickhouse,
  windows: readonly WindowPerformance[],
): Promise<void> {
  return clickhouse.insert('performance_windows', windows.map(performanceRow));
}

function performanceRow(window: WindowPerformance): object {
  const { model, version, segment, meaning, predictions, labelled, progress } = window;
  return {
    model,
    version,
    segment,
    window_start: clickhouseTime(window.startMs),
    window_end: clickhouseTime(window.endMs),
    task: meaning.task,
    positive_label: meaning.positiveLabel ?? '',
    meaning_key: meaningKey(meaning),
    predictions,
    labelled,
    weight: window.weight,
    set_apart: window.setApart,
    set_apart_examples: window.setApartExamples,
    coverage: labelled / predictions,
    label_delay_p50_ms: window.delaysMs[0],
    label_delay_p95_ms: window.delaysMs[1],
    value_sum: window.valueSum,
    ...qualityColumns(window.quality),
    confusion: Object.fromEntries(window.confusion),
    label_counts: Object.fromEntries(window.labelCounts),
    progress,
  };
}

/** Names the metrics of a window as the columns of performance_windows. */
export function qualityColumns({
  logLoss,
  averagePrecision,
  calibrationError,
  balancedAccuracy,
  topAccuracy,
  meanReciprocalRank,
  pinballLoss,
  intervalCoverage,
  intervalLevel,
  lossSum,
  lossSquareSum,
  classes,
  ...others
}: Quality) {
  return {
    ...others,
    log_loss: logLoss,
    average_precision: averagePrecision,
    calibration_error: calibrationError,
    balanced_accuracy: balancedAccuracy,
    top_1_accuracy: topAccuracy[1],
    top_3_accuracy: topAccuracy[3],
    top_5_accuracy: topAccuracy[5],
    top_10_accuracy: topAccuracy[10],
    mean_reciprocal_rank: meanReciprocalRank,
    pinball_loss: pinballLoss,
    interval_coverage: intervalCoverage,
    interval_level: intervalLevel,
    loss_sum: lossSum,
    loss_square_sum: lossSquareSum,
    classes: classes
      .slice(0, maxClassFigures)
      .map(({ name, labelled, predicted, figures }) => ({ name, labelled, predicted, ...figures })),
  };
}
