import type { Readable } from 'node:stream';
import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { ModelSettings } from '../../shared/config/settings.ts';
import { decideMeanings } from '../../shared/output/decideMeanings.ts';
import { storedMeanings } from '../../shared/output/meaningStore.ts';
import { outputExpressions } from '../../shared/output/outputExpressions.ts';
import type { OutputMeaning } from '../../shared/output/outputMeaning.ts';
import { versionKey } from '../../shared/versionKey.ts';
import { columnPrefixes } from '../dataset/dataset.ts';
import type { LabelCoverage } from '../dataset/maturedUntil.ts';

/** Event time from `fromMs` to before `toMs`. */
export interface TimeRange {
  fromMs: number;
  toMs: number;
}

/**
 * Names of features by the type of their values. A feature with values of both types is in both.
 */
export interface FeatureNames {
  number: string[];
  text: string[];
}

/** A change, and the versions that have served since then. */
export interface ChangeOfVersions {
  model: string;
  versions: readonly string[];
  /** Event time at which the change began. */
  changedAtMs: number;
}

export interface ExportOptions {
  model: string;
  range: TimeRange;
  championVersion: string;
  /** Maximum rows. */
  rows: number;
  features: FeatureNames;
  segments: string[];
  /** Names labels and predictions. Rows whose label does not fit are left out. */
  meaning: OutputMeaning;
}

/**
 * Outcomes looked at for each row that is wanted, because several versions may have logged the same
 * prediction.
 */
const outcomesPerRow = 4;
/** Maximum stretches of event time in which label coverage is measured. */
const maxStretches = 200;
export const between = `event_time >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC')
             AND event_time < fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')`;

/** Positions of a partition of a topic between which something lies, both included. */
export interface PositionRange {
  partition: number;
  first: number;
  last: number;
}

/** Where the rows of a dataset came from. */
export interface SourcePositions {
  predictions: PositionRange[];
  feedback: PositionRange[];
}

/** Questions about the predictions of a model whose labels are known. */
export class LabelledRowQueries {
  readonly #clickhouse: Clickhouse;

  constructor(clickhouse: Clickhouse) {
    this.#clickhouse = clickhouse;
  }

  /**
   * Returns what the outputs of a version mean, or null if it has no outcomes. The evaluator has
   * decided it, unless it has computed nothing since an upgrade.
   */
  async selectMeaning(
    model: string,
    version: string,
    settings: ModelSettings,
  ): Promise<OutputMeaning | null> {
    const name = { model, version };
    const key = versionKey(name);
    const stored = (await storedMeanings(this.#clickhouse, [name])).get(key);
    if (stored) return stored.meaning;
    const decided = await decideMeanings(this.#clickhouse, [name], () => settings);
    return decided.get(key)?.meaning ?? null;
  }

  /**
   * Returns the event times of the newest outcomes of a model, enough for `rows` rows, or null if
   * there are none.
   */
  async selectNewestRange(model: string, rows: number): Promise<TimeRange | null> {
    const [range] = await this.#clickhouse.select<{
      outcomes: number;
      fromMs: number;
      lastMs: number;
    }>(
      `SELECT count() AS outcomes, toUnixTimestamp64Milli(min(event_time)) AS fromMs,
              toUnixTimestamp64Milli(max(event_time)) AS lastMs
       FROM
       (
           SELECT event_time FROM outcomes FINAL WHERE model = {model:String}
           ORDER BY event_time DESC LIMIT {limit:UInt64}
       )`,
      { model, limit: rows * outcomesPerRow },
    );
    return range!.outcomes > 0 ? { fromMs: range!.fromMs, toMs: range!.lastMs + 1 } : null;
  }

  /** Returns how many labelled rows versions have from a change up to a time. */
  async countSince(
    { model, versions, changedAtMs }: ChangeOfVersions,
    untilMs: number,
  ): Promise<number> {
    const [counted] = await this.#clickhouse.select<{ rows: number }>(
      `SELECT count() AS rows FROM outcomes FINAL
       WHERE model = {model:String} AND version IN {versions:Array(String)} AND ${between}`,
      { model, versions, fromMs: changedAtMs, toMs: untilMs },
    );
    return counted!.rows;
  }

  /**
   * Returns the share of labelled predictions over event time, in windows, or in longer stretches
   * if there are too many.
   */
  async selectCoverage(
    model: string,
    range: TimeRange,
    windowSizeMs: number,
  ): Promise<LabelCoverage[]> {
    const windows = Math.ceil((range.toMs - range.fromMs) / windowSizeMs);
    const sizeMs = windowSizeMs * Math.max(1, Math.ceil(windows / maxStretches));
    const perStretch = (table: string, count: string) =>
      `SELECT intDiv(toUnixTimestamp64Milli(event_time), {sizeMs:Int64}) AS stretch,
              uniqExact(id) AS ${count}
       FROM ${table} WHERE model = {model:String} AND ${between} GROUP BY stretch`;
    const stretches = await this.#clickhouse.select<{
      stretch: number;
      predictions: number;
      labelled: number;
    }>(
      `SELECT stretch, predictions, labelled FROM (${perStretch('predictions', 'predictions')}) AS p
       LEFT JOIN (${perStretch('outcomes', 'labelled')}) AS o USING (stretch) ORDER BY stretch`,
      { model, sizeMs, ...range },
    );
    return stretches.map(({ stretch, predictions, labelled }) => ({
      endMs: (stretch + 1) * sizeMs,
      predictions,
      labelled,
    }));
  }

  async selectFeatureNames(model: string, range: TimeRange): Promise<FeatureNames> {
    const [names] = await this.#clickhouse.select<FeatureNames>(
      `SELECT arraySort(groupUniqArrayArray(mapKeys(numeric_features))) AS number,
              arraySort(groupUniqArrayArray(mapKeys(categorical_features))) AS text
       FROM predictions WHERE model = {model:String} AND ${between}`,
      { model, ...range },
    );
    return names!;
  }

  /**
   * Returns the positions of the topics between which the predictions of a range, and their labels,
   * lie.
   */
  async selectPositions(model: string, range: TimeRange): Promise<SourcePositions> {
    const positions = (source: string) =>
      this.#clickhouse.select<PositionRange>(
        `SELECT source_partition AS partition, min(source_offset) AS first,
                max(source_offset) AS last
         FROM ${source} GROUP BY source_partition ORDER BY source_partition`,
        { model, ...range },
      );
    const ofModel = 'WHERE model = {model:String}';
    return {
      predictions: await positions(`predictions ${ofModel} AND ${between}`),
      feedback: await positions(
        `feedback FINAL ${ofModel}
           AND id IN (SELECT id FROM outcomes ${ofModel} AND ${between})`,
      ),
    };
  }

  /**
   * Exports the newest labelled rows of a range as a Parquet file, in the order of event time and
   * id. Of a prediction that several versions logged, the champion's is taken. Columns: see
   * `DatasetRow`.
   */
  exportParquet(options: ExportOptions): Promise<Readable> {
    const { model, range, championVersion, rows, meaning } = options;
    const output = outputColumns(meaning);
    const columns = mapColumns(options).map(column => `,\n${column}`);
    return this.#clickhouse.export(
      `WITH chosen AS
       (
           SELECT * FROM
           (
               SELECT version, id, event_time, score, probabilities, label, segments, weight,
                      ${output.columns}
               FROM outcomes FINAL WHERE model = {model:String} AND ${between} AND ${output.fits}
               ORDER BY version = {championVersion:String} DESC, version DESC, event_time DESC
               LIMIT 1 BY id
           )
           ORDER BY event_time DESC, id DESC LIMIT {rows:UInt64}
       )
       SELECT o.id AS id, o.event_time AS event_time, toString(o.version) AS version,
              o.prediction_named AS prediction, o.prediction_number AS prediction_value,
              o.score AS score, o.label_named AS label, o.label_number AS label_value,
              multiIf(mapContains(o.probabilities, o.label), o.probabilities[o.label],
                      mapContains(o.probabilities, o.label_named), o.probabilities[o.label_named],
                      NULL) AS label_probability,
              o.weight AS weight${columns.join('')}
       FROM chosen AS o
       INNER JOIN
       (
           SELECT version, id, event_time, numeric_features, categorical_features
           FROM predictions FINAL
           WHERE model = {model:String} AND ${between} AND id IN (SELECT id FROM chosen)
       ) AS p ON p.version = o.version AND p.event_time = o.event_time AND p.id = o.id
       ORDER BY event_time, id
       SETTINGS output_format_parquet_compression_method = 'snappy',
                output_format_parquet_string_as_string = 1
       FORMAT Parquet`,
      { model, ...range, championVersion, rows, ...output.parameters },
    );
  }
}

/** Columns of label and prediction in the words of a meaning, and the rows that fit it. */
export function outputColumns(meaning: OutputMeaning) {
  const expressions = outputExpressions(meaning);
  const { labelClass, predictionClass, labelNumber, predictionNumber, parameters } = expressions;
  if (meaning.task === 'regression') {
    return {
      columns: `label AS label_named, ${labelNumber} AS label_number,
                prediction AS prediction_named, ${predictionNumber} AS prediction_number`,
      fits: 'isNotNull(label_number)',
      parameters,
    };
  }
  return {
    // A class is a number if it is named so, and was logged so.
    columns: `${labelClass} AS label_named,
              if(isNull(label_value), NULL, toFloat64OrNull(label_named)) AS label_number,
              ${predictionClass} AS prediction_named,
              if(isNull(prediction_value), NULL, toFloat64OrNull(prediction_named)) AS prediction_number`,
    fits: `label_named != ''`,
    parameters,
  };
}

/** A column for each segment and each feature. */
function mapColumns({ features, segments }: ExportOptions): string[] {
  /**
   * One search per value: a look-up in a map walks over its keys, so asking first whether the key
   * is there costs twice.
   */
  const valueColumn = (map: string, key: string, column: string) =>
    `arrayElementOrNull(mapValues(${map}), indexOf(mapKeys(${map}), ${literal(key)}))
              AS ${identifier(column)}`;
  const { segment, number, text } = columnPrefixes;
  return [
    ...segments.map(name => valueColumn('o.segments', name, segment + name)),
    ...features.number.map(name => valueColumn('p.numeric_features', name, number + name)),
    ...features.text.map(name => valueColumn('p.categorical_features', name, text + name)),
  ];
}

/**
 * Quotes a name as a text of ClickHouse. Names come from producers, and thousands of them are too
 * many for parameters.
 */
function literal(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

function identifier(text: string): string {
  return `\`${text.replace(/[\\`]/g, '\\$&')}\``;
}
