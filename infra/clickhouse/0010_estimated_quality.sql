-- Quality of a window estimated before its labels are known, and how good the estimates have been.

CREATE TABLE estimated_quality
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    window_start DateTime64(3, 'UTC') COMMENT 'Start of the window, inclusive',
    window_end DateTime64(3, 'UTC') COMMENT 'End of the window, exclusive',
    metric LowCardinality(String) COMMENT 'accuracy, precision, recall, f1, of binary models auc: as in performance_windows',
    status Enum8('estimated' = 1, 'insufficient_data' = 2, 'undefined' = 3) COMMENT 'insufficient_data: the window has too few scores, or too few labels came before it; undefined: such as the precision where nothing is predicted positive, or predictions do not follow from scores',
    estimate Nullable(Float64) COMMENT 'Estimate of what the metric will be when all labels are known',
    lower Nullable(Float64) COMMENT 'Of an interval for it, 95 % if scores mean what they meant',
    upper Nullable(Float64) COMMENT 'Of the same interval',
    records UInt64 COMMENT 'Predictions of the window that have a score, or a probability of what was predicted',
    positive_label String COMMENT 'binary: class that score, precision, recall and f1 speak of; multiclass: empty',
    calibration_to DateTime64(3, 'UTC') COMMENT 'The calibration is of labelled predictions from the first of the version up to here, never later than window_start; 1970 for none',
    calibration_step UInt8 COMMENT 'How many of four sizes of the calibration were reached',
    calibration_records UInt64 COMMENT 'Labelled predictions in it',
    calibration_progress UInt64 COMMENT 'Grows with each label of the calibration: sum of performance_windows.progress',
    progress UInt64 COMMENT 'calibration_progress and the predictions of the window',
    precedence UInt128 DEFAULT bitShiftLeft(toUInt128(calibration_step), 120) + bitShiftLeft(toUInt128(36028797018963968 - toUnixTimestamp64Milli(calibration_to)), 64) + progress COMMENT 'The row that has seen most wins: more labels make the calibration larger, or reach its size earlier',
    ingested_at DateTime DEFAULT now() COMMENT 'Retention counts from here'
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYear(window_start)
ORDER BY (model, version, window_start, window_end, metric)
TTL ingested_at + INTERVAL 730 DAY
COMMENT 'Quality of a classifier per window, estimated when the window has ended, from outputs and features alone. Read with FINAL';

CREATE VIEW quality_estimates COMMENT 'How good is each version, without waiting for labels?' AS
SELECT e.model AS model, e.version AS version, e.window_start AS window_start, e.window_end AS window_end, e.metric AS metric,
       toString(e.status) AS status, e.estimate AS estimate, e.lower AS lower, e.upper AS upper, e.records AS records,
       e.calibration_to AS calibration_to, e.calibration_records AS calibration_records,
       multiIf(e.metric = 'accuracy', p.accuracy, e.metric = 'precision', p.precision, e.metric = 'recall', p.recall,
               e.metric = 'f1', p.f1, e.metric = 'auc', p.auc, NULL) AS realised,
       p.labelled AS labelled, p.coverage AS coverage
FROM (SELECT * FROM estimated_quality FINAL) AS e
INNER JOIN
(
    SELECT model, version, argMax(task, window_start) AS task, argMax(positive_label, window_start) AS positive_label
    FROM performance_windows FINAL WHERE segment = '' GROUP BY model, version
) AS decided ON decided.model = e.model AND decided.version = e.version AND decided.positive_label = e.positive_label
LEFT JOIN (SELECT * FROM performance_windows FINAL WHERE segment = '') AS p
    ON p.model = e.model AND p.version = e.version AND p.window_start = e.window_start AND p.window_end = e.window_end
WHERE decided.task IN ('binary', 'multiclass')
ORDER BY model, version, metric, window_start;

CREATE VIEW estimate_record COMMENT 'How good have the estimates been? Over windows of which at least 80 % of the labels are known' AS
SELECT model, version, metric, count() AS windows, avg(abs(estimate - realised)) AS mean_absolute_error, avg(estimate - realised) AS mean_error,
       avg(realised >= lower AND realised <= upper) AS share_in_interval, avg(realised) AS mean_realised
FROM quality_estimates
WHERE status = 'estimated' AND realised IS NOT NULL AND coverage >= 0.8
GROUP BY model, version, metric
ORDER BY model, version, metric;
