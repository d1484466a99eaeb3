-- Dataset snapshots, training runs and model versions: the lineage.

CREATE TABLE datasets
(
    id String COMMENT 'SHA-256 of the frozen rows in their order',
    model LowCardinality(String) COMMENT 'Name of the model',
    rows UInt64 COMMENT 'Labelled rows',
    train_rows UInt64 COMMENT 'Oldest rows: fit the weights',
    select_rows UInt64 COMMENT 'Next: choose when to stop',
    gate_rows UInt64 COMMENT 'Newest: compare champion and challenger',
    from_time DateTime64(3, 'UTC') COMMENT 'Event time of the first row',
    to_time DateTime64(3, 'UTC') COMMENT 'Event time of the last row',
    features Array(String) COMMENT 'Columns',
    task Enum8('binary' = 1, 'multiclass' = 2, 'regression' = 3) COMMENT 'What the labels are',
    uri String COMMENT 'The Parquet file',
    checksum String COMMENT 'SHA-256 of the file',
    created_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'Wall clock'
)
ENGINE = ReplacingMergeTree
ORDER BY (model, id)
COMMENT 'The frozen rows of a training';

CREATE TABLE training_runs
(
    id String COMMENT 'Deterministic: one run per cause',
    revision UInt32 COMMENT 'The highest is valid',
    model LowCardinality(String) COMMENT 'Name of the model',
    cause_type Enum8('drift_event' = 1, 'schedule' = 2, 'manual' = 3) COMMENT 'Why it ran',
    cause_id String COMMENT 'drift_events.id or the id of the request',
    status Enum8('started' = 1, 'skipped' = 2, 'failed' = 3, 'approved' = 4, 'rejected' = 5) COMMENT 'How it ended',
    reasons Array(String) COMMENT 'Why, gate by gate',
    dataset_id String COMMENT 'datasets.id, empty if it did not come so far',
    champion_version String COMMENT 'Version that served when it ran',
    candidate_version String COMMENT 'Version that it produced, empty if none',
    metrics Map(String, Float64) COMMENT 'Figures on the gate rows',
    trainer String COMMENT 'Backend or command, and its version',
    seed UInt64 COMMENT 'Seed of every random choice',
    started_at DateTime64(3, 'UTC') COMMENT 'Wall clock',
    finished_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Wall clock'
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, id)
COMMENT 'Every run of the retrainer, also those that were skipped. Read with FINAL';

CREATE TABLE model_versions
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version String COMMENT 'Version',
    revision UInt32 COMMENT 'The highest is valid',
    status Enum8('candidate' = 1, 'approved' = 2, 'rejected' = 3) COMMENT 'Where it stands',
    reasons Array(String) COMMENT 'Why, gate by gate',
    metrics Map(String, Float64) COMMENT 'Figures on the gate rows',
    champion_version String COMMENT 'Version that it was compared with',
    run_id String COMMENT 'training_runs.id',
    dataset_id String COMMENT 'datasets.id',
    code_version String COMMENT 'Version of the trainer',
    artifact_uri String COMMENT 'Folder of the model',
    artifact_checksum String COMMENT 'SHA-256 over its files',
    reference_id String COMMENT 'reference_profiles.reference_id',
    published_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'Wall clock'
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, version)
COMMENT 'Versions that the retrainer produced. Read with FINAL';
