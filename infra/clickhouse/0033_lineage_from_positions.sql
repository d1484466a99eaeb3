-- The lineage of a version begins with the records that it was trained on.

ALTER TABLE datasets
    ADD COLUMN IF NOT EXISTS prediction_positions Array(Tuple(partition Int32, first UInt64, last UInt64)) COMMENT 'Positions of the topic predictions between which its rows lie, by partition; see topic_positions. Empty in rows of earlier releases' AFTER checksum,
    ADD COLUMN IF NOT EXISTS feedback_positions Array(Tuple(partition Int32, first UInt64, last UInt64)) COMMENT 'The same for the topic feedback' AFTER prediction_positions;

CREATE OR REPLACE VIEW lineage COMMENT 'Which records and which drift led to which dataset, training, version and artifact? One row per run. What did not happen, or is not known, is null or empty' AS
SELECT r.model AS model, r.cause_type AS cause_type, r.cause_id AS cause_id, nullIf(toString(e.cause), '') AS drift_cause, e.feature AS drift_feature,
       nullIf(toString(e.version), '') AS drifted_version, if(e.id = '', NULL, e.detected_at_event_time) AS drift_detected_at,
       d.prediction_positions AS prediction_positions, d.feedback_positions AS feedback_positions,
       nullIf(r.dataset_id, '') AS dataset_id, if(d.id = '', NULL, d.rows) AS dataset_rows, if(d.id = '', NULL, d.from_time) AS dataset_from,
       if(d.id = '', NULL, d.to_time) AS dataset_to, nullIf(d.uri, '') AS dataset_uri, nullIf(d.checksum, '') AS dataset_checksum,
       r.id AS run_id, r.status AS run_status, r.reasons AS run_reasons, r.started_at AS run_started_at, r.finished_at AS run_finished_at,
       nullIf(r.trainer, '') AS trainer, if(r.dataset_id = '', NULL, r.seed) AS seed, nullIf(r.champion_version, '') AS champion_version,
       nullIf(r.candidate_version, '') AS version, if(v.version = '', NULL, toString(v.status)) AS version_status,
       if(s.version = '', NULL, s.state) AS version_state, if(s.version = '', NULL, s.since) AS version_state_since,
       nullIf(v.artifact_uri, '') AS artifact_uri, nullIf(v.artifact_checksum, '') AS artifact_checksum, nullIf(v.reference_id, '') AS reference_id,
       if(x.uri = '', NULL, x.removed_at) AS artifact_removed_at
FROM (SELECT * FROM training_runs FINAL) AS r
LEFT JOIN (SELECT * FROM drift_events FINAL) AS e ON e.model = r.model AND e.id = r.cause_id
LEFT JOIN (SELECT * FROM datasets FINAL) AS d ON d.model = r.model AND d.id = r.dataset_id
LEFT JOIN (SELECT * FROM model_versions FINAL) AS v ON v.model = r.model AND v.version = r.candidate_version
LEFT JOIN (SELECT * FROM version_states) AS s ON s.model = r.model AND s.version = r.candidate_version
LEFT JOIN (SELECT model, uri, removed_at FROM removed_artifacts FINAL WHERE version != '') AS x ON x.model = v.model AND x.uri = v.artifact_uri
ORDER BY run_started_at;
