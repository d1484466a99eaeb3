-- Predictions that are quantiles or ranked lists, and the reasons of figures that are NULL.

ALTER TABLE predictions
    ADD COLUMN IF NOT EXISTS quantiles Map(LowCardinality(String), Float64) COMMENT 'Predicted quantiles by their level, such as 0.1' AFTER probabilities,
    ADD COLUMN IF NOT EXISTS ranking Array(String) COMMENT 'Classes or items, the best first' AFTER quantiles;

ALTER TABLE outcomes
    ADD COLUMN IF NOT EXISTS quantiles Map(LowCardinality(String), Float64) COMMENT 'Predicted quantiles by their level' AFTER probabilities,
    ADD COLUMN IF NOT EXISTS ranking Array(String) COMMENT 'Classes or items, the best first' AFTER quantiles;

ALTER TABLE performance_windows
    ADD COLUMN IF NOT EXISTS top_1_accuracy Nullable(Float64) COMMENT 'Share of the labels that are first in the ranked list, or of more than two classes the most probable one' AFTER mcc,
    ADD COLUMN IF NOT EXISTS top_3_accuracy Nullable(Float64) COMMENT 'Share of the labels among the first 3' AFTER top_1_accuracy,
    ADD COLUMN IF NOT EXISTS top_5_accuracy Nullable(Float64) COMMENT 'Share of the labels among the first 5' AFTER top_3_accuracy,
    ADD COLUMN IF NOT EXISTS top_10_accuracy Nullable(Float64) COMMENT 'Share of the labels among the first 10' AFTER top_5_accuracy,
    ADD COLUMN IF NOT EXISTS mean_reciprocal_rank Nullable(Float64) COMMENT 'Mean of 1 / place of the label in the list, 0 where it is not there' AFTER top_10_accuracy,
    ADD COLUMN IF NOT EXISTS pinball_loss Nullable(Float64) COMMENT 'Mean pinball loss of the predicted quantiles, averaged over their levels' AFTER r2,
    ADD COLUMN IF NOT EXISTS interval_coverage Nullable(Float64) COMMENT 'Share of the labels within the widest central interval of the quantiles, such as from 0.1 to 0.9' AFTER pinball_loss,
    ADD COLUMN IF NOT EXISTS interval_level Nullable(Float64) COMMENT 'Share of the labels that should be within it, such as 0.8' AFTER interval_coverage,
    MODIFY COLUMN calibration_error COMMENT 'Expected calibration error of the probabilities in ten bins of equal width; of more than two classes that of the predicted class';

CREATE OR REPLACE VIEW performance_over_time COMMENT 'How good was each version, per window and segment?' AS
SELECT * EXCEPT (progress, ingested_at, loss_sum, loss_square_sum, meaning_key)
FROM performance_windows FINAL
ORDER BY model, version, segment, window_start;
