-- People accept the level after a drift as the new normal.

CREATE TABLE drift_requests
(
    model LowCardinality(String) COMMENT 'Name of the model',
    request_id String COMMENT 'Id of the request',
    action LowCardinality(String) COMMENT 'accept',
    drift_event_id String COMMENT 'drift_events.id',
    version String COMMENT 'Version that drifted; empty if no such event is known',
    outcome LowCardinality(String) COMMENT 'accepted or refused',
    answer String COMMENT 'The answer, as a sentence',
    requested_by String COMMENT 'Who asked',
    note String COMMENT 'Why',
    seen_until Nullable(DateTime64(3, 'UTC')) COMMENT 'Event time at which the drift ends by it; null if it is refused',
    requested_at DateTime64(3, 'UTC') COMMENT 'Time that the request names',
    answered_at DateTime64(3, 'UTC') COMMENT 'When the request came to its topic'
)
ENGINE = ReplacingMergeTree(answered_at)
ORDER BY (model, request_id)
COMMENT 'What was asked about drift events, by whom, and what was answered. Read with FINAL';
