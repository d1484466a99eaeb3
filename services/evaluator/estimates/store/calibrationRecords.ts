import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import { outputExpressions } from '../../../shared/output/outputExpressions.ts';
import { finalSetting, isVersion, sqlTime } from '../../windows/conditions.ts';
import type { ClassifiedRecord } from '../quality/classCalibration.ts';
import type { LabelledNumber } from '../quality/lossCalibration.ts';
import type { LabelledRecord } from '../quality/qualityCalibration.ts';
import type { EstimatedVersion } from '../quality/windowEstimates.ts';
import { isConfident } from './confidences.ts';
import { featuresOf, type StoredFeatures } from './storedFeatures.ts';

/**
 * Records of a calibration. If there are more, those with the lowest hash of their id are taken.
 */
export const maxCalibrationRecords = 20_000;
/** The same for a regression, whose calibration takes more work. */
export const maxLossRecords = 8_000;

interface StoredRecord<Label> extends StoredFeatures {
  score: number;
  prediction: string;
  label: Label;
  weight: number;
}

/**
 * Reads the labelled predictions of a binary model that have a score, before an event time. Scores
 * that are the confidence of whatever was predicted are not read.
 */
export async function labelledRecords(
  clickhouse: Clickhouse,
  version: EstimatedVersion,
  untilMs: number,
): Promise<LabelledRecord[]> {
  const { predictionIs, scoreIs, scoreOf } = version.meaning;
  if (scoreIs === 'confidence') return [];
  const { labelClass, predictionClass, predictionNumber } = outputExpressions(version.meaning);
  const score = predictionIs === 'class' ? 'score' : predictionNumber;
  const rows = await selectRecords<string>(clickhouse, version, untilMs, {
    score: `assumeNotNull(${score})`,
    prediction: predictionClass,
    label: labelClass,
    condition: `ifNull(isFinite(${score}), 0) AND truth != '' AND predicted != ''`,
    maxRecords: maxCalibrationRecords,
  });
  return rows.map(row => ({
    score: row.score,
    predictedPositive: row.prediction === scoreOf,
    positive: row.label === scoreOf,
    weight: row.weight,
    features: featuresOf(row),
  }));
}

/**
 * Reads the labelled predictions of a multiclass model that have a probability of the predicted
 * class, before an event time.
 */
export async function classifiedRecords(
  clickhouse: Clickhouse,
  version: EstimatedVersion,
  untilMs: number,
): Promise<ClassifiedRecord[]> {
  const { labelClass, predictionClass } = outputExpressions(version.meaning);
  const rows = await selectRecords<string>(clickhouse, version, untilMs, {
    score: 'probabilities[prediction]',
    prediction: predictionClass,
    label: labelClass,
    condition: `${isConfident} AND truth != '' AND predicted != ''`,
    maxRecords: maxCalibrationRecords,
  });
  return rows.map(row => ({
    predicted: row.prediction,
    confidence: row.score,
    weight: row.weight,
    label: row.label,
    features: featuresOf(row),
  }));
}

/**
 * Reads the labelled predictions of a regression with a finite squared error, before an event time.
 */
export async function labelledNumbers(
  clickhouse: Clickhouse,
  version: EstimatedVersion,
  untilMs: number,
): Promise<LabelledNumber[]> {
  const { labelNumber, predictionNumber } = outputExpressions(version.meaning);
  const error = `(${predictionNumber} - ${labelNumber})`;
  const rows = await selectRecords<number>(clickhouse, version, untilMs, {
    score: `assumeNotNull(${predictionNumber})`,
    prediction: 'prediction',
    label: `assumeNotNull(${labelNumber})`,
    condition: `ifNull(isFinite(${error} * ${error}), 0)`,
    maxRecords: maxLossRecords,
  });
  return rows.map(row => ({
    predicted: row.score,
    label: row.label,
    features: featuresOf(row),
  }));
}

interface RecordColumns {
  score: string;
  prediction: string;
  label: string;
  condition: string;
  maxRecords: number;
}

/** Reads labelled predictions with their features, in the order of event time. */
function selectRecords<Label>(
  clickhouse: Clickhouse,
  { model, version, meaning }: EstimatedVersion,
  untilMs: number,
  { score, prediction, label, condition, maxRecords }: RecordColumns,
): Promise<StoredRecord<Label>[]> {
  const isBefore = `${isVersion} AND event_time < ${sqlTime(untilMs)}`;
  const outcomes = `
    SELECT event_time, id, ${score} AS given, ${prediction} AS predicted, ${label} AS truth, weight
    FROM outcomes FINAL WHERE ${isBefore} AND ${condition}
    ORDER BY sipHash64(id), id, event_time LIMIT ${maxRecords}`;
  return clickhouse.select(
    `SELECT o.given AS score, o.predicted AS prediction, o.truth AS label, o.weight AS weight,
            p.numeric_features AS numbers, p.categorical_features AS texts
     FROM (${outcomes}) AS o
     INNER JOIN
     (
         SELECT event_time, id, numeric_features, categorical_features FROM predictions FINAL
         WHERE ${isBefore} AND (event_time, id) IN (SELECT event_time, id FROM (${outcomes}))
     ) AS p ON p.event_time = o.event_time AND p.id = o.id
     ORDER BY o.event_time, o.id
     SETTINGS ${finalSetting}`,
    { model, version, ...outputExpressions(meaning).parameters },
  );
}
