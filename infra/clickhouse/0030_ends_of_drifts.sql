-- A drift is over when its harm is, and an event says why it ended.

ALTER TABLE drift_events
    MODIFY COLUMN status COMMENT 'open until its harm is over; closed: end_reason says why; withdrawn: late data showed that it was not so',
    ADD COLUMN IF NOT EXISTS persisting_since Nullable(DateTime64(3, 'UTC')) COMMENT 'Event time since which its new level is stable; it stays open until its harm is over. Null while the change is followed' AFTER detected_at_event_time,
    ADD COLUMN IF NOT EXISTS end_reason Nullable(String) COMMENT 'recovered, mended, version_replaced, accepted, covered or withdrawn; null while it is open, and in rows of Driftloop 0.1' AFTER persisting_since,
    ADD COLUMN IF NOT EXISTS ended_by Nullable(String) COMMENT 'The person who accepted it, or the version that serves now; null if the stream itself shows it' AFTER end_reason,
    ADD COLUMN IF NOT EXISTS ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Event time of the end' AFTER ended_by,
    ADD COLUMN IF NOT EXISTS standing Nullable(String) COMMENT 'What is known of its harm, or what ended it, as a sentence' AFTER ended_at;

ALTER TABLE alerts
    ADD COLUMN IF NOT EXISTS reminders Nullable(UInt32) COMMENT 'How often it was published again because a drift event persists: 1, 3, 7, 15 ... days of event time after its level became stable' AFTER notice;
