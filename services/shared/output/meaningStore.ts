import { anyOf, type ParameterOf } from '../clickhouse/anyOf.ts';
import { type Clickhouse, clickhouseTime } from '../clickhouse/clickhouse.ts';
import { timeOf } from '../clickhouse/timeExpressions.ts';
import type { Task } from '../task.ts';
import { type VersionName, versionKey } from '../versionKey.ts';
import {
  meaningKey,
  type OutputMeaning,
  type OutputSettings,
  type PredictionKind,
  type ScoreKind,
} from './outputMeaning.ts';
import type { ReferenceOutput } from './referenceOutput.ts';

/** A meaning with what it was decided from. */
export interface StoredMeaning extends VersionName {
  meaning: OutputMeaning;
  /** Labelled predictions that it was decided from. */
  records: number;
  /** Event time of the first of them. */
  fromMs: number;
  /** Event time of the last of them; null if later ones count as well. */
  untilMs: number | null;
  settings: OutputSettings;
}

interface MeaningRow extends VersionName {
  task: Task;
  positive_label: string;
  prediction_is: PredictionKind;
  score_is: ScoreKind;
  score_of: string;
  scores_are_probabilities: number;
  threshold: number | null;
  classes: string[];
  spellings: string[][];
  case_matters: number;
  truth_words: Record<string, string>;
  open_labels: number;
  open_predictions: number;
  comparable: number;
  evidence: string[];
  disagreement: string;
  records: number;
  from_ms: number;
  until_ms: number | null;
  settings: string;
}

/** Reads the meanings of versions, by `versionKey`. A version without one is absent. */
export async function storedMeanings(
  clickhouse: Clickhouse,
  versions: readonly VersionName[],
): Promise<Map<string, StoredMeaning>> {
  const rows = await clickhouse.select<MeaningRow>(
    `SELECT * EXCEPT (decided_from, decided_until, written_at, meaning_key),
            toUnixTimestamp64Milli(decided_from) AS from_ms,
            toUnixTimestamp64Milli(decided_until) AS until_ms
     FROM output_meanings FINAL
     WHERE (model, version) IN arrayZip({models:Array(String)}, {versions:Array(String)})`,
    {
      models: versions.map(({ model }) => model),
      versions: versions.map(({ version }) => version),
    },
  );
  return new Map(rows.map(row => [versionKey(row), storedMeaning(row)]));
}

function storedMeaning(row: MeaningRow): StoredMeaning {
  const { model, version, task, threshold, evidence, records } = row;
  return {
    model,
    version,
    records,
    fromMs: row.from_ms,
    untilMs: row.until_ms,
    settings: JSON.parse(row.settings),
    meaning: {
      task,
      positiveLabel: textOrNull(row.positive_label),
      predictionIs: row.prediction_is,
      classes: row.classes.map((name, index) => ({ name, spellings: row.spellings[index]! })),
      spelling: { caseMatters: row.case_matters === 1, truthWords: row.truth_words },
      openLabels: row.open_labels === 1,
      openPredictions: row.open_predictions === 1,
      comparable: row.comparable === 1,
      scoreIs: row.score_is,
      scoreOf: textOrNull(row.score_of),
      scoresAreProbabilities: row.scores_are_probabilities === 1,
      threshold,
      evidence,
      disagreement: textOrNull(row.disagreement),
    },
  };
}

const textOrNull = (text: string) => (text === '' ? null : text);

/** Stores meanings. The last one of a version is valid. */
export function insertMeanings(
  clickhouse: Clickhouse,
  meanings: readonly StoredMeaning[],
): Promise<void> {
  return clickhouse.insert('output_meanings', meanings.map(meaningRow));
}

function meaningRow(stored: StoredMeaning) {
  const { model, version, meaning, records, fromMs, untilMs, settings } = stored;
  const { classes, spelling } = meaning;
  return {
    model,
    version,
    task: meaning.task,
    positive_label: meaning.positiveLabel ?? '',
    prediction_is: meaning.predictionIs,
    score_is: meaning.scoreIs,
    score_of: meaning.scoreOf ?? '',
    scores_are_probabilities: Number(meaning.scoresAreProbabilities),
    threshold: meaning.threshold,
    classes: classes.map(({ name }) => name),
    spellings: classes.map(({ spellings }) => spellings),
    case_matters: Number(spelling.caseMatters),
    truth_words: spelling.truthWords,
    open_labels: Number(meaning.openLabels),
    open_predictions: Number(meaning.openPredictions),
    comparable: Number(meaning.comparable),
    evidence: meaning.evidence,
    disagreement: meaning.disagreement ?? '',
    records,
    decided_from: clickhouseTime(fromMs),
    decided_until: untilMs === null ? null : clickhouseTime(untilMs),
    settings: JSON.stringify(settings),
    meaning_key: meaningKey(meaning),
  };
}

/** The first labelled predictions of a version, and where more of them begin. */
export interface ReferenceOutputs {
  outputs: ReferenceOutput[];
  /** Event time of the first one. */
  fromMs: number;
  /** Event time of the last one; null if the version has no more than these. */
  untilMs: number | null;
}

interface OutputRow extends VersionName {
  event_ms: number;
  label: string;
  label_value: number | null;
  prediction: string;
  prediction_value: number | string | null;
  score: number | string | null;
  classes_of_score: string[];
  has_probabilities: number;
  has_ranking: number;
}

/** How near a probability has to be to the score to be the same. */
const maxScoreDifference = 1e-6;
const maxClassesOfScore = 5;

/** A version whose labelled predictions are read. */
export interface ReadVersion extends VersionName {
  /** Event time from which on they are read; from the first one if it is not given. */
  sinceMs?: number;
}

/** Rows of outcomes that are looked at for each record, because corrections are rows of their own. */
const rowsPerRecord = 4;

/**
 * Returns a condition that holds for about the first rows of a version in the order of event time,
 * so that a version with a long history is not read as a whole. ClickHouse reads them in the order
 * of the primary key.
 */
function isAmongFirst(
  { model, version, sinceMs = 0 }: ReadVersion,
  records: number,
  value: ParameterOf,
): string {
  const isVersion =
    `model = ${value('String', model)} AND version = ${value('String', version)} ` +
    `AND event_time >= ${timeOf(sinceMs)}`;
  return `${isVersion} AND event_time <=
    (SELECT max(event_time) FROM
     (SELECT event_time FROM outcomes WHERE ${isVersion}
      ORDER BY event_time LIMIT ${records * rowsPerRecord}))`;
}

/**
 * Reads the first labelled predictions of versions in the order of event time, by `versionKey`.
 *
 * @param records of each version
 */
export async function referenceOutputs(
  clickhouse: Clickhouse,
  versions: readonly ReadVersion[],
  records: number,
): Promise<Map<string, ReferenceOutputs>> {
  const condition = anyOf(versions, (version, value) => isAmongFirst(version, records, value));
  const rows = await clickhouse.select<OutputRow>(
    `SELECT model, version, toUnixTimestamp64Milli(event_time) AS event_ms,
            label, label_value, prediction, prediction_value, score,
            ifNull(score, prediction_value) AS given,
            length(probabilities) > 0 AS has_probabilities, length(ranking) > 0 AS has_ranking,
            arraySlice(arrayFilter((name, p) -> abs(p - ifNull(given, nan)) <= ${maxScoreDifference},
                                   mapKeys(probabilities), mapValues(probabilities)),
                       1, ${maxClassesOfScore}) AS classes_of_score
     FROM outcomes FINAL WHERE ${condition.sql}
     ORDER BY model, version, event_time, id LIMIT {records:UInt32} BY model, version
     SETTINGS do_not_merge_across_partitions_select_final = 1`,
    { ...condition.parameters, records },
  );
  const byVersion = Map.groupBy(rows, versionKey);
  return new Map(
    [...byVersion].map(([key, ofVersion]) => [
      key,
      {
        outputs: ofVersion.map(referenceOutput),
        fromMs: ofVersion[0]!.event_ms,
        untilMs: ofVersion.length < records ? null : ofVersion.at(-1)!.event_ms,
      },
    ]),
  );
}

function referenceOutput(row: OutputRow): ReferenceOutput {
  return {
    label: row.label,
    labelValue: row.label_value,
    prediction: row.prediction,
    // JSON has no NaN and no infinities, so they come as text.
    predictionValue: row.prediction_value === null ? null : Number(row.prediction_value),
    score: row.score === null ? null : Number(row.score),
    classesOfScore: row.has_probabilities === 1 ? row.classes_of_score : null,
    hasRanking: row.has_ranking === 1,
  };
}

/** Where the labels of a version become another one. */
export interface SecondLabel {
  /** Event time of the first record with another label; null if there is none. */
  firstMs: number | null;
  /** Event time of the last record that was searched; null if the version has no more. */
  searchedUntilMs: number | null;
}

/** Searches the first labelled predictions of a version for a label that is not the given one. */
export async function secondLabel(
  clickhouse: Clickhouse,
  version: VersionName,
  label: string,
  records: number,
): Promise<SecondLabel> {
  const { sql, parameters } = anyOf([version], (only, value) => isAmongFirst(only, records, value));
  const [found] = await clickhouse.select<{
    searched: number;
    others: number;
    first_ms: number;
    last_ms: number;
  }>(
    `SELECT count() AS searched, countIf(label != {label:String}) AS others,
            toUnixTimestamp64Milli(minIf(event_time, label != {label:String})) AS first_ms,
            toUnixTimestamp64Milli(max(event_time)) AS last_ms
     FROM
     (
         SELECT event_time, label FROM outcomes FINAL WHERE ${sql}
         ORDER BY event_time, id LIMIT {records:UInt32}
     )
     SETTINGS do_not_merge_across_partitions_select_final = 1`,
    { ...parameters, label, records },
  );
  return {
    firstMs: found!.others > 0 ? found!.first_ms : null,
    searchedUntilMs: found!.searched < records ? null : found!.last_ms,
  };
}
