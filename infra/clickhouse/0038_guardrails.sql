-- Guardrails: predictions that break a rule of their model.

CREATE TABLE flags
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    rule LowCardinality(String) COMMENT 'Name of the guardrail in the settings',
    event_time DateTime64(3, 'UTC') COMMENT 'When the prediction was made',
    id String COMMENT 'Id of the prediction',
    subject LowCardinality(String) COMMENT 'The feature or output that the rule is about; empty for a condition',
    value String COMMENT 'The value that was found, as text, at most 200 characters; empty if it is missing, and for a condition',
    message String COMMENT 'What is wrong, in one sentence',
    ingested_at DateTime DEFAULT now() COMMENT 'Retention counts from here'
)
ENGINE = ReplacingMergeTree(ingested_at)
PARTITION BY toYear(event_time)
ORDER BY (model, version, rule, event_time, id)
TTL ingested_at + INTERVAL 180 DAY
COMMENT 'Predictions that break a guardrail, one row per prediction and rule. Read with FINAL';

CREATE VIEW flag_counts COMMENT 'How many predictions broke each guardrail, per hour?' AS
SELECT model, version, rule, any(subject) AS subject, toStartOfHour(event_time) AS hour, count() AS flagged,
       uniqExact(value) AS distinct_values, argMax(message, event_time) AS last_message
FROM flags FINAL
GROUP BY model, version, rule, hour
ORDER BY model, version, rule, hour;
