-- How much changed features move what a model gives.

ALTER TABLE window_samples
    ADD COLUMN IF NOT EXISTS outputs Array(Int32) COMMENT 'For each record its score, or of a record without one its prediction, as in codes; empty in rows from before outputs were sampled' AFTER codes;

ALTER TABLE drift_events
    ADD COLUMN IF NOT EXISTS prediction_contributions Map(String, Float64) COMMENT 'By how much each changed feature is expected to move the mean output: the score, without scores the prediction, of classes the share of the most frequent one; empty where the reference does not tell' AFTER contributions;
