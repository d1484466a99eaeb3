-- What the evaluator looks up: predictions by id, and the labels of a model version, both without reading history.

CREATE TABLE prediction_ids
(
    id String COMMENT 'Id of the prediction',
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    event_time DateTime64(3, 'UTC') COMMENT 'When the prediction was made',
    ingested_at DateTime COMMENT 'Retention counts from here'
)
ENGINE = ReplacingMergeTree
ORDER BY (id, model, version, event_time)
TTL ingested_at + INTERVAL 180 DAY
SETTINGS index_granularity = 256
COMMENT 'Keys of predictions in the order of their ids: feedback comes with an id alone. A bloom filter on id cannot serve thousands of ids at once, some of them seem to be everywhere';

CREATE MATERIALIZED VIEW IF NOT EXISTS prediction_ids_writer TO prediction_ids AS
SELECT id, model, version, event_time, ingested_at FROM predictions;

INSERT INTO prediction_ids SELECT id, model, version, event_time, ingested_at FROM predictions;

CREATE TABLE version_labels
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    labels AggregateFunction(groupUniqArray(101), String) COMMENT 'Distinct labels, at most 101',
    predictions AggregateFunction(groupUniqArray(101), String) COMMENT 'Distinct predictions, at most 101',
    text_labels SimpleAggregateFunction(max, UInt8) COMMENT '1: some label is not a number',
    fractional_labels SimpleAggregateFunction(max, UInt8) COMMENT '1: some label is a number, but no whole one',
    fractional_predictions SimpleAggregateFunction(max, UInt8) COMMENT '1: some prediction is a number, but no whole one'
)
ENGINE = AggregatingMergeTree
ORDER BY (model, version)
COMMENT 'Everything that ever stood in an outcome of a version: it only grows, so that all who read it come to the same task';

CREATE MATERIALIZED VIEW IF NOT EXISTS version_labels_writer TO version_labels AS
SELECT model, version,
       groupUniqArrayState(101)(label) AS labels,
       groupUniqArrayState(101)(prediction) AS predictions,
       max(toUInt8(isNull(label_value))) AS text_labels,
       max(toUInt8(ifNull(label_value != trunc(label_value), false))) AS fractional_labels,
       max(toUInt8(ifNull(prediction_value != trunc(prediction_value), false))) AS fractional_predictions
FROM outcomes
GROUP BY model, version;

INSERT INTO version_labels
SELECT model, version,
       groupUniqArrayState(101)(label) AS labels,
       groupUniqArrayState(101)(prediction) AS predictions,
       max(toUInt8(isNull(label_value))) AS text_labels,
       max(toUInt8(ifNull(label_value != trunc(label_value), false))) AS fractional_labels,
       max(toUInt8(ifNull(prediction_value != trunc(prediction_value), false))) AS fractional_predictions
FROM outcomes
GROUP BY model, version;

ALTER TABLE performance_windows
    ADD COLUMN IF NOT EXISTS positive_label String COMMENT 'binary: the class that precision, recall, f1 and brier speak of; else empty' AFTER task;

CREATE OR REPLACE VIEW performance_over_time COMMENT 'How good was each version, per window and segment?' AS
SELECT * EXCEPT (progress, ingested_at, loss_sum, loss_square_sum)
FROM performance_windows FINAL
ORDER BY model, version, segment, window_start;
