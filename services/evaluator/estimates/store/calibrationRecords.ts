import type { Clickhouse } from '../../../shared/clickhouse/clickhouse.ts';
import type { VersionName } from '../../../shared/versionKey.ts';
import { finalSetting, isVersion, sqlTime } from '../../windows/conditions.ts';
import type { ClassifiedRecord } from '../quality/classCalibration.ts';
import type { LabelledNumber } from '../quality/lossCalibration.ts';
import type { LabelledRecord } from '../quality/qualityCalibration.ts';
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
}

/** Reads the labelled predictions of a binary model that have a score, before an event time. */
export async function labelledRecords(
  clickhouse: Clickhouse,
  version: VersionName,
  positiveLabel: string,
  untilMs: number,
): Promise<LabelledRecord[]> {
  const rows = await selectRecords<string>(clickhouse, version, untilMs, {
    score: 'assumeNotNull(score)',
    label: 'label',
    condition: 'ifNull(isFinite(score), 0)',
    maxRecords: maxCalibrationRecords,
  });
  return rows.map(row => ({
    score: row.score,
    predictedPositive: row.prediction === positiveLabel,
    positive: row.label === positiveLabel,
    features: featuresOf(row),
  }));
}

/**
 * Reads the labelled predictions of a multiclass model that have a probability of the predicted
 * class, before an event time.
 */
export async function classifiedRecords(
  clickhouse: Clickhouse,
  version: VersionName,
  untilMs: number,
): Promise<ClassifiedRecord[]> {
  const rows = await selectRecords<string>(clickhouse, version, untilMs, {
    score: 'probabilities[prediction]',
    label: 'label',
    condition: isConfident,
    maxRecords: maxCalibrationRecords,
  });
  return rows.map(row => ({
    predicted: row.prediction,
    confidence: row.score,
    label: row.label,
    features: featuresOf(row),
  }));
}

/**
 * Reads the labelled predictions of a regression with a finite squared error, before an event time.
 */
export async function labelledNumbers(
  clickhouse: Clickhouse,
  version: VersionName,
  untilMs: number,
): Promise<LabelledNumber[]> {
  const error = '(prediction_value - label_value)';
  const rows = await selectRecords<number>(clickhouse, version, untilMs, {
    score: 'assumeNotNull(prediction_value)',
    label: 'assumeNotNull(label_value)',
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
  label: string;
  condition: string;
  maxRecords: number;
}

/** Reads labelled predictions with their features, in the order of event time. */
function selectRecords<Label>(
  clickhouse: Clickhouse,
  { model, version }: VersionName,
  untilMs: number,
  { score, label, condition, maxRecords }: RecordColumns,
): Promise<StoredRecord<Label>[]> {
  const isBefore = `${isVersion} AND event_time < ${sqlTime(untilMs)}`;
  const outcomes = `
    SELECT event_time, id, ${score} AS given, prediction, ${label} AS truth
    FROM outcomes FINAL WHERE ${isBefore} AND ${condition}
    ORDER BY sipHash64(id), id, event_time LIMIT ${maxRecords}`;
  return clickhouse.select(
    `SELECT o.given AS score, o.prediction AS prediction, o.truth AS label,
            p.numeric_features AS numbers, p.categorical_features AS texts
     FROM (${outcomes}) AS o
     INNER JOIN
     (
         SELECT event_time, id, numeric_features, categorical_features FROM predictions FINAL
         WHERE ${isBefore} AND (event_time, id) IN (SELECT event_time, id FROM (${outcomes}))
     ) AS p ON p.event_time = o.event_time AND p.id = o.id
     ORDER BY o.event_time, o.id
     SETTINGS ${finalSetting}`,
    { model, version },
  );
}
