-- What share of the newest records is refused.

ALTER TABLE stream_progress
    ADD COLUMN IF NOT EXISTS recent_block Int64 DEFAULT -1 COMMENT 'Block of 500 positions that the last usable record is in; -1 where it is not known' AFTER too_late,
    ADD COLUMN IF NOT EXISTS recent_in_block UInt32 COMMENT 'Predictions and duplicates in it' AFTER recent_block,
    ADD COLUMN IF NOT EXISTS recent_in_previous_block UInt32 COMMENT 'Predictions and duplicates in the block before it' AFTER recent_in_block;

ALTER TABLE dead_letters
    ADD COLUMN IF NOT EXISTS record_time DateTime64(3, 'UTC') DEFAULT ingested_at COMMENT 'When the record was written to Kafka' AFTER version;

ALTER TABLE notices
    MODIFY COLUMN model COMMENT 'Name of the model; empty for a whole topic',
    MODIFY COLUMN version COMMENT 'Version of the model; empty for all versions',
    MODIFY COLUMN subject COMMENT 'The feature, class or kind of refused records that it is about; empty for the whole version',
    MODIFY COLUMN since COMMENT 'Event time from which it holds, of refused records when the first of the newest ones was written to Kafka';
