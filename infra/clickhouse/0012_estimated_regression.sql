-- Errors of regressions are estimated as the quality of classifiers is.

ALTER TABLE estimated_quality
    MODIFY COLUMN metric COMMENT 'accuracy, precision, recall, f1, of binary models auc; of regressions mae, rmse: as in performance_windows',
    MODIFY COLUMN status COMMENT 'insufficient_data: the window has too few records, or too few labels came before it; undefined: such as the precision where nothing is predicted positive, or predictions do not follow from scores',
    MODIFY COLUMN records COMMENT 'Predictions of the window that have a score, or a probability of what was predicted; of regressions those that are finite numbers',
    MODIFY COLUMN positive_label COMMENT 'binary: class that score, precision, recall and f1 speak of; else empty',
    MODIFY COMMENT 'Quality of a version per window, estimated when the window has ended, from outputs and features alone. Read with FINAL';

CREATE OR REPLACE VIEW quality_estimates COMMENT 'How good is each version, without waiting for labels?' AS
SELECT e.model AS model, e.version AS version, e.window_start AS window_start, e.window_end AS window_end, e.metric AS metric,
       toString(e.status) AS status, e.estimate AS estimate, e.lower AS lower, e.upper AS upper, e.records AS records,
       e.calibration_to AS calibration_to, e.calibration_records AS calibration_records,
       multiIf(e.metric = 'accuracy', p.accuracy, e.metric = 'precision', p.precision, e.metric = 'recall', p.recall,
               e.metric = 'f1', p.f1, e.metric = 'auc', p.auc, e.metric = 'mae', p.mae, e.metric = 'rmse', p.rmse, NULL) AS realised,
       p.labelled AS labelled, p.coverage AS coverage
FROM (SELECT * FROM estimated_quality FINAL) AS e
INNER JOIN
(
    SELECT model, version, argMax(task, window_start) AS task, argMax(positive_label, window_start) AS positive_label
    FROM performance_windows FINAL WHERE segment = '' GROUP BY model, version
) AS decided ON decided.model = e.model AND decided.version = e.version AND decided.positive_label = e.positive_label
LEFT JOIN (SELECT * FROM performance_windows FINAL WHERE segment = '') AS p
    ON p.model = e.model AND p.version = e.version AND p.window_start = e.window_start AND p.window_end = e.window_end
WHERE (decided.task = 'regression') = (e.metric IN ('mae', 'rmse'))
ORDER BY model, version, metric, window_start;
