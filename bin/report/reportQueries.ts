import type { Clickhouse } from '../../services/shared/clickhouse/clickhouse.ts';

export interface VersionCounts {
  model: string;
  version: string;
  counts: {
    predictions: number;
    duplicates: number;
    late: number;
    labelled: number;
    setApart: number;
    deadLettered: Record<string, number>;
  };
}

export type Row = Record<string, unknown>;

interface VersionName {
  model: string;
  version: string;
}

/** Reads the versions that were seen, also those that only dead letters name. */
export async function versionCounts(clickhouse: Clickhouse): Promise<VersionCounts[]> {
  const counted = await clickhouse.select<Omit<VersionCounts['counts'], 'deadLettered'> & Row>(`
    SELECT model, version, sum(predictions) AS predictions, sum(duplicates) AS duplicates,
           sum(late) AS late, sum(labelled) AS labelled, sum(set_apart) AS setApart
    FROM (SELECT model, version, predictions, duplicates, late, 0 AS labelled, 0 AS set_apart
          FROM stream_progress FINAL
          UNION ALL
          SELECT model, version, 0, 0, 0, labelled, set_apart FROM performance_windows FINAL
          WHERE segment = ''
          UNION ALL
          SELECT model, version, 0, 0, 0, 0, 0 FROM dead_letters FINAL
          WHERE model != '' AND version != '')
    GROUP BY model, version ORDER BY model, version`);
  const letters = await clickhouse.select<{
    model: string;
    version: string;
    class: string;
    count: number;
  }>(`
    SELECT model, version, class, count() AS count FROM dead_letters FINAL
    WHERE model != '' AND version != '' GROUP BY model, version, class ORDER BY class`);
  return counted.map(({ model, version, predictions, duplicates, late, labelled, setApart }) => {
    const own = letters.filter(letter => letter.model === model && letter.version === version);
    const deadLettered = Object.fromEntries(own.map(letter => [letter.class, letter.count]));
    return {
      model: String(model),
      version: String(version),
      counts: { predictions, duplicates, late, labelled, setApart, deadLettered },
    };
  });
}

/** Reads the windows of all predictions of a version. One that was not judged has revision 0. */
export function windowRows(clickhouse: Clickhouse, name: VersionName): AsyncGenerator<Row> {
  return rows(
    clickhouse,
    `SELECT toUnixTimestamp64Milli(c.window_start) AS start_iso,
            toUnixTimestamp64Milli(c.window_end) AS end_iso, c.records AS count,
            e.revision AS revision, if(e.revision = 0, NULL, toString(e.status)) AS status
     FROM (SELECT * FROM window_counts
           WHERE model = {model:String} AND version = {version:String} AND segment = '') AS c
     LEFT JOIN (SELECT * FROM evaluated_windows FINAL
                WHERE model = {model:String} AND version = {version:String} AND segment = '') AS e
       ON e.window_start = c.window_start AND e.window_end = c.window_end
     ORDER BY start_iso, end_iso`,
    name,
  );
}

/** Reads what the outputs of a version mean; yields nothing before its first label. */
export function outputRows(clickhouse: Clickhouse, name: VersionName): AsyncGenerator<Row> {
  return rows(
    clickhouse,
    `SELECT toString(task) AS task, nullIf(positive_label, '') AS positiveLabel,
            toString(prediction_is) AS predictionIs, toString(score_is) AS scoreIs,
            nullIf(score_of, '') AS scoreOf, threshold, classes, spellings,
            toBool(comparable) AS comparable, evidence, nullIf(disagreement, '') AS disagreement,
            records, toUnixTimestamp64Milli(decided_from) AS decidedFrom_iso,
            toUnixTimestamp64Milli(decided_until) AS decidedUntil_iso
     FROM output_meanings FINAL WHERE model = {model:String} AND version = {version:String}`,
    name,
  );
}

export function performanceRows(clickhouse: Clickhouse, name: VersionName): AsyncGenerator<Row> {
  return rows(
    clickhouse,
    `SELECT segment, toUnixTimestamp64Milli(window_start) AS start_iso,
            toUnixTimestamp64Milli(window_end) AS end_iso, toString(task) AS task,
            predictions, labelled, weight, set_apart AS setApart, coverage,
            label_delay_p50_ms AS labelDelayP50Ms, label_delay_p95_ms AS labelDelayP95Ms, errors, accuracy,
            precision, recall, f1, log_loss AS logLoss, brier, auc, average_precision AS averagePrecision,
            calibration_error AS calibrationError, balanced_accuracy AS balancedAccuracy, mcc,
            top_1_accuracy AS top1Accuracy, top_3_accuracy AS top3Accuracy,
            top_5_accuracy AS top5Accuracy, top_10_accuracy AS top10Accuracy,
            mean_reciprocal_rank AS meanReciprocalRank,
            mae, rmse, bias, r2, pinball_loss AS pinballLoss,
            interval_coverage AS intervalCoverage, interval_level AS intervalLevel, classes,
            value_sum AS valueSum
     FROM performance_windows FINAL WHERE model = {model:String} AND version = {version:String}
     ORDER BY start_iso, end_iso, segment`,
    name,
  );
}

/** Reads the quality of windows that was estimated without their labels. */
export function estimateRows(clickhouse: Clickhouse, name: VersionName): AsyncGenerator<Row> {
  return rows(
    clickhouse,
    `SELECT toUnixTimestamp64Milli(window_start) AS start_iso, metric, estimate, lower, upper
     FROM estimated_quality FINAL
     WHERE model = {model:String} AND version = {version:String} AND status = 'estimated'
     ORDER BY metric, start_iso`,
    name,
  );
}

export function driftMetricRows(clickhouse: Clickhouse, name: VersionName): AsyncGenerator<Row> {
  return rows(
    clickhouse,
    `SELECT segment, toUnixTimestamp64Milli(window_start) AS start_iso,
            toUnixTimestamp64Milli(window_end) AS end_iso, family, toString(kind) AS kind,
            if(feature = '', NULL, feature) AS feature, metric, value,
            reference_value AS referenceValue, threshold, p_value AS pValue, level, records,
            reference_records AS referenceRecords, reference,
            if(cycle = '', NULL, toString(cycle)) AS cycle, scale, overdispersion,
            noise_weight AS noiseWeight, reason, revision
     FROM drift_metrics FINAL WHERE model = {model:String} AND version = {version:String}
     ORDER BY start_iso, end_iso, segment, kind, feature, metric`,
    name,
  );
}

/** Reads the drift events, except those that late data have withdrawn. */
export function driftEventRows(clickhouse: Clickhouse): AsyncGenerator<Row> {
  return rows(
    clickhouse,
    `SELECT id, model, version, segment, feature, cause, toString(severity) AS severity,
            toString(status) AS status,
            toUnixTimestamp64Milli(window_start) AS windowStart_iso,
            toUnixTimestamp64Milli(window_end) AS windowEnd_iso, revision, metric, value,
            threshold, p_value AS pValue, records, scale,
            toUnixTimestamp64Milli(evidence_window_start) AS evidenceWindowStart_iso,
            reference, explanation,
            toUnixTimestamp64Milli(detected_at_event_time) AS detectedAtEventTime_iso,
            toUnixTimestamp64Milli(persisting_since) AS persistingSince_iso, end_reason AS endReason,
            ended_by AS endedBy, toUnixTimestamp64Milli(ended_at) AS endedAt_iso, standing
     FROM drift_events FINAL WHERE status != 'withdrawn'
     ORDER BY windowStart_iso, model, version, id`,
  );
}

export function modelVersionRows(clickhouse: Clickhouse): AsyncGenerator<Row> {
  return rows(
    clickhouse,
    `SELECT v.model AS model, v.version AS version, toString(v.status) AS status,
            v.reasons AS reasons, v.metrics AS metrics,
            nullIf(v.champion_version, '') AS championVersion,
            if(r.id = '', NULL, toString(r.cause_type)) AS causeType,
            nullIf(r.cause_id, '') AS causeId, v.run_id AS runId,
            v.dataset_id AS datasetId, v.code_version AS codeVersion,
            v.artifact_checksum AS artifactChecksum, v.reference_id AS referenceId,
            toUnixTimestamp64Milli(v.published_at) AS publishedAt_iso
     FROM (SELECT * FROM model_versions FINAL) AS v
     LEFT JOIN (SELECT * FROM training_runs FINAL) AS r ON r.model = v.model AND r.id = v.run_id
     ORDER BY publishedAt_iso, model, version`,
  );
}

/** Reads what the features of a version are. */
export function featureKindRows(
  clickhouse: Clickhouse,
  { model, version }: VersionName,
): AsyncGenerator<Row> {
  return rows(
    clickhouse,
    `SELECT feature, kind, toBool(declared) AS declared, toUnixTimestamp64Milli(since) AS since_iso,
            evidence
     FROM feature_kinds FINAL WHERE model = {model:String} AND version = {version:String}
     ORDER BY feature`,
    { model, version },
  );
}

/** Reads the notices that are open at the end of the stream. */
export function openNoticeRows(clickhouse: Clickhouse): AsyncGenerator<Row> {
  return rows(
    clickhouse,
    `SELECT model, version, code, subject, toUnixTimestamp64Milli(since) AS since_iso,
            message, evidence, advice
     FROM notices FINAL WHERE status = 'open' ORDER BY model, version, code, subject`,
  );
}

/** Counts the dead letters that belong to no known version, by topic (without prefix) and class. */
export function unassignedLetterRows(
  clickhouse: Clickhouse,
  topicPrefix: string,
): AsyncGenerator<Row> {
  return rows(
    clickhouse,
    `SELECT nullIf(letter.model, '') AS model, nullIf(letter.version, '') AS version,
            substring(source_topic, length({topicPrefix:String}) + 1) AS topic, class,
            count() AS count
     FROM dead_letters AS letter FINAL WHERE letter.model = '' OR letter.version = ''
     GROUP BY model, version, topic, class ORDER BY topic, class, model`,
    { topicPrefix },
  );
}

/** Returns the rows as a list, where they are few. */
export async function listOf(rows: AsyncIterable<Row>): Promise<Row[]> {
  const list: Row[] = [];
  for await (const row of rows) list.push(row);
  return list;
}

/** Yields the rows of a query as they come. Columns in ms named `…_iso` become ISO 8601 times. */
async function* rows(
  clickhouse: Clickhouse,
  query: string,
  parameters: object = {},
): AsyncGenerator<Row> {
  const result = await clickhouse.client.query({
    query,
    query_params: { ...parameters },
    format: 'JSONEachRow',
    // JSON has no NaN and no infinities: they become null.
    clickhouse_settings: { output_format_json_quote_denormals: 0 },
  });
  for await (const block of result.stream<Row>()) {
    for (const row of block) yield withIsoTimes(row.json());
  }
}

const isoSuffix = '_iso';

function withIsoTimes(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) =>
      name.endsWith(isoSuffix)
        ? [name.slice(0, -isoSuffix.length), value === null ? null : isoTime(Number(value))]
        : [name, value],
    ),
  );
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
