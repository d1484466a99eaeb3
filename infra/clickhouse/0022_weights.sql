-- Records that count for more or less than one prediction.

ALTER TABLE predictions
    ADD COLUMN weight Float64 DEFAULT 1 COMMENT 'How much the record counts in figures of quality: its weight / its samplingRate' AFTER latency_ms;

ALTER TABLE outcomes
    ADD COLUMN weight Float64 DEFAULT 1 COMMENT 'That of the prediction' AFTER segments;

ALTER TABLE performance_windows
    ADD COLUMN weight Float64 DEFAULT labelled COMMENT 'Sum of the weights of the labelled predictions, by which all figures between errors and loss_sum are weighted; labelled if all are 1' AFTER labelled,
    MODIFY COLUMN labelled COMMENT 'Those whose truth is known and fits. A count of records without their weights, because a weight is no further evidence',
    MODIFY COLUMN errors COMMENT 'Wrong classes; NULL if no prediction can be compared with its label. A count of records without their weights',
    MODIFY COLUMN loss_sum COMMENT 'Sum of the loss per row: 0/1 for classes, absolute error for numbers. Without weights, because verdicts rest on it',
    MODIFY COLUMN loss_square_sum COMMENT 'Sum of its squares, without weights',
    MODIFY COLUMN confusion COMMENT 'Count per label→prediction without weights, most frequent 400',
    MODIFY COLUMN label_counts COMMENT 'Count per label without weights, most frequent 100; empty for regression',
    MODIFY COLUMN classes COMMENT 'Figures of each class, the most frequent 100; empty for a regression. labelled and predicted are counts without weights';

CREATE OR REPLACE VIEW performance_over_time COMMENT 'How good was each version, per window and segment?' AS
SELECT * EXCEPT (progress, ingested_at, loss_sum, loss_square_sum, meaning_key)
FROM performance_windows FINAL
ORDER BY model, version, segment, window_start;
