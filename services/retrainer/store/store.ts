import type { Readable } from 'node:stream';
import type { Clickhouse } from '../../shared/clickhouse/clickhouse.ts';
import type { ModelVersion } from '../../shared/contracts.ts';
import type { Task } from '../../shared/task.ts';
import type { Cause, ModelHistory } from '../causes/retrainer.ts';
import type { DataSplit } from '../dataset/dataSplit.ts';
import { columnPrefixes } from '../dataset/dataset.ts';
import type { LabelCoverage } from '../dataset/maturedUntil.ts';

export type RunStatus = 'started' | 'skipped' | 'failed' | 'approved' | 'rejected';

export interface TrainingRun {
  id: string;
  /** Of its row: the highest is valid. */
  revision: number;
  cause: Cause;
  status: RunStatus;
  reasons: string[];
  datasetId: string;
  championVersion: string;
  candidateVersion: string;
  metrics: Record<string, number>;
  trainer: string;
  seed: number;
  startedAtMs: number;
  finishedAtMs: number | null;
}

export interface DatasetRecord {
  id: string;
  model: string;
  split: DataSplit;
  fromMs: number;
  toMs: number;
  features: string[];
  task: Task;
  uri: string;
  checksum: string;
}

/** Event time from `fromMs` to before `toMs`. */
export interface TimeRange {
  fromMs: number;
  toMs: number;
}

/** A prediction may have been logged by several versions: this many outcomes are looked at per row that is wanted. */
const outcomesPerRow = 4;
/** Stretches of event time that label coverage is measured in, at most. */
const mostStretches = 200;
const between = `event_time >= fromUnixTimestamp64Milli({fromMs:Int64}, 'UTC') AND event_time < fromUnixTimestamp64Milli({toMs:Int64}, 'UTC')`;
const revisionOfVersion: Record<ModelVersion['status'], number> = {
  candidate: 1,
  approved: 2,
  rejected: 2,
};

export type RetrainerStore = ReturnType<typeof retrainerStore>;

/** The SQL of the retrainer. */
export function retrainerStore(clickhouse: Clickhouse) {
  return {
    /** How a run stands, or null when there has been none. */
    async runState(
      model: string,
      id: string,
    ): Promise<Pick<TrainingRun, 'status' | 'revision'> | null> {
      const [row] = await clickhouse.select<Pick<TrainingRun, 'status' | 'revision'>>(
        'SELECT status, revision FROM training_runs FINAL WHERE model = {model:String} AND id = {id:String}',
        { model, id },
      );
      return row ?? null;
    },

    /** The champion is the latest approved version that has logged predictions, else the version with the newest predictions. */
    async history(model: string): Promise<ModelHistory> {
      const [champion] = await clickhouse.select<{ version: string }>(
        `SELECT p.version AS version
         FROM (SELECT version, max(max_event_time) AS last_time FROM stream_progress FINAL WHERE model = {model:String} GROUP BY version) AS p
         LEFT JOIN (SELECT version, published_at FROM model_versions FINAL WHERE model = {model:String} AND status = 'approved') AS v
           ON v.version = p.version
         ORDER BY v.version != '' DESC, v.published_at DESC, p.last_time DESC, p.version DESC LIMIT 1`,
        { model },
      );
      const [trained] = await clickhouse.select<{ datasets: number; lastMs: number }>(
        `SELECT count() AS datasets, toUnixTimestamp64Milli(max(to_time)) AS lastMs FROM datasets
         WHERE model = {model:String} AND id IN
           (SELECT dataset_id FROM training_runs FINAL WHERE model = {model:String} AND status IN ('approved', 'rejected'))`,
        { model },
      );
      return {
        championVersion: champion?.version ?? null,
        lastTrainedEventTimeMs: trained!.datasets > 0 ? trained!.lastMs : null,
      };
    },

    /** Names of versions that were predicted with, or that another run has produced. */
    async takenVersions(model: string, ownRunId: string): Promise<Set<string>> {
      const rows = await clickhouse.select<{ version: string }>(
        `SELECT version FROM stream_progress WHERE model = {model:String}
         UNION DISTINCT SELECT version FROM model_versions WHERE model = {model:String} AND run_id != {ownRunId:String}`,
        { model, ownRunId },
      );
      return new Set(rows.map(row => row.version));
    },

    /** Models that predictions have named. */
    async models(): Promise<string[]> {
      const rows = await clickhouse.select<{ model: string }>(
        'SELECT DISTINCT model FROM stream_progress ORDER BY model',
      );
      return rows.map(row => row.model);
    },

    /** Where the newest outcomes of a model are in event time, or null when it has none. */
    async newestOutcomes(model: string, rows: number): Promise<TimeRange | null> {
      const [range] = await clickhouse.select<{ outcomes: number; fromMs: number; lastMs: number }>(
        `SELECT count() AS outcomes, toUnixTimestamp64Milli(min(event_time)) AS fromMs, toUnixTimestamp64Milli(max(event_time)) AS lastMs
         FROM (SELECT event_time FROM outcomes FINAL WHERE model = {model:String} ORDER BY event_time DESC LIMIT {limit:UInt64})`,
        { model, limit: rows * outcomesPerRow },
      );
      return range!.outcomes > 0 ? { fromMs: range!.fromMs, toMs: range!.lastMs + 1 } : null;
    },

    /** Share of labelled predictions over event time, in windows, or longer stretches where these would be too many. */
    async labelCoverage(
      model: string,
      range: TimeRange,
      windowSizeMs: number,
    ): Promise<LabelCoverage[]> {
      const sizeMs =
        windowSizeMs *
        Math.max(1, Math.ceil((range.toMs - range.fromMs) / windowSizeMs / mostStretches));
      const perStretch = (table: string, count: string) =>
        `SELECT intDiv(toUnixTimestamp64Milli(event_time), {sizeMs:Int64}) AS stretch, uniqExact(id) AS ${count}
         FROM ${table} WHERE model = {model:String} AND ${between} GROUP BY stretch`;
      const stretches = await clickhouse.select<{
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
    },

    /** Names of the features in a range, by the type of their values; a name may have both. */
    async featureNames(
      model: string,
      range: TimeRange,
    ): Promise<{ number: string[]; text: string[] }> {
      const [names] = await clickhouse.select<{ number: string[]; text: string[] }>(
        `SELECT arraySort(groupUniqArrayArray(mapKeys(numeric_features))) AS number, arraySort(groupUniqArrayArray(mapKeys(categorical_features))) AS text
         FROM predictions WHERE model = {model:String} AND ${between}`,
        { model, ...range },
      );
      return names!;
    },

    /**
     * The newest labelled rows of a range as a Parquet file, in the order of event time and id; of a prediction that several versions
     * logged, the champion's. Columns: see DatasetRow.
     */
    exportDataset(options: {
      model: string;
      range: TimeRange;
      championVersion: string;
      rows: number;
      features: { number: string[]; text: string[] };
      segments: string[];
    }): Promise<Readable> {
      const { model, range, championVersion, rows, features, segments } = options;
      /** One search per value: looking a key up in a map is a walk over its keys. */
      const featureColumn = (map: string, key: string, column: string) =>
        `arrayElementOrNull(mapValues(${map}), indexOf(mapKeys(${map}), ${literal(key)})) AS ${identifier(column)}`;
      const columns = [
        ...segments.map(name => featureColumn('o.segments', name, columnPrefixes.segment + name)),
        ...features.number.map(name =>
          featureColumn('p.numeric_features', name, columnPrefixes.number + name),
        ),
        ...features.text.map(name =>
          featureColumn('p.categorical_features', name, columnPrefixes.text + name),
        ),
      ];
      return clickhouse.export(
        `WITH chosen AS
         (
             SELECT * FROM
             (
                 SELECT version, id, event_time, prediction, prediction_value, score, label, label_value, segments
                 FROM outcomes FINAL WHERE model = {model:String} AND ${between}
                 ORDER BY version = {championVersion:String} DESC, version DESC, event_time DESC LIMIT 1 BY id
             )
             ORDER BY event_time DESC, id DESC LIMIT {rows:UInt64}
         )
         SELECT o.id AS id, o.event_time AS event_time, toString(o.version) AS version, o.prediction AS prediction, o.prediction_value AS prediction_value,
                o.score AS score, o.label AS label, o.label_value AS label_value${columns.map(column => `,\n${column}`).join('')}
         FROM chosen AS o
         INNER JOIN
         (
             SELECT version, id, event_time, numeric_features, categorical_features
             FROM predictions FINAL WHERE model = {model:String} AND ${between} AND id IN (SELECT id FROM chosen)
         ) AS p ON p.version = o.version AND p.event_time = o.event_time AND p.id = o.id
         ORDER BY event_time, id
         SETTINGS output_format_parquet_compression_method = 'snappy', output_format_parquet_string_as_string = 1
         FORMAT Parquet`,
        { model, ...range, championVersion, rows },
      );
    },

    async insertDataset({ split, fromMs, toMs, ...dataset }: DatasetRecord): Promise<void> {
      const sizeOf = ({ start, end }: { start: number; end: number }) => end - start;
      await clickhouse.insert('datasets', [
        {
          ...dataset,
          rows: split.gate.end,
          train_rows: sizeOf(split.train),
          select_rows: sizeOf(split.select),
          gate_rows: sizeOf(split.gate),
          from_time: isoTime(fromMs),
          to_time: isoTime(toMs),
        },
      ]);
    },

    async insertRun(run: TrainingRun): Promise<void> {
      await clickhouse.insert('training_runs', [
        {
          id: run.id,
          revision: run.revision,
          model: run.cause.model,
          cause_type: run.cause.type,
          cause_id: run.cause.id,
          status: run.status,
          reasons: run.reasons,
          dataset_id: run.datasetId,
          champion_version: run.championVersion,
          candidate_version: run.candidateVersion,
          metrics: run.metrics,
          trainer: run.trainer,
          seed: run.seed,
          started_at: isoTime(run.startedAtMs),
          finished_at: run.finishedAtMs === null ? null : isoTime(run.finishedAtMs),
        },
      ]);
    },

    async insertVersion(version: ModelVersion): Promise<void> {
      await clickhouse.insert('model_versions', [
        {
          model: version.model,
          version: version.version,
          revision: revisionOfVersion[version.status],
          status: version.status,
          reasons: version.reasons,
          metrics: version.metrics,
          champion_version: version.championVersion ?? '',
          run_id: version.runId,
          dataset_id: version.datasetId,
          code_version: version.codeVersion,
          artifact_uri: version.artifactUri,
          artifact_checksum: version.artifactChecksum,
          reference_id: version.referenceId,
          published_at: isoTime(version.time),
        },
      ]);
    },
  };
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

/** Names of features come from producers: quoted as ClickHouse reads it back. */
function literal(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

function identifier(text: string): string {
  return `\`${text.replace(/[\\`]/g, '\\$&')}\``;
}
