-- The clock of a version follows a leap of event time only when several records have made it.

ALTER TABLE stream_progress
    ADD COLUMN leap_records UInt8 COMMENT 'Records that are far ahead of max_event_time, less the records since that are not; with 5 of them the clock follows' AFTER max_event_time,
    ADD COLUMN leap_from DateTime64(3, 'UTC') COMMENT 'Lowest event time of the records far ahead; 0 where there are none' AFTER leap_records,
    MODIFY COLUMN max_event_time COMMENT 'Clock of the version in this partition: the highest event time that it has reached, without the records far ahead (see leap_records)';
