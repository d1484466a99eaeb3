-- Versions have a life: who or what changed the state of a version, when and why.

CREATE TABLE version_steps
(
    model LowCardinality(String) COMMENT 'Name of the model',
    sequence UInt64 COMMENT 'Number of the request among those of the model: 1, 2, ...',
    step UInt32 COMMENT '0: the answer to the request. 1, 2, ...: the changes of state that it led to, in their order',
    request_id String COMMENT 'Id of the request',
    action LowCardinality(String) COMMENT 'submit, adopt, approve, reject, rollback or retire',
    outcome LowCardinality(String) COMMENT 'accepted or refused',
    version String COMMENT 'Version; empty if the request is about none',
    expected_champion Nullable(String) COMMENT 'Champion that the person saw, if the request says so',
    state_before LowCardinality(String) COMMENT 'State until then; empty if nothing was known of the version, and in answers',
    state LowCardinality(String) COMMENT 'State from then on; empty in answers',
    changed_by String COMMENT 'Who or what asked',
    note Nullable(String) COMMENT 'Why, in the words of who asked',
    reason String COMMENT 'The answer, or why the state changed, as a sentence',
    requested_at DateTime64(3, 'UTC') COMMENT 'Time that the request names',
    at DateTime64(3, 'UTC') COMMENT 'When the request came to its topic'
)
ENGINE = ReplacingMergeTree
ORDER BY (model, sequence, step)
COMMENT 'Every request for a change of a version with its answer, and every change of state. Read with FINAL';

CREATE TABLE model_aliases
(
    model LowCardinality(String) COMMENT 'Name of the model',
    alias LowCardinality(String) COMMENT 'champion, challenger or previous',
    version String COMMENT 'Version that it names; empty if none',
    sequence UInt64 COMMENT 'Number of the request that moved it; the highest is valid',
    request_id String COMMENT 'Id of that request',
    changed_by String COMMENT 'Who or what moved it',
    note Nullable(String) COMMENT 'Why',
    since DateTime64(3, 'UTC') COMMENT 'When it was moved'
)
ENGINE = ReplacingMergeTree(sequence)
ORDER BY (model, alias)
COMMENT 'Which version each alias of a model names. Read with FINAL';

ALTER TABLE model_versions
    MODIFY COLUMN status COMMENT 'Whether it may be served: candidate (not yet), approved or rejected',
    MODIFY COLUMN published_at COMMENT 'When the gates judged it',
    ADD COLUMN IF NOT EXISTS state LowCardinality(String) COMMENT 'Where it stands in its life: candidate, waiting_for_approval, approved, champion, superseded, rolled_back, rejected or retired. Empty in rows of Driftloop 0.1' AFTER status,
    ADD COLUMN IF NOT EXISTS state_since Nullable(DateTime64(3, 'UTC')) COMMENT 'When it came to this state' AFTER published_at,
    ADD COLUMN IF NOT EXISTS changed_by String COMMENT 'Who or what brought it there' AFTER state_since,
    ADD COLUMN IF NOT EXISTS note Nullable(String) COMMENT 'Why, in the words of who asked' AFTER changed_by;

CREATE VIEW version_states COMMENT 'Where does each version stand?' AS
SELECT model, version, argMax(state, place) AS state, argMax(at, place) AS since, argMax(by, place) AS changed_by, argMax(why, place) AS reason
FROM
(
    SELECT model, version, toString(status) AS state, published_at AS at, 'the gates' AS by, reasons[1] AS why, tuple(toUInt64(0), toUInt32(0)) AS place FROM model_versions FINAL
    UNION ALL
    SELECT model, version, toString(state) AS state, at, changed_by AS by, reason AS why, tuple(sequence, step) AS place FROM version_steps FINAL WHERE step > 0
)
GROUP BY model, version
ORDER BY model, version;

CREATE VIEW version_history COMMENT 'Who or what changed the state of a version, when and why? One row per step' AS
SELECT model, version, sequence, step, nullIf(toString(state_before), '') AS state_before, toString(state) AS state, at, changed_by, note, reason, request_id
FROM version_steps FINAL
WHERE step > 0
ORDER BY model, sequence, step;

CREATE VIEW version_requests COMMENT 'What was asked about versions, by whom, and what was answered?' AS
SELECT model, sequence, request_id, toString(action) AS action, nullIf(version, '') AS version, expected_champion, changed_by AS requested_by, note, toString(outcome) AS outcome, reason AS answer, requested_at, at AS answered_at
FROM version_steps FINAL
WHERE step = 0
ORDER BY model, sequence;

CREATE OR REPLACE VIEW model_status COMMENT 'How does each model version stand now?' AS
WITH
    progress AS (SELECT model, version, sum(predictions) AS predictions, sum(duplicates) AS duplicates, sum(late) AS late, max(max_event_time) AS last_event_time FROM stream_progress FINAL GROUP BY model, version),
    open_events AS (SELECT model, version, countIf(status = 'open') AS open_drift_events, argMaxIf(cause, window_start, status = 'open') AS latest_cause FROM drift_events FINAL GROUP BY model, version),
    windows AS (SELECT model, version, max(window_end) AS evaluated_until, count() AS evaluated_windows FROM evaluated_windows FINAL WHERE segment = '' GROUP BY model, version),
    quality AS (SELECT model, version, argMax(accuracy, window_start) AS last_accuracy, argMax(mae, window_start) AS last_mae, sum(labelled) AS labelled FROM performance_windows FINAL WHERE segment = '' GROUP BY model, version)
SELECT p.model AS model, p.version AS version, predictions, duplicates, late, labelled, last_event_time, evaluated_windows, evaluated_until,
       open_drift_events, latest_cause, last_accuracy, last_mae, if(v.state = '', 'observed', v.state) AS version_status
FROM progress AS p
LEFT JOIN open_events USING (model, version)
LEFT JOIN windows USING (model, version)
LEFT JOIN quality USING (model, version)
LEFT JOIN (SELECT model, version, state FROM version_states) AS v USING (model, version)
ORDER BY model, version;

CREATE OR REPLACE VIEW lineage COMMENT 'Which drift led to which training and which version? One row per run. What did not happen is null' AS
SELECT r.model AS model, r.cause_type AS cause_type, r.cause_id AS cause_id, e.cause AS drift_cause, e.feature AS drift_feature, e.version AS drifted_version,
       if(e.id = '', NULL, e.detected_at_event_time) AS drift_detected_at, r.id AS run_id, r.status AS run_status, r.reasons AS run_reasons, r.started_at AS run_started_at,
       r.finished_at AS run_finished_at, r.dataset_id AS dataset_id, if(d.id = '', NULL, d.rows) AS dataset_rows, if(d.id = '', NULL, d.from_time) AS dataset_from, if(d.id = '', NULL, d.to_time) AS dataset_to,
       r.champion_version AS champion_version, r.candidate_version AS version, if(v.version = '', NULL, toString(v.status)) AS version_status,
       if(s.version = '', NULL, s.state) AS version_state, if(s.version = '', NULL, s.since) AS version_state_since, v.artifact_uri AS artifact_uri,
       v.artifact_checksum AS artifact_checksum, v.reference_id AS reference_id
FROM (SELECT * FROM training_runs FINAL) AS r
LEFT JOIN (SELECT * FROM drift_events FINAL) AS e ON e.model = r.model AND e.id = r.cause_id
LEFT JOIN (SELECT * FROM datasets FINAL) AS d ON d.model = r.model AND d.id = r.dataset_id
LEFT JOIN (SELECT * FROM model_versions FINAL) AS v ON v.model = r.model AND v.version = r.candidate_version
LEFT JOIN (SELECT * FROM version_states) AS s ON s.model = r.model AND s.version = r.candidate_version
ORDER BY run_started_at;
