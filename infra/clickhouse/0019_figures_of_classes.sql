-- Further figures of quality: of each class, for rare classes, and of probabilities.

ALTER TABLE performance_windows
    ADD COLUMN IF NOT EXISTS average_precision Nullable(Float64) COMMENT 'Area under the precision-recall curve, binary' AFTER auc,
    ADD COLUMN IF NOT EXISTS calibration_error Nullable(Float64) COMMENT 'Expected calibration error of the probabilities in ten bins of equal width, binary' AFTER average_precision,
    ADD COLUMN IF NOT EXISTS balanced_accuracy Nullable(Float64) COMMENT 'Mean recall of the classes' AFTER calibration_error,
    ADD COLUMN IF NOT EXISTS mcc Nullable(Float64) COMMENT 'Matthews correlation coefficient' AFTER balanced_accuracy,
    ADD COLUMN IF NOT EXISTS classes Array(Tuple(name String, labelled UInt64, predicted UInt64, precision Nullable(Float64), recall Nullable(Float64), f1 Nullable(Float64))) COMMENT 'Figures of each class, the most frequent 100; empty for a regression' AFTER r2;

CREATE OR REPLACE VIEW performance_over_time COMMENT 'How good was each version, per window and segment?' AS
SELECT * EXCEPT (progress, ingested_at, loss_sum, loss_square_sum, meaning_key)
FROM performance_windows FINAL
ORDER BY model, version, segment, window_start;

CREATE VIEW class_quality COMMENT 'How well was each class predicted?' AS
SELECT model, version, segment, window_start, window_end, class.name AS class, class.labelled AS labelled,
       class.predicted AS predicted, class.precision AS precision, class.recall AS recall, class.f1 AS f1
FROM performance_windows FINAL
ARRAY JOIN classes AS class
ORDER BY model, version, segment, window_start, labelled DESC, class;
