-- Artifacts that nobody needs are removed, and what was removed stays known.

CREATE TABLE removed_artifacts
(
    model LowCardinality(String) COMMENT 'Name of the model',
    uri String COMMENT 'Folder of a version, or file of a dataset',
    version String COMMENT 'Version whose files they were; empty for a dataset',
    dataset_id String COMMENT 'datasets.id; empty for a version',
    checksum String COMMENT 'Checksum that it had',
    removed_by String COMMENT 'Who removed it',
    reason String COMMENT 'Why it was no longer needed, as a sentence',
    removed_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'Wall clock'
)
ENGINE = ReplacingMergeTree
ORDER BY (model, uri)
COMMENT 'Datasets and files of versions that driftloop versions prune has removed. Read with FINAL';
