-- Versions in shadow: what they would have answered, beside the answers of the version that served.

CREATE TABLE shadow_predictions
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version that would have answered so',
    id String COMMENT 'Id of the prediction, under which another version has served',
    event_time DateTime64(3, 'UTC') COMMENT 'When the prediction was made',
    prediction String COMMENT 'The output as text: the class, or the number',
    prediction_value Nullable(Float64) COMMENT 'The output, where it is a number',
    score Nullable(Float64) COMMENT 'Probability of the positive class, binary models',
    probabilities Map(LowCardinality(String), Float64) COMMENT 'Probability per class',
    source_partition Int32 COMMENT 'Kafka partition of predictions; -1: the retrainer has computed it',
    source_offset UInt64 COMMENT 'Kafka offset in it',
    precedence UInt64 DEFAULT bitNot(source_offset) COMMENT 'Of two rows with the same key the first offset stays',
    ingested_at DateTime DEFAULT now() COMMENT 'Retention counts from here'
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYear(event_time)
ORDER BY (model, version, event_time, id)
TTL ingested_at + INTERVAL 180 DAY
COMMENT 'What a version would have predicted, one row per prediction. They are in no window. Read with FINAL';

ALTER TABLE model_versions
    MODIFY COLUMN state COMMENT 'Where it stands in its life: candidate, shadow, waiting_for_approval, approved, champion, superseded, rolled_back, rejected or retired. Empty in rows of Driftloop 0.1',
    ADD COLUMN IF NOT EXISTS verdict LowCardinality(String) COMMENT 'What the gates said: promote, reject, inconclusive or not_evaluable; empty in earlier rows' AFTER state;
