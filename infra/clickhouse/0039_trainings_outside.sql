-- A training may be done by a platform outside. Its run waits for the result.

ALTER TABLE training_runs
    ADD COLUMN IF NOT EXISTS deadline Nullable(DateTime64(3, 'UTC')) COMMENT 'Until when the result of a training outside is waited for; null where the retrainer itself trained. A run that has started, with a deadline, waits',
    ADD COLUMN IF NOT EXISTS handed_over_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the platform has accepted the request; null before';
