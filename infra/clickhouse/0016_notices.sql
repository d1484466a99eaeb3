-- What is odd in how a model version is logged.

CREATE TABLE notices
(
    id String COMMENT 'Deterministic: one per model version, code and subject',
    model LowCardinality(String) COMMENT 'Name of the model',
    version String COMMENT 'Version of the model',
    code LowCardinality(String) COMMENT 'Kind of the notice, such as score-disagrees-with-predictions',
    subject String COMMENT 'The feature or class that it is about; empty for the whole version',
    family LowCardinality(String) COMMENT 'Notices that are stated together: one that is not stated again is closed',
    status Enum8('open' = 1, 'closed' = 2) COMMENT 'closed: what it says holds no longer',
    since DateTime64(3, 'UTC') COMMENT 'Event time from which it holds',
    message String COMMENT 'What is odd, in one sentence',
    evidence String COMMENT 'The numbers behind it, with an example, as they were when it opened or its message changed',
    advice String COMMENT 'What to do, in one sentence',
    progress UInt64 COMMENT 'Grows with what was seen of the version; the row that has seen more is valid',
    written_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'Wall clock'
)
ENGINE = ReplacingMergeTree(progress)
ORDER BY (model, version, code, subject)
COMMENT 'What is odd in how a model version is logged, with evidence and advice. Read with FINAL';
