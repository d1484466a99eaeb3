-- A version without evaluated windows has been evaluated until no time, not until 1970.

CREATE OR REPLACE VIEW model_status COMMENT 'How does each model version stand now?' AS
WITH
    progress AS (SELECT model, version, sum(predictions) AS predictions, sum(duplicates) AS duplicates, sum(late) AS late, max(max_event_time) AS last_event_time FROM stream_progress FINAL GROUP BY model, version),
    open_events AS (SELECT model, version, countIf(status = 'open') AS open_drift_events, argMaxIf(cause, window_start, status = 'open') AS latest_cause FROM drift_events FINAL GROUP BY model, version),
    windows AS (SELECT model, version, max(window_end) AS newest_end, count() AS evaluated_windows FROM evaluated_windows FINAL WHERE segment = '' GROUP BY model, version),
    quality AS (SELECT model, version, argMax(accuracy, window_start) AS last_accuracy, argMax(mae, window_start) AS last_mae, sum(labelled) AS labelled FROM performance_windows FINAL WHERE segment = '' GROUP BY model, version)
SELECT p.model AS model, p.version AS version, predictions, duplicates, late, labelled, last_event_time, evaluated_windows,
       if(evaluated_windows = 0, NULL, newest_end) AS evaluated_until,
       open_drift_events, latest_cause, last_accuracy, last_mae, if(v.state = '', 'observed', v.state) AS version_status
FROM progress AS p
LEFT JOIN open_events USING (model, version)
LEFT JOIN windows USING (model, version)
LEFT JOIN quality USING (model, version)
LEFT JOIN (SELECT model, version, state FROM version_states) AS v USING (model, version)
ORDER BY model, version;
