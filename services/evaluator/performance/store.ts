import { type Clickhouse, clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import type { Feedback } from '../../shared/contracts.ts';
import type { LabelSummary, TaskDecision } from '../../shared/task.ts';
import { type VersionName, versionKey } from '../../shared/versionKey.ts';
import {
  type ClassStatistics,
  type CountedKey,
  classQuality,
  type NumberStatistics,
  numberQuality,
  type Quality,
} from './evaluator.ts';
import { type FeedbackRecord, feedbackBlock } from './feedbackBlock.ts';
import { joinedWindows, type VersionWindows } from './versionWindows.ts';

/** Windows that the profiler announced, of one partition of predictions. */
export interface AnnouncedWindows extends VersionWindows {
  sourcePartition: number;
  /** Predictions up to this offset have met their feedback; -1 for none. */
  joinedOffset: number;
}

/** What windows need in common to be computed by one query. */
export interface Evaluation {
  windowSizeMs: number;
  segmentNames: readonly string[];
  decision: TaskDecision;
}

/** Row of performance_windows. `progress` is text: it may be beyond 2^53. */
export interface PerformanceRow extends Quality {
  model: string;
  version: string;
  segment: string;
  startMs: number;
  endMs: number;
  decision: TaskDecision;
  predictions: number;
  labelled: number;
  delaysMs: [p50: number, p95: number];
  valueSum: number | null;
  confusion: readonly CountedKey[];
  labelCounts: readonly CountedKey[];
  progress: string;
}

const mostClasses = 1_000;
const mostConfusionCells = 400;
const mostLabelCounts = 100;
/** A key never has rows in two partitions (of the table), so FINAL need not look across them. */
const finalSettings = 'SETTINGS do_not_merge_across_partitions_select_final = 1';

/** The SQL of the evaluator. Written in the order feedback, outcomes, performance_windows; everything may be written again. */
export function evaluatorStore(clickhouse: Clickhouse) {
  /**
   * Joins predictions with their feedback. Feedback that names no model belongs to the id in every model; where feedback with and
   * without the name is there, both are inserted, and outcomes keeps the one with the higher precedence.
   * @param keys query of the keys of the predictions
   * @param ids query or array of their ids
   */
  const join = (keys: string, ids: string, parameters: Record<string, unknown>) =>
    clickhouse.command(
      `INSERT INTO outcomes (model, version, id, event_time, prediction, prediction_value, score, probabilities, segments,
                             label, label_value, value, observed_at, precedence)
       SELECT p.model, p.version, p.id, p.event_time, p.prediction, p.prediction_value, p.score, p.probabilities, p.segments,
              f.label, f.label_value, f.value, f.observed_at, f.precedence
       FROM
       (
           SELECT model, version, id, event_time, prediction, prediction_value, score, probabilities, segments
           FROM predictions FINAL WHERE (model, version, event_time, id) IN (${keys})
       ) AS p
       INNER JOIN
       (
           SELECT id, model, label, label_value, value, observed_at, precedence FROM feedback FINAL WHERE id IN (${ids})
       ) AS f ON p.id = f.id
       WHERE f.model = '' OR f.model = p.model
       ${finalSettings}, use_skip_indexes = 0`,
      parameters,
    );

  return {
    insertFeedback: (records: readonly FeedbackRecord[]) =>
      clickhouse.insertBlock('feedback', feedbackBlock(records)),

    /** Outcomes of the predictions with these ids, as far as they are stored. */
    joinIds: (ids: readonly string[]) =>
      join(
        'SELECT model, version, event_time, id FROM prediction_ids WHERE id IN ({ids:Array(String)})',
        '{ids:Array(String)}',
        {
          ids,
        },
      ),

    /** Outcomes of the predictions of these windows whose feedback was there before them. */
    joinAnnounced(windows: readonly AnnouncedWindows[], windowSizeMs: number): Promise<void> {
      const { sql, parameters } = windowsCondition(
        windows,
        'event_time',
        windowSizeMs,
        ({ sourcePartition, joinedOffset }) =>
          `source_partition = ${sourcePartition} AND toInt64(source_offset) > ${joinedOffset}`,
      );
      const from = `FROM predictions WHERE ${sql}`;
      return join(`SELECT model, version, event_time, id ${from}`, `SELECT id ${from}`, parameters);
    },

    /**
     * What the feedback is about, as far as it is stored: the windows of the predictions, and how many ids have one. Counted by ClickHouse,
     * so that its answer stays short.
     * @param windowSizeOf by model; that of '' is of every model that is not configured
     */
    async predictionsOf(
      feedback: readonly Feedback[],
      configuredModels: readonly string[],
      windowSizeOf: (model: string) => number,
    ): Promise<{ windows: (VersionName & { startMs: number })[]; ids: number }> {
      const unnamed = feedback.filter(({ model }) => model === null);
      const named = feedback.filter(({ model }) => model !== null);
      const conditions = [
        ...(unnamed.length > 0 ? ['id IN ({ids:Array(String)})'] : []),
        ...(named.length > 0
          ? ['(id, model) IN arrayZip({namedIds:Array(String)}, {namedModels:Array(String)})']
          : []),
      ];
      const rows = await clickhouse.select<
        VersionName & { start_ms: number; ids: number; is_total: number }
      >(
        `SELECT model, version, start_ms, uniqExact(id) AS ids, grouping(model) AS is_total
         FROM
         (
             SELECT id, model, version,
                    transform(toString(model), {models:Array(String)}, {sizes:Array(Int64)}, {size:Int64}) AS window_ms,
                    intDiv(toUnixTimestamp64Milli(event_time), window_ms) * window_ms AS start_ms
             FROM prediction_ids WHERE ${conditions.join(' OR ')}
         )
         GROUP BY GROUPING SETS ((model, version, start_ms), ())
         SETTINGS force_grouping_standard_compatibility = 1`,
        {
          ids: unnamed.map(({ id }) => id),
          namedIds: named.map(({ id }) => id),
          namedModels: named.map(({ model }) => model),
          models: configuredModels,
          sizes: configuredModels.map(windowSizeOf),
          size: windowSizeOf(''),
        },
      );
      return {
        windows: rows
          .filter(row => row.is_total === 0)
          .map(({ model, version, start_ms }) => ({ model, version, startMs: start_ms })),
        ids: rows.find(row => row.is_total === 1)?.ids ?? 0,
      };
    },

    /** Offsets up to which all predictions of a version are stored, per partition of predictions. */
    storedOffsets: (versions: readonly { model: string; version: string }[]) =>
      clickhouse.select<{
        model: string;
        version: string;
        source_partition: number;
        last_offset: number;
      }>(
        `SELECT model, version, source_partition, last_offset FROM stream_progress FINAL WHERE ${inVersions}`,
        versionParameters(versions),
      ),

    /** What is known of the labels of versions, by `versionKey`; one without outcomes is absent. */
    async labelSummaries(
      versions: readonly { model: string; version: string }[],
    ): Promise<Map<string, LabelSummary>> {
      const rows = await clickhouse.select<{
        model: string;
        version: string;
        labels: string[];
        predictions: string[];
        text_labels: number;
        fractional_labels: number;
        fractional_predictions: number;
      }>(
        `SELECT model, version, groupUniqArrayMerge(101)(labels) AS labels, groupUniqArrayMerge(101)(predictions) AS predictions,
                max(text_labels) AS text_labels, max(fractional_labels) AS fractional_labels,
                max(fractional_predictions) AS fractional_predictions
         FROM version_labels AS v WHERE ${inVersions} GROUP BY model, version`,
        versionParameters(versions),
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
    },

    /** Starts of the windows of a version that were computed under another decision. */
    async windowsDecidedOtherwise(
      { model, version }: { model: string; version: string },
      { task, positiveLabel }: TaskDecision,
      windowSizeMs: number,
    ): Promise<number[]> {
      const rows = await clickhouse.select<{ start_ms: number }>(
        `SELECT DISTINCT toUnixTimestamp64Milli(window_start) AS start_ms FROM performance_windows FINAL
         WHERE model = {model:String} AND version = {version:String}
           AND (task != {task:String} OR positive_label != {positiveLabel:String})
           AND toUnixTimestamp64Milli(window_end) - toUnixTimestamp64Milli(window_start) = {windowSizeMs:Int64}
         ${finalSettings}`,
        { model, version, task, positiveLabel: positiveLabel ?? '', windowSizeMs },
      );
      return rows.map(row => row.start_ms);
    },

    /** Figures of those windows that have outcomes, overall and per segment that the profiler knows. */
    async performanceOf(
      windows: readonly VersionWindows[],
      evaluation: Evaluation,
    ): Promise<PerformanceRow[]> {
      const { windowSizeMs, segmentNames, decision } = evaluation;
      const outcomesOf = windowsCondition(windows, 'event_time', windowSizeMs);
      const profilesOf = windowsCondition(windows, 'window_start', windowSizeMs);
      const rows = await clickhouse.select<CommonStatistics & ClassStatistics & NumberStatistics>(
        performanceQuery(outcomesOf.sql, profilesOf.sql, decision),
        {
          ...outcomesOf.parameters,
          windowSizeMs,
          segmentNames,
          positiveLabel: decision.positiveLabel ?? '',
        },
      );
      return rows.map(row => toPerformanceRow(row, evaluation));
    },

    insertPerformance: (rows: readonly PerformanceRow[]) =>
      clickhouse.insert('performance_windows', rows.map(performanceWindowsRow)),
  };
}

export const inVersions =
  '(model, version) IN arrayZip({models:Array(String)}, {versions:Array(String)})';

export function versionParameters(versions: readonly { model: string; version: string }[]) {
  return {
    models: versions.map(({ model }) => model),
    versions: versions.map(({ version }) => version),
  };
}

/** Condition on the primary key (model, version, time), as ranges, so that only the granules of the windows are read. */
export function windowsCondition<Windows extends VersionWindows>(
  windows: readonly Windows[],
  timeColumn: 'event_time' | 'window_start',
  windowSizeMs: number,
  alsoOf: (windows: Windows) => string = () => 'true',
): { sql: string; parameters: Record<string, string> } {
  const parameters: Record<string, string> = {};
  const alternatives = windows.map((version, index) => {
    parameters[`model${index}`] = version.model;
    parameters[`version${index}`] = version.version;
    const ranges = joinedWindows(version.startsMs, windowSizeMs).map(
      ({ startMs, endMs }) =>
        `${timeColumn} >= ${sqlTime(startMs)} AND ${timeColumn} < ${sqlTime(endMs)}`,
    );
    return `(model = {model${index}:String} AND version = {version${index}:String} AND ${alsoOf(version)} AND (${ranges.join(' OR ')}))`;
  });
  return { sql: `(${alternatives.join(' OR ')})`, parameters };
}

export function sqlTime(timeMs: number): string {
  return `fromUnixTimestamp64Milli(${timeMs}, 'UTC')`;
}

/** What every task needs of a window, beside its own statistics. */
interface CommonStatistics {
  model: string;
  version: string;
  segment: string;
  start_ms: number;
  predictions_of_window: number;
  delays: [number, number];
  value_sum: number | null;
  confusion: CountedKey[];
  progress: string;
}

/**
 * The sufficient statistics of many windows in one pass over their outcomes.
 *
 * `progress` grows with everything that may happen to a window: each label adds at least 1 (delay of its observation behind the start of the
 * window, plus 1), a correction adds the time by which it was observed later, and each prediction adds 1; nothing is ever taken away.
 * So of two writers, the one that saw more has the higher row. (Equal times of observation, where the offset decides, change nothing.)
 *
 * A prediction is stored a moment before the profile that counts it: until then at least the labelled ones are there.
 */
function performanceQuery(
  outcomesOfWindows: string,
  profilesOfWindows: string,
  { task }: TaskDecision,
): string {
  return `
    SELECT statistics.*, greatest(counts.records, statistics.labelled) AS predictions_of_window,
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
                   intDiv(event_ms, {windowSizeMs:Int64}) * {windowSizeMs:Int64} AS start_ms,
                   arrayJoin(arrayConcat([''], arrayMap(name -> concat(name, '=', segments[name]),
                       arrayFilter(name -> mapContains(segments, name), {segmentNames:Array(String)})))) AS segment,
                   ${task === 'regression' ? 'prediction_value - label_value AS error' : probabilityColumns(task)}
            FROM outcomes FINAL
            WHERE ${outcomesOfWindows}
        )
        GROUP BY model, version, start_ms, segment
    ) AS statistics
    LEFT JOIN
    (
        SELECT model, version, segment, toUnixTimestamp64Milli(window_start) AS start_ms, sum(count) AS records
        FROM window_profiles FINAL
        WHERE ${profilesOfWindows} AND kind = 'output' AND feature = 'prediction'
          AND toUnixTimestamp64Milli(window_end) = start_ms + {windowSizeMs:Int64}
        GROUP BY model, version, segment, start_ms
    ) AS counts USING (model, version, start_ms, segment)
    WHERE segment = '' OR counts.records > 0
    ORDER BY model, version, start_ms, segment
    ${finalSettings}`;
}

/** `usable` and the terms of a row; logarithms of probabilities clipped at 1e-15. */
function probabilityColumns(task: 'binary' | 'multiclass'): string {
  if (task === 'binary') {
    return `label = {positiveLabel:String} AS positive,
            coalesce(score, if(mapContains(probabilities, {positiveLabel:String}), probabilities[{positiveLabel:String}], NULL)) AS given,
            ifNull(isFinite(given), false) AS ranked,
            ifNull(given, 0) AS probability,
            (ranked AND probability BETWEEN 0 AND 1) AS usable,
            -log(least(greatest(if(positive, probability, 1 - probability), 1e-15), 1 - 1e-15)) AS log_loss_term,
            pow(probability - positive, 2) AS brier_term`;
  }
  return `(length(probabilities) > 0 AND arrayAll(p -> isFinite(p) AND p BETWEEN 0 AND 1, mapValues(probabilities))) AS usable,
          probabilities[label] AS probability,
          -log(least(greatest(probability, 1e-15), 1 - 1e-15)) AS log_loss_term,
          arraySum(p -> p * p, mapValues(probabilities)) - 2 * probability + 1 AS brier_term`;
}

function classColumns(task: 'binary' | 'multiclass'): string {
  return `countIf(label != prediction) AS errors,
          ${mostFrequent('label', mostClasses)} AS labels,
          ${mostFrequent('prediction', mostClasses)} AS predictions,
          ${mostFrequent('label', mostClasses, 'label = prediction')} AS hits,
          ${mostFrequent("concat(label, '→', prediction)", mostConfusionCells)} AS confusion,
          countIf(usable) AS scored,
          sumIf(log_loss_term, usable) AS logLossSum,
          sumIf(brier_term, usable) AS brierSum,
          ${
            task === 'binary'
              ? 'if(uniqExactIf(positive, ranked) = 2, arrayROCAUC(groupArrayIf(probability, ranked), groupArrayIf(positive, ranked)), NULL)'
              : 'NULL'
          } AS auc`;
}

/** Array of (text, count), the most frequent first. */
function mostFrequent(expression: string, most: number, condition = 'true'): string {
  return `arraySlice(arraySort(entry -> (-toInt64(entry.2), entry.1),
            CAST(sumMapIf(map(${expression}, toUInt64(1)), ${condition}), 'Array(Tuple(String, UInt64))')), 1, ${most})`;
}

/** The labels' squares around their mean by Welford's method: the difference of two sums would lose what is far from zero. */
const numberColumns = `
  countIf(isFinite(error)) AS numbers,
  sumIf(error, isFinite(error)) AS errorSum,
  sumIf(abs(error), isFinite(error)) AS absoluteErrorSum,
  sumIf(error * error, isFinite(error)) AS squaredErrorSum,
  if(numbers > 0, varPopStableIf(assumeNotNull(label_value), ifNull(isFinite(error), false)) * numbers, 0) AS labelSquareSum`;

function toPerformanceRow(
  row: CommonStatistics & ClassStatistics & NumberStatistics,
  { windowSizeMs, decision }: Evaluation,
): PerformanceRow {
  const regression = decision.task === 'regression';
  return {
    ...(regression ? numberQuality(row) : classQuality(row, decision)),
    model: row.model,
    version: row.version,
    segment: row.segment,
    startMs: row.start_ms,
    endMs: row.start_ms + windowSizeMs,
    decision,
    predictions: row.predictions_of_window,
    labelled: row.labelled,
    delaysMs: row.delays,
    valueSum: row.value_sum,
    confusion: regression ? [] : row.confusion,
    labelCounts: regression ? [] : row.labels.slice(0, mostLabelCounts),
    progress: row.progress,
  };
}

function performanceWindowsRow(row: PerformanceRow): object {
  const { startMs, endMs, decision, delaysMs, valueSum, confusion, labelCounts, ...columns } = row;
  return {
    ...columns,
    window_start: clickhouseTime(startMs),
    window_end: clickhouseTime(endMs),
    task: decision.task,
    positive_label: decision.positiveLabel ?? '',
    coverage: row.labelled / row.predictions,
    label_delay_p50_ms: delaysMs[0],
    label_delay_p95_ms: delaysMs[1],
    value_sum: valueSum,
    confusion: Object.fromEntries(confusion),
    label_counts: Object.fromEntries(labelCounts),
  };
}
