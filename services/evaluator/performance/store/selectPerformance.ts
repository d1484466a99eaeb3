import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import {
  type OutputExpressions,
  outputExpressions,
} from '../../../shared/output/outputExpressions.ts';
import { type OutputMeaning, spellingsOf } from '../../../shared/output/outputMeaning.ts';
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
  type WeightedKey,
} from '../quality/quality.ts';
import type { WindowPerformance } from '../quality/windowPerformance.ts';
import {
  quantileColumns,
  quantilesOf,
  quantilesOfRow,
  type StoredQuantiles,
} from './quantileColumns.ts';
import { placeInRanking, rankColumns, ranksOf, type StoredRanks } from './rankColumns.ts';

/** What windows must have in common to be computed by one query. */
export interface Evaluation {
  windowSizeMs: number;
  segmentNames: readonly string[];
  meaning: OutputMeaning;
}

const maxClasses = 1_000;
const maxConfusionCells = 400;
const maxLabelCounts = 100;

/** Statistics that every task has, besides its own. */
interface CommonStatistics extends VersionName {
  segment: string;
  start_ms: number;
  predictions_of_window: number;
  outcomes: number;
  labelled: number;
  labelled_weight: number;
  examples: string[];
  delays: [number, number];
  value_sum: number | null;
  confusion: CountedKey[];
  progress: string;
}

type StoredStatistics = CommonStatistics &
  Omit<ClassStatistics, 'compared' | 'ranks'> &
  Omit<NumberStatistics, 'quantiles'> &
  StoredRanks &
  StoredQuantiles & { compared_rows: number; compared_labels: WeightedKey[] };

/**
 * Computes the quality of the windows that have outcomes, of all their predictions and of each
 * segment that the profiler has counted.
 */
export async function selectPerformance(
  clickhouse: Clickhouse,
  windows: readonly VersionWindows[],
  evaluation: Evaluation,
): Promise<WindowPerformance[]> {
  const { windowSizeMs, segmentNames, meaning } = evaluation;
  const outcomes = isInWindows(windows, 'event_time', windowSizeMs);
  const profiles = isInWindows(windows, 'window_start', windowSizeMs);
  const expressions = outputExpressions(meaning);
  const rows = await clickhouse.select<StoredStatistics>(
    performanceQuery(outcomes.sql, profiles.sql, meaning, expressions),
    {
      ...outcomes.parameters,
      ...expressions.parameters,
      windowSizeMs,
      segmentNames,
      positiveLabel: meaning.positiveLabel ?? '',
      spellingsOfPositive: spellingsOf(meaning, meaning.positiveLabel),
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
 *
 * An outcome is set apart if its label or its prediction does not fit. Only the progress counts it.
 */
function performanceQuery(
  outcomes: string,
  profiles: string,
  meaning: OutputMeaning,
  expressions: OutputExpressions,
): string {
  const isRegression = meaning.task === 'regression';
  return `
    SELECT statistics.* EXCEPT (by_rank, ends),
           greatest(counts.records, statistics.outcomes) AS predictions_of_window,
           toString(statistics.observations + predictions_of_window) AS progress
    FROM
    (
        SELECT model, version, start_ms, segment, count() AS outcomes, countIf(fits) AS labelled,
               sumIf(weight, fits) AS labelled_weight,
               ${examplesOfOthers} AS examples,
               sum(toUInt64(greatest(observed_ms - start_ms, 0)) + 1) AS observations,
               quantilesExactInclusiveIf(0.5, 0.95)(observed_ms - event_ms, fits) AS delays,
               sum(value) AS value_sum,
               ${isRegression ? numberColumns : classColumns(meaning)}
        FROM
        (
            SELECT model, version, label, label_value, prediction, prediction_value, value,
                   quantiles, weight, toUnixTimestamp64Milli(event_time) AS event_ms,
                   toUnixTimestamp64Milli(observed_at) AS observed_ms,
                   ${windowStartOf('event_ms')} AS start_ms,
                   arrayFilter(name -> mapContains(segments, name), {segmentNames:Array(String)})
                       AS names,
                   arrayJoin(arrayConcat([''],
                       arrayMap(name -> concat(name, '=', segments[name]), names))) AS segment,
                   ${isRegression ? errorColumns(meaning, expressions) : classOfRow(meaning, expressions)}
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

/** The first texts of outcomes that do not fit, by their order. */
const examplesOfOthers = `
  arraySlice(arraySort(groupUniqArrayIf(1000)(
      concat('label "', substringUTF8(label, 1, 40),
             '", prediction "', substringUTF8(prediction, 1, 40), '"'), NOT fits)), 1, 3)`;

/** Columns of a row with numbers: the label, the error, and whether the row fits. */
function errorColumns(
  { comparable }: OutputMeaning,
  { labelNumber, predictionNumber }: OutputExpressions,
): string {
  return `${labelNumber} AS label_number,
          ${predictionNumber} - label_number AS error,
          ${comparable ? 'ifNull(isFinite(error), false)' : 'isNotNull(label_number)'} AS fits,
          ${quantilesOfRow}`;
}

/**
 * Columns of a row with classes: the classes, whether the row fits and can be compared, whether its
 * probabilities are usable, its log-loss and its Brier score.
 */
function classOfRow(meaning: OutputMeaning, expressions: OutputExpressions): string {
  return `${expressions.labelClass} AS label_class,
          ${expressions.predictionClass} AS prediction_class,
          (label_class != '' AND prediction_class != '') AS compared,
          ${meaning.comparable ? 'compared' : "label_class != ''"} AS fits,
          ${meaning.task === 'binary' ? binaryProbability(meaning, expressions) : multiclassProbability(meaning, expressions)},
          ${placeInRanking(meaning, expressions)}`;
}

function binaryProbability(meaning: OutputMeaning, expressions: OutputExpressions): string {
  return `label_class = {positiveLabel:String} AS positive,
          arrayElementOrNull(mapValues(probabilities),
              arrayFirstIndex(name -> has({spellingsOfPositive:Array(String)}, name),
                              mapKeys(probabilities))) AS named,
          ${probabilityOfPositive(meaning, expressions)} AS given,
          (fits AND ifNull(isFinite(given), false)) AS ranked,
          ifNull(given, 0) AS rank,
          ${meaning.scoresAreProbabilities ? 'given' : 'named'} AS usable_probability,
          ifNull(usable_probability, 0) AS probability,
          (fits AND ifNull(usable_probability BETWEEN 0 AND 1, false)) AS usable,
          if(positive, probability, 1 - probability) AS probability_of_label,
          ${logLossOf('probability_of_label')} AS log_loss_term,
          pow(probability - positive, 2) AS brier_term,
          usable AS calibrated,
          probability AS confidence,
          positive AS hit`;
}

/** The probability of the positive class, or another number that is higher for it, or NULL. */
function probabilityOfPositive(meaning: OutputMeaning, expressions: OutputExpressions): string {
  const { predictionIs, scoreIs, scoreOf, positiveLabel } = meaning;
  const isOfPositive = scoreOf === positiveLabel;
  if (predictionIs !== 'class') {
    const { predictionNumber } = expressions;
    return isOfPositive ? predictionNumber : `1 - (${predictionNumber})`;
  }
  if (scoreIs === 'confidence') {
    const isPredicted = 'prediction_class = {positiveLabel:String}';
    return `coalesce(if(compared, if(${isPredicted}, score, 1 - score), NULL), named)`;
  }
  return `coalesce(${isOfPositive ? 'score' : '1 - score'}, named)`;
}

/**
 * Probabilities are usable if one of them is of the label or of the prediction. Others may be by
 * number, such as those of an array. The confidence is the probability of the predicted class, or
 * without probabilities the score.
 */
function multiclassProbability(
  { scoresAreProbabilities }: OutputMeaning,
  { classNamed }: OutputExpressions,
): string {
  return `mapValues(probabilities) AS given,
          (label_class != '' AND length(given) > 0
           AND arrayAll(p -> isFinite(p) AND p BETWEEN 0 AND 1, given)) AS are_probabilities,
          if(are_probabilities AND NOT (mapContains(probabilities, label)
                                        AND mapContains(probabilities, prediction)),
             arrayMap(name -> ${classNamed('name')}, mapKeys(probabilities)), []) AS given_classes,
          (are_probabilities AND (mapContains(probabilities, label)
           OR hasAny(given_classes, [label_class, prediction_class]))) AS usable,
          if(mapContains(probabilities, label), probabilities[label],
             arraySum(arrayMap((name, p) -> if(name = label_class, p, 0),
                               given_classes, if(empty(given_classes), [], given)))) AS probability,
          ${logLossOf('probability')} AS log_loss_term,
          arraySum(p -> p * p, given) - 2 * probability + 1 AS brier_term,
          multiIf(NOT compared, NULL,
                  usable AND mapContains(probabilities, prediction), probabilities[prediction],
                  usable AND has(given_classes, prediction_class),
                  arraySum(arrayMap((name, p) -> if(name = prediction_class, p, 0),
                                    given_classes, if(empty(given_classes), [], given))),
                  empty(probabilities) AND ${scoresAreProbabilities}, score, NULL) AS stated,
          ifNull(stated BETWEEN 0 AND 1, false) AS calibrated,
          ifNull(stated, 0) AS confidence,
          label_class = prediction_class AS hit`;
}

/** The log-loss of a probability that is clipped at 1e-15. */
const logLossOf = (probability: string) =>
  `-log(least(greatest(${probability}, 1e-15), 1 - 1e-15))`;

/**
 * Columns of ClassStatistics. Sums of weights that are all 1 are exact, so that the figures are
 * those of the counts.
 */
function classColumns({ task, comparable }: OutputMeaning): string {
  const hit = 'compared AND label_class = prediction_class';
  const miss = 'compared AND label_class != prediction_class';
  return `countIf(compared) AS compared_rows,
          sumIf(weight, compared) AS comparedWeight,
          countIf(${miss}) AS errors,
          sumIf(weight, ${miss}) AS errorWeight,
          ${mostFrequentWeighted('label_class', maxClasses, 'fits')} AS labels,
          ${comparable ? 'labels' : mostFrequentWeighted('label_class', maxClasses, 'compared')} AS compared_labels,
          ${mostFrequentWeighted('prediction_class', maxClasses, 'compared')} AS predictions,
          ${mostFrequentWeighted('label_class', maxClasses, hit)} AS hits,
          ${mostFrequent("concat(label_class, '→', prediction_class)", maxConfusionCells, 'compared')} AS confusion,
          sumIf(weight, usable) AS scoredWeight,
          sumIf(log_loss_term * weight, usable) AS logLossSum,
          sumIf(brier_term * weight, usable) AS brierSum,
          ${task === 'binary' ? `${weightsAboveRanks},` : ''}
          ${task === 'binary' ? areaUnderCurve : 'NULL'} AS auc,
          ${task === 'binary' ? averagePrecision : 'NULL'} AS averagePrecision,
          sumIf(weight, calibrated) AS calibratedWeight,
          ${calibrationErrorSum} AS calibrationErrorSum,
          ${rankColumns}`;
}

/** ClickHouse's areas under curves know no weights. */
const anyWeight = 'countIf(ranked AND weight != 1) > 0';

/**
 * Where any weight is not 1: `ends` holds for each rank, the highest first, the weight of the
 * positive and of the negative rows that rank at least as high. Tied rows are one rank.
 */
const weightsAboveRanks = `
  arrayReverseSort(row -> row.1, if(${anyWeight},
      arrayZip(groupArrayIf(rank, ranked), groupArrayIf(positive, ranked),
               groupArrayIf(weight, ranked)), [])) AS by_rank,
  arrayFilter((end, is_last) -> is_last,
      arrayZip(arrayCumSum(row -> if(row.2 = 1, row.3, 0.), by_rank),
               arrayCumSum(row -> if(row.2 = 1, 0., row.3), by_rank)),
      arrayMap((row, next) -> row.1 != next.1, by_rank,
               arrayPopFront(arrayPushBack(by_rank, (nan, 0, 0.))))) AS ends`;

/** The area under the curve through the ranks, with straight lines between them (roc_auc_score). */
const weightedAreaUnderCurve = `
  arraySum((end, before) -> (end.2 - before.2) * (end.1 + before.1) / 2,
           ends, arrayPopBack(arrayPushFront(ends, (0., 0.)))) / (ends[-1].1 * ends[-1].2)`;

const areaUnderCurve = `
  if(uniqExactIf(positive, ranked) = 2,
     if(${anyWeight}, ${weightedAreaUnderCurve},
        arrayROCAUC(groupArrayIf(rank, ranked), groupArrayIf(positive, ranked))), NULL)`;

/** The mean precision over the steps of recall (average_precision_score). */
const weightedAveragePrecision = `
  arraySum((end, before) -> (end.1 - before.1) * end.1 / (end.1 + end.2),
           ends, arrayPopBack(arrayPushFront(ends, (0., 0.)))) / ends[-1].1`;

const averagePrecision = `
  if(countIf(positive AND ranked) > 0,
     if(${anyWeight}, ${weightedAveragePrecision},
        arrayAUCPR(groupArrayIf(rank, ranked), groupArrayIf(positive, ranked))), NULL)`;

const calibrationErrorSum = `
  arraySum(difference -> abs(difference), mapValues(sumMapIf(
      map(toUInt8(least(floor(least(confidence, 1) * 10), 9)), (confidence - hit) * weight), calibrated)))`;

/** An array of (text, count), with the most frequent text first. */
function mostFrequent(expression: string, maxTexts: number, condition: string): string {
  const counts = `sumMapIf(map(${expression}, toUInt64(1)), ${condition})`;
  const entries = `CAST(${counts}, 'Array(Tuple(String, UInt64))')`;
  return `arraySlice(arraySort(entry -> (-toInt64(entry.2), entry.1), ${entries}), 1, ${maxTexts})`;
}

/**
 * An array of (text, count, weight), with the most frequent text first. Only rows whose weight is
 * not 1 are summed a second time, so that logs without weights cost nothing.
 */
function mostFrequentWeighted(expression: string, maxTexts: number, condition: string): string {
  const sums = `sumMapIf([${expression}], [toUInt64(1)], [weight], ${condition} AND weight != 1)`;
  const byText = `CAST((${sums}.1, arrayZip(${sums}.2, ${sums}.3)),
                       'Map(String, Tuple(UInt64, Float64))')`;
  return `arrayMap(entry -> (entry.1, entry.2, entry.2 - ${byText}[entry.1].1 + ${byText}[entry.1].2),
                   ${mostFrequent(expression, maxTexts, condition)})`;
}

const isNumber = 'ifNull(isFinite(error), false)';
const isOfOne = `(${isNumber} AND weight = 1)`;
const isWeighted = `(${isNumber} AND weight != 1)`;
const truth = 'assumeNotNull(label_number)';

/** Weighted mean of the labels. */
const meanLabel = `(sumIf(${truth} * weight, ${isNumber}) / sumIf(weight, ${isNumber}))`;

/** Squares of the labels of weight 1 around their own mean, by Welford's method. */
const squaresOfOnes = `
  if(countIf(${isOfOne}) > 0, varPopStableIf(${truth}, ${isOfOne}) * countIf(${isOfOne}), 0)`;

/** Squares of all labels around the weighted mean. */
const weightedSquares = `
  ${squaresOfOnes}
  + if(countIf(${isOfOne}) > 0,
       countIf(${isOfOne}) * pow(avgIf(${truth}, ${isOfOne}) - ${meanLabel}, 2), 0)
  + arraySum(row -> row.2 * pow(row.1 - ${meanLabel}, 2),
             groupArrayIf((${truth}, weight), ${isWeighted}))`;

/**
 * Columns of NumberStatistics. The squares of the labels are summed around their mean, because the
 * difference of two sums would lose precision for labels far from zero. Only labels with a weight
 * are collected for that.
 */
const numberColumns = `
  sumIf(weight, ${isNumber}) AS numberWeight,
  sumIf(error * weight, ${isNumber}) AS errorSum,
  sumIf(abs(error) * weight, ${isNumber}) AS absoluteErrorSum,
  sumIf(error * error * weight, ${isNumber}) AS squaredErrorSum,
  multiIf(countIf(${isWeighted}) = 0, ${squaresOfOnes},
          minIf(${truth}, ${isNumber}) = maxIf(${truth}, ${isNumber}), 0,
          ${weightedSquares}) AS labelSquareSum,
  sumIf(abs(error), ${isNumber}) AS lossSum,
  sumIf(error * error, ${isNumber}) AS lossSquareSum,
  ${quantileColumns}`;

function performanceOf(
  row: StoredStatistics,
  { windowSizeMs, meaning }: Evaluation,
): WindowPerformance {
  const isRegression = meaning.task === 'regression';
  const classes = {
    ...row,
    compared: row.compared_rows,
    labels: row.compared_labels,
    ranks: ranksOf(row),
  };
  return {
    model: row.model,
    version: row.version,
    segment: row.segment,
    startMs: row.start_ms,
    endMs: row.start_ms + windowSizeMs,
    meaning,
    quality: isRegression
      ? numberQuality({ ...row, quantiles: quantilesOf(row) })
      : classQuality(classes, meaning),
    predictions: row.predictions_of_window,
    labelled: row.labelled,
    weight: row.labelled_weight,
    setApart: row.outcomes - row.labelled,
    setApartExamples: row.examples,
    delaysMs: row.labelled === 0 ? [null, null] : row.delays,
    valueSum: row.value_sum,
    confusion: isRegression ? [] : row.confusion,
    labelCounts: isRegression
      ? []
      : row.labels.slice(0, maxLabelCounts).map(([label, count]) => [label, count]),
    progress: row.progress,
  };
}
