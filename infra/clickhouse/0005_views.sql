-- A view per question that an analyst asks.

CREATE VIEW drift_over_time COMMENT 'How did each feature drift over time?' AS
SELECT model, version, segment, feature, metric, window_start, window_end, value, threshold, p_value, records, reference
FROM drift_metrics FINAL
ORDER BY model, version, segment, feature, metric, window_start;

CREATE VIEW performance_over_time COMMENT 'How good was each version, per window and segment?' AS
SELECT * EXCEPT (progress, ingested_at, loss_sum, loss_square_sum)
FROM performance_windows FINAL
ORDER BY model, version, segment, window_start;

CREATE VIEW window_counts COMMENT 'How many predictions did each window hold?' AS
SELECT model, version, segment, window_start, window_end, sum(count) AS records
FROM window_profiles FINAL
WHERE kind = 'output' AND feature = 'prediction'
GROUP BY model, version, segment, window_start, window_end
ORDER BY model, version, segment, window_start;

CREATE VIEW model_status COMMENT 'How does each model version stand now?' AS
WITH
    progress AS (SELECT model, version, sum(predictions) AS predictions, sum(duplicates) AS duplicates, sum(late) AS late, max(max_event_time) AS last_event_time FROM stream_progress FINAL GROUP BY model, version),
    open_events AS (SELECT model, version, countIf(status = 'open') AS open_drift_events, argMaxIf(cause, window_start, status = 'open') AS latest_cause FROM drift_events FINAL GROUP BY model, version),
    windows AS (SELECT model, version, max(window_end) AS evaluated_until, count() AS evaluated_windows FROM evaluated_windows FINAL WHERE segment = '' GROUP BY model, version),
    quality AS (SELECT model, version, argMax(accuracy, window_start) AS last_accuracy, argMax(mae, window_start) AS last_mae, sum(labelled) AS labelled FROM performance_windows FINAL WHERE segment = '' GROUP BY model, version)
SELECT p.model AS model, p.version AS version, predictions, duplicates, late, labelled, last_event_time, evaluated_windows, evaluated_until,
       open_drift_events, latest_cause, last_accuracy, last_mae, if(v.status = '', 'observed', v.status) AS version_status
FROM progress AS p
LEFT JOIN open_events USING (model, version)
LEFT JOIN windows USING (model, version)
LEFT JOIN quality USING (model, version)
LEFT JOIN (SELECT model, version, toString(status) AS status FROM model_versions FINAL) AS v USING (model, version)
ORDER BY model, version;

CREATE VIEW lineage COMMENT 'Which drift led to which training and which version? One row per run' AS
SELECT r.model AS model, r.cause_type AS cause_type, r.cause_id AS cause_id, e.cause AS drift_cause, e.feature AS drift_feature, e.version AS drifted_version,
       e.detected_at_event_time AS drift_detected_at, r.id AS run_id, r.status AS run_status, r.reasons AS run_reasons, r.started_at AS run_started_at,
       r.dataset_id AS dataset_id, d.rows AS dataset_rows, d.from_time AS dataset_from, d.to_time AS dataset_to,
       r.champion_version AS champion_version, r.candidate_version AS version, v.status AS version_status, v.artifact_uri AS artifact_uri,
       v.artifact_checksum AS artifact_checksum, v.reference_id AS reference_id
FROM (SELECT * FROM training_runs FINAL) AS r
LEFT JOIN (SELECT * FROM drift_events FINAL) AS e ON e.model = r.model AND e.id = r.cause_id
LEFT JOIN (SELECT * FROM datasets FINAL) AS d ON d.model = r.model AND d.id = r.dataset_id
LEFT JOIN (SELECT * FROM model_versions FINAL) AS v ON v.model = r.model AND v.version = r.candidate_version
ORDER BY run_started_at;
