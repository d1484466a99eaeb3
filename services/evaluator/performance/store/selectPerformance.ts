import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import type { Task, TaskDecision } from '../../../shared/task.ts';
import type { VersionName } from '../../../shared/versionKey.ts';
import {
  finalSetting,
  hasWindowSize,
  isInWindows,
  windowStartOf,
} from '../../windows/conditions.ts';
import type { VersionWindows } from '../../windows/versionWindows.ts';
import {
  type ClassStatistics,
  type CountedKey,
  classQuality,
  type NumberStatistics,
  numberQuality,
} from '../quality/quality.ts';
import type { WindowPerformance } from '../quality/windowPerformance.ts';

/** What windows must have in common to be computed by one query. */
export interface Evaluation {
  windowSizeMs: number;
  segmentNames: readonly string[];
  decision: TaskDecision;
}

const maxClasses = 1_000;
const maxConfusionCells = 400;
const maxLabelCounts = 100;

/** Statistics that every task has, besides its own. */
interface CommonStatistics extends VersionName {
  segment: string;
  start_ms: number;
  predictions_of_window: number;
  delays: [number, number];
  value_sum: number | null;
  confusion: CountedKey[];
  progress: string;
}

type StoredStatistics = CommonStatistics & ClassStatistics & NumberStatistics;

/**
 * Computes the quality of the windows that have outcomes, of all their predictions and of each
 * segment that the profiler has counted.
 */
export async function selectPerformance(
  clickhouse: Clickhouse,
  windows: readonly VersionWindows[],
  evaluation: Evaluation,
): Promise<WindowPerformance[]> {
  const { windowSizeMs, segmentNames, decision } = evaluation;
  const outcomes = isInWindows(windows, 'event_time', windowSizeMs);
  const profiles = isInWindows(windows, 'window_start', windowSizeMs);
  const rows = await clickhouse.select<StoredStatistics>(
    performanceQuery(outcomes.sql, profiles.sql, decision.task),
    {
      ...outcomes.parameters,
      windowSizeMs,
      segmentNames,
      positiveLabel: decision.positiveLabel ?? '',
    },
  );
  return rows.map(row => performanceOf(row, evaluation));
}

/**
 * Returns the query for the sufficient statistics of many windows, in one pass over their outcomes.
 *
 * `progress` grows with everything that can happen to a window. Each label adds at least 1 (the
 * delay of its observation after the start of the window, plus 1), a correction adds the time by
 * which it was observed later, and each prediction adds 1; nothing is ever taken away. So of two
 * writers, the one that has seen more has the higher row. (Between equal times of observation the
 * offset decides, which changes no number.)
 *
 * A prediction is stored a moment before the profile that counts it. Until then at least the
 * labelled predictions are counted.
 */
function performanceQuery(outcomes: string, profiles: string, task: Task): string {
  return `
    SELECT statistics.*,
           greatest(counts.records, statistics.labelled) AS predictions_of_window,
           toString(statistics.observations + predictions_of_window) AS progress
    FROM
    (
        SELECT model, version, start_ms, segment, count() AS labelled,
               sum(toUInt64(greatest(observed_ms - start_ms, 0)) + 1) AS observations,
               quantilesExactInclusive(0.5, 0.95)(observed_ms - event_ms) AS delays,
               sum(value) AS value_sum,
               ${task === 'regression' ? numberColumns : classColumns(task)}
        FROM
        (
            SELECT model, version, label, label_value, prediction, prediction_value, value,
                   toUnixTimestamp64Milli(event_time) AS event_ms,
                   toUnixTimestamp64Milli(observed_at) AS observed_ms,
                   ${windowStartOf('event_ms')} AS start_ms,
                   arrayFilter(name -> mapContains(segments, name), {segmentNames:Array(String)})
                       AS names,
                   arrayJoin(arrayConcat([''],
                       arrayMap(name -> concat(name, '=', segments[name]), names))) AS segment,
                   ${task === 'regression' ? errorColumn : probabilityColumns(task)}
            FROM outcomes FINAL
            WHERE ${outcomes}
        )
        GROUP BY model, version, start_ms, segment
    ) AS statistics
    LEFT JOIN
    (
        SELECT model, version, segment, toUnixTimestamp64Milli(window_start) AS start_ms,
               sum(count) AS records
        FROM window_profiles FINAL
        WHERE ${profiles} AND kind = 'output' AND feature = 'prediction'
          AND ${hasWindowSize('{windowSizeMs:Int64}')}
        GROUP BY model, version, segment, start_ms
    ) AS counts USING (model, version, start_ms, segment)
    WHERE segment = '' OR counts.records > 0
    ORDER BY model, version, start_ms, segment
    SETTINGS ${finalSetting}`;
}

/** Column of a row with numbers. */
const errorColumn = 'prediction_value - label_value AS error';

/**
 * Columns of a row with classes: whether its probabilities are usable, its log-loss and its Brier
 * score.
 */
function probabilityColumns(task: Exclude<Task, 'regression'>): string {
  if (task === 'binary') {
    return `label = {positiveLabel:String} AS positive,
            if(mapContains(probabilities, {positiveLabel:String}),
               probabilities[{positiveLabel:String}], NULL) AS named,
            coalesce(score, named) AS given,
            ifNull(isFinite(given), false) AS ranked,
            ifNull(given, 0) AS probability,
            (ranked AND probability BETWEEN 0 AND 1) AS usable,
            if(positive, probability, 1 - probability) AS probability_of_label,
            ${logLossOf('probability_of_label')} AS log_loss_term,
            pow(probability - positive, 2) AS brier_term`;
  }
  return `mapValues(probabilities) AS given,
          (length(given) > 0 AND arrayAll(p -> isFinite(p) AND p BETWEEN 0 AND 1, given)) AS usable,
          probabilities[label] AS probability,
          ${logLossOf('probability')} AS log_loss_term,
          arraySum(p -> p * p, given) - 2 * probability + 1 AS brier_term`;
}

/** The log-loss of a probability that is clipped at 1e-15. */
const logLossOf = (probability: string) =>
  `-log(least(greatest(${probability}, 1e-15), 1 - 1e-15))`;

/** Columns of ClassStatistics. */
function classColumns(task: Exclude<Task, 'regression'>): string {
  return `countIf(label != prediction) AS errors,
          ${mostFrequent('label', maxClasses)} AS labels,
          ${mostFrequent('prediction', maxClasses)} AS predictions,
          ${mostFrequent('label', maxClasses, 'label = prediction')} AS hits,
          ${mostFrequent("concat(label, '→', prediction)", maxConfusionCells)} AS confusion,
          countIf(usable) AS scored,
          sumIf(log_loss_term, usable) AS logLossSum,
          sumIf(brier_term, usable) AS brierSum,
          ${task === 'binary' ? areaUnderCurve : 'NULL'} AS auc`;
}

const areaUnderCurve = `
  if(uniqExactIf(positive, ranked) = 2,
     arrayROCAUC(groupArrayIf(probability, ranked), groupArrayIf(positive, ranked)), NULL)`;

/** An array of (text, count), with the most frequent text first. */
function mostFrequent(expression: string, maxTexts: number, condition = 'true'): string {
  const counts = `sumMapIf(map(${expression}, toUInt64(1)), ${condition})`;
  const entries = `CAST(${counts}, 'Array(Tuple(String, UInt64))')`;
  return `arraySlice(arraySort(entry -> (-toInt64(entry.2), entry.1), ${entries}), 1, ${maxTexts})`;
}

/**
 * Columns of NumberStatistics. The squares of the labels around their mean are summed by Welford's
 * method, because the difference of two sums would lose precision for labels far from zero.
 */
const numberColumns = `
  countIf(isFinite(error)) AS numbers,
  sumIf(error, isFinite(error)) AS errorSum,
  sumIf(abs(error), isFinite(error)) AS absoluteErrorSum,
  sumIf(error * error, isFinite(error)) AS squaredErrorSum,
  if(numbers > 0,
     varPopStableIf(assumeNotNull(label_value), ifNull(isFinite(error), false)) * numbers,
     0) AS labelSquareSum`;

function performanceOf(
  row: StoredStatistics,
  { windowSizeMs, decision }: Evaluation,
): WindowPerformance {
  const isRegression = decision.task === 'regression';
  return {
    model: row.model,
    version: row.version,
    segment: row.segment,
    startMs: row.start_ms,
    endMs: row.start_ms + windowSizeMs,
    decision,
    quality: isRegression ? numberQuality(row) : classQuality(row, decision),
    predictions: row.predictions_of_window,
    labelled: row.labelled,
    delaysMs: row.delays,
    valueSum: row.value_sum,
    confusion: isRegression ? [] : row.confusion,
    labelCounts: isRegression ? [] : row.labels.slice(0, maxLabelCounts),
    progress: row.progress,
  };
}
