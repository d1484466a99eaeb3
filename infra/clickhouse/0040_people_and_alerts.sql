-- What people do with alerts.

ALTER TABLE alerts
    ADD COLUMN IF NOT EXISTS happened LowCardinality(Nullable(String)) COMMENT 'What made this revision: opened, another-event, another-cause, escalated, persists, reminder, resolved, acknowledged, unacknowledged or snoozed; NULL in rows of Driftloop 0.1',
    ADD COLUMN IF NOT EXISTS acknowledged_by Nullable(String) COMMENT 'The person who has it; NULL if nobody has',
    ADD COLUMN IF NOT EXISTS snoozed_until Nullable(DateTime64(3, 'UTC')) COMMENT 'Wall clock until which nobody is to be told; NULL if it is not snoozed',
    ADD COLUMN IF NOT EXISTS note Nullable(String) COMMENT 'What the person said who acted last',
    ADD COLUMN IF NOT EXISTS end_reason LowCardinality(Nullable(String)) COMMENT 'Why it was resolved: recovered, mended, version_replaced, accepted, covered, withdrawn or person; NULL while it is open',
    ADD COLUMN IF NOT EXISTS acted_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the last request of a person that it shows was answered';

CREATE TABLE alert_requests
(
    model LowCardinality(String) COMMENT 'Name of the model',
    request_id String COMMENT 'Id of the request',
    action LowCardinality(String) COMMENT 'acknowledge, unacknowledge, snooze, resolve or not_useful',
    alert_id String COMMENT 'alerts.id',
    version String COMMENT 'Version that the alert is about; empty if no such alert is known',
    outcome LowCardinality(String) COMMENT 'accepted or refused',
    answer String COMMENT 'The answer, as a sentence',
    requested_by String COMMENT 'Who asked',
    note Nullable(String) COMMENT 'Why',
    until Nullable(DateTime64(3, 'UTC')) COMMENT 'Wall clock until which it is snoozed',
    requested_at DateTime64(3, 'UTC') COMMENT 'Time that the request names',
    answered_at DateTime64(3, 'UTC') COMMENT 'When it was answered; the order in which requests about an alert count'
)
ENGINE = ReplacingMergeTree(answered_at)
ORDER BY (model, request_id)
COMMENT 'What people have said about alerts, and what was answered. Read with FINAL';

CREATE VIEW alert_usefulness COMMENT 'Which alerts did people call of no use, by model and cause?' AS
SELECT a.model AS model, e.cause AS cause, uniqExact(a.id) AS alerts,
       uniqExactIf(a.id, a.acknowledged_by IS NOT NULL) AS acknowledged, uniqExactIf(a.id, r.alert_id != '') AS not_useful
FROM (SELECT *, arrayJoin(drift_event_ids) AS event_id FROM alerts FINAL) AS a
INNER JOIN (SELECT id, toString(cause) AS cause FROM drift_events FINAL) AS e ON e.id = a.event_id
LEFT JOIN (SELECT DISTINCT model, alert_id FROM alert_requests FINAL WHERE action = 'not_useful' AND outcome = 'accepted') AS r ON r.model = a.model AND r.alert_id = a.id
GROUP BY model, cause
ORDER BY not_useful DESC, model, cause;
