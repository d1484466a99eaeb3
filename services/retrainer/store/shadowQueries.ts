import { type Clickhouse, clickhouseTime } from '../../shared/clickhouse/clickhouse.ts';
import type { FeatureRow } from '../../shared/model/featureEncoder.ts';
import { outputExpressions } from '../../shared/output/outputExpressions.ts';
import type { OutputMeaning } from '../../shared/output/outputMeaning.ts';
import { between, outputColumns, type TimeRange } from './labelledRowQueries.ts';

/** Two versions of a model, of which one has served the rows and one would have. */
export interface VersionPair {
  model: string;
  served: string;
  shadow: string;
}

/** What a version answered to a row, in the words of the labels. */
export interface LoggedOutput {
  /** The class, or '' if it is none; of a regression the text of the number. */
  prediction: string;
  predictionValue: number | null;
  score: number | null;
  /** Empty if none were logged. */
  probabilities: Record<string, number>;
}

/** A labelled row with what both versions answered. */
export interface PairedRow {
  eventTimeMs: number;
  label: string;
  labelValue: number | null;
  weight: number;
  segments: Record<string, string>;
  /** Values of the features that identify something. */
  identifiers: Record<string, number | string>;
  served: LoggedOutput;
  shadow: LoggedOutput;
}

/** A row that a version has served, for another one to answer. */
export interface ServedRow {
  id: string;
  eventTimeMs: number;
  features: FeatureRow;
}

/** The clocks with which the two versions were logged may differ so much. */
const clockToleranceMs = 3_600_000;
/** Precedence is the lowest, so that what a service has logged itself is taken. */
const computed = { source_partition: -1, source_offset: '18446744073709551615' };

type FlatOutput<Prefix extends string> = {
  [Name in keyof LoggedOutput as `${Prefix}${Capitalize<Name>}`]: LoggedOutput[Name];
};
interface FlatRow
  extends Omit<PairedRow, 'served' | 'shadow' | 'identifiers'>,
    FlatOutput<'served'>,
    FlatOutput<'shadow'> {
  numbers: Record<string, number>;
  texts: Record<string, string>;
}

/** What versions would have predicted, beside what was served. */
export class ShadowQueries {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  /**
   * Returns the first labelled rows of a range that one version has served and the other one would
   * have, in the order of event time and id.
   * @param identifiers names of features
   */
  async selectPaired(
    { model, served, shadow }: VersionPair,
    range: TimeRange,
    meaning: OutputMeaning,
    { identifiers, rows }: { identifiers: readonly string[]; rows: number },
  ): Promise<PairedRow[]> {
    const output = outputColumns(meaning);
    const isIdentifier = '(name, value) -> has({identifiers:Array(String)}, name)';
    const found = await this.#clickhouse.select<FlatRow>(
      `SELECT toUnixTimestamp64Milli(o.event_time) AS eventTimeMs, o.label_named AS label,
              o.label_number AS labelValue, o.weight AS weight, o.segments AS segments,
              o.prediction_named AS servedPrediction, o.prediction_number AS servedPredictionValue,
              o.score AS servedScore, o.probabilities AS servedProbabilities,
              s.prediction_named AS shadowPrediction, s.prediction_number AS shadowPredictionValue,
              s.score AS shadowScore, s.probabilities AS shadowProbabilities,
              mapFilter(${isIdentifier}, p.numeric_features) AS numbers,
              mapFilter(${isIdentifier}, p.categorical_features) AS texts
       FROM
       (
           SELECT id, event_time, score, probabilities, segments, weight, ${output.columns}
           FROM outcomes FINAL
           WHERE model = {model:String} AND version = {served:String} AND ${between}
             AND ${output.fits}
       ) AS o
       INNER JOIN
       (
           SELECT id, score, probabilities, ${shadowColumns(meaning)}
           FROM shadow_predictions FINAL
           WHERE model = {model:String} AND version = {shadow:String}
             AND event_time >= fromUnixTimestamp64Milli({fromMs:Int64} - {toleranceMs:Int64}, 'UTC')
             AND event_time < fromUnixTimestamp64Milli({toMs:Int64} + {toleranceMs:Int64}, 'UTC')
           ORDER BY source_partition < 0, event_time LIMIT 1 BY id
       ) AS s ON s.id = o.id
       LEFT JOIN
       (
           SELECT id, event_time, numeric_features, categorical_features FROM predictions FINAL
           WHERE model = {model:String} AND version = {served:String} AND ${between}
             AND {joinFeatures:Bool}
       ) AS p ON p.id = o.id AND p.event_time = o.event_time
       ORDER BY o.event_time, o.id LIMIT {rows:UInt64}`,
      {
        ...{ model, served, shadow, rows, identifiers },
        ...range,
        ...output.parameters,
        toleranceMs: clockToleranceMs,
        joinFeatures: identifiers.length > 0,
      },
    );
    return found.map(pairedRow);
  }

  /** Returns the end of the newest window of a version of which labels have come, or 0. */
  async selectLabelledUntil({
    model,
    served,
  }: Pick<VersionPair, 'model' | 'served'>): Promise<number> {
    const [newest] = await this.#clickhouse.select<{ endMs: number }>(
      `SELECT toUnixTimestamp64Milli(max(window_end)) AS endMs FROM performance_windows
       WHERE model = {model:String} AND version = {served:String} AND segment = ''
         AND labelled > 0`,
      { model, served },
    );
    return newest!.endMs;
  }

  /** Returns how many answers of a version in shadow are stored. */
  async countAnswers({ model, shadow }: Pick<VersionPair, 'model' | 'shadow'>): Promise<number> {
    const [counted] = await this.#clickhouse.select<{ answers: number }>(
      `SELECT count() AS answers FROM shadow_predictions
       WHERE model = {model:String} AND version = {shadow:String}`,
      { model, shadow },
    );
    return counted!.answers;
  }

  /**
   * Returns labels of what a version has served before a time, the oldest first.
   * @param rows the newest ones are taken
   */
  async selectLabelsBefore(
    { model, served }: Pick<VersionPair, 'model' | 'served'>,
    beforeMs: number,
    meaning: OutputMeaning,
    rows: number,
  ): Promise<Pick<PairedRow, 'label' | 'labelValue'>[]> {
    const output = outputColumns(meaning);
    const labels = await this.#clickhouse.select<Pick<PairedRow, 'label' | 'labelValue'>>(
      `SELECT label_named AS label, label_number AS labelValue
       FROM (SELECT event_time, id, ${output.columns} FROM outcomes FINAL
             WHERE model = {model:String} AND version = {served:String} AND ${output.fits}
               AND event_time < fromUnixTimestamp64Milli({beforeMs:Int64}, 'UTC'))
       ORDER BY event_time DESC, id DESC LIMIT {rows:UInt64}`,
      { model, served, beforeMs, rows, ...output.parameters },
    );
    return labels.reverse();
  }

  /**
   * Returns the first labelled rows of a range that a version has served, and to which no answer of
   * the other one is known, with their features.
   */
  async selectUnanswered(
    { model, served, shadow }: VersionPair,
    range: TimeRange,
    rows: number,
  ): Promise<ServedRow[]> {
    const found = await this.#clickhouse.select<
      Omit<ServedRow, 'features'> & {
        numbers: Record<string, number>;
        texts: Record<string, string>;
      }
    >(
      `SELECT id, toUnixTimestamp64Milli(event_time) AS eventTimeMs, numeric_features AS numbers,
              categorical_features AS texts
       FROM predictions FINAL
       WHERE model = {model:String} AND version = {served:String} AND ${between}
         AND id IN (SELECT id FROM outcomes
                    WHERE model = {model:String} AND version = {served:String} AND ${between})
         AND id NOT IN (SELECT id FROM shadow_predictions
                        WHERE model = {model:String} AND version = {shadow:String})
       ORDER BY event_time, id LIMIT {rows:UInt64}`,
      { model, served, shadow, ...range, rows },
    );
    return found.map(({ numbers, texts, ...row }) => ({
      ...row,
      features: { ...texts, ...numbers },
    }));
  }

  /** Inserts what the retrainer has computed that a version would have answered. */
  async insertComputed(
    { model, shadow }: Pick<VersionPair, 'model' | 'shadow'>,
    outputs: readonly (Pick<ServedRow, 'id' | 'eventTimeMs'> & {
      prediction: string | number;
      probabilities: Record<string, number>;
    })[],
  ): Promise<void> {
    await this.#clickhouse.insert(
      'shadow_predictions',
      outputs.map(({ id, eventTimeMs, prediction, probabilities }) => ({
        model,
        version: shadow,
        id,
        event_time: clickhouseTime(eventTimeMs),
        prediction: String(prediction),
        prediction_value: typeof prediction === 'number' ? prediction : null,
        score: null,
        probabilities,
        ...computed,
      })),
    );
  }
}

/**
 * The columns of a prediction in the words of the version that served. Where that one logs numbers,
 * a version in shadow may have answered the class itself.
 */
function shadowColumns(meaning: OutputMeaning): string {
  const { predictionClass, predictionNumber, classNamed } = outputExpressions(meaning);
  if (meaning.task === 'regression')
    return `prediction AS prediction_named, ${predictionNumber} AS prediction_number`;
  const named =
    meaning.predictionIs === 'class'
      ? predictionClass
      : `if(isNull(${predictionNumber}), ${classNamed('prediction')}, ${predictionClass})`;
  return `${named} AS prediction_named,
          if(isNull(prediction_value), NULL, toFloat64OrNull(prediction_named)) AS prediction_number`;
}

function pairedRow(row: FlatRow): PairedRow {
  const { eventTimeMs, label, labelValue, weight, segments, numbers, texts } = row;
  return {
    ...{ eventTimeMs, label, labelValue, weight, segments },
    identifiers: { ...texts, ...numbers },
    served: {
      prediction: row.servedPrediction,
      predictionValue: row.servedPredictionValue,
      score: row.servedScore,
      probabilities: row.servedProbabilities,
    },
    shadow: {
      prediction: row.shadowPrediction,
      predictionValue: row.shadowPredictionValue,
      score: row.shadowScore,
      probabilities: row.shadowProbabilities,
    },
  };
}
