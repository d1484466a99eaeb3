-- A cause is taken up again when more labelled rows are there.

ALTER TABLE training_runs
    MODIFY COLUMN id COMMENT 'Deterministic: a run per cause, and further ones when the cause is taken up again',
    ADD COLUMN IF NOT EXISTS rows_since_change UInt64 COMMENT 'Labelled rows of the champion since the change that the cause is about, when the run tried to train; 0 where it did not come so far, or no change is known. The cause is taken up again with twice as many' AFTER dataset_id;
