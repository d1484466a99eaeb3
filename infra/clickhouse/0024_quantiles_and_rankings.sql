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

CREATE OR REPLACE VIEW performance_over_time COMMENT 'How good was each version, per window and segment? null_reasons says why a figure is NULL' AS
WITH
    multiIf(task = 'regression', 'task-is-regression', labelled = 0, 'all-set-apart', '') AS no_classes,
    multiIf(no_classes != '', no_classes, isNull(errors), 'not-comparable', '') AS not_compared,
    multiIf(task = 'binary', 'task-is-binary', task = 'multiclass', 'task-is-multiclass', labelled = 0, 'all-set-apart', isNull(mae), 'not-comparable', '') AS no_numbers,
    if(no_classes = '' AND task = 'multiclass', 'task-is-multiclass', no_classes) AS not_binary,
    multiIf(no_classes != '', no_classes, isNull(top_1_accuracy), 'no-ranking', 'ranking-too-short') AS no_ranking,
    if(task = 'regression' AND labelled > 0, 'no-quantiles', no_numbers) AS no_quantiles
SELECT * EXCEPT (progress, ingested_at, loss_sum, loss_square_sum, meaning_key),
       mapFilter((figure, reason) -> reason != '', map(
           'label_delay_p50_ms', if(isNull(label_delay_p50_ms), 'all-set-apart', ''),
           'label_delay_p95_ms', if(isNull(label_delay_p95_ms), 'all-set-apart', ''),
           'errors', if(isNull(errors), not_compared, ''),
           'accuracy', if(isNull(accuracy), not_compared, ''),
           'precision', if(isNull(precision), if(not_compared != '', not_compared, 'positive-class-not-predicted'), ''),
           'recall', if(isNull(recall), if(not_compared != '', not_compared, 'no-label-of-positive-class'), ''),
           'f1', if(isNull(f1), if(not_compared != '', not_compared, 'positive-class-absent'), ''),
           'log_loss', if(isNull(log_loss), if(no_classes != '', no_classes, 'no-probabilities'), ''),
           'brier', if(isNull(brier), if(no_classes != '', no_classes, 'no-probabilities'), ''),
           'auc', if(isNull(auc), if(not_binary != '', not_binary, if(length(label_counts) < 2, 'labels-of-one-class', 'no-scores-of-both-classes')), ''),
           'average_precision', if(isNull(average_precision), if(not_binary != '', not_binary, if(mapContains(label_counts, positive_label), 'no-scores-of-positive-class', 'no-label-of-positive-class')), ''),
           'calibration_error', if(isNull(calibration_error), if(no_classes != '', no_classes, 'no-probabilities'), ''),
           'balanced_accuracy', if(isNull(balanced_accuracy), not_compared, ''),
           'mcc', if(isNull(mcc), if(not_compared != '', not_compared, 'labels-or-predictions-of-one-class'), ''),
           'top_1_accuracy', if(isNull(top_1_accuracy), no_ranking, ''),
           'top_3_accuracy', if(isNull(top_3_accuracy), no_ranking, ''),
           'top_5_accuracy', if(isNull(top_5_accuracy), no_ranking, ''),
           'top_10_accuracy', if(isNull(top_10_accuracy), no_ranking, ''),
           'mean_reciprocal_rank', if(isNull(mean_reciprocal_rank), no_ranking, ''),
           'mae', if(isNull(mae), no_numbers, ''),
           'rmse', if(isNull(rmse), no_numbers, ''),
           'bias', if(isNull(bias), no_numbers, ''),
           'r2', if(isNull(r2), if(no_numbers != '', no_numbers, 'labels-are-equal'), ''),
           'pinball_loss', if(isNull(pinball_loss), no_quantiles, ''),
           'interval_coverage', if(isNull(interval_coverage), if(isNull(pinball_loss), no_quantiles, 'no-central-interval'), ''),
           'interval_level', if(isNull(interval_level), if(isNull(pinball_loss), no_quantiles, 'no-central-interval'), ''),
           'value_sum', if(isNull(value_sum), 'no-values', '')
       )) AS null_reasons
FROM performance_windows FINAL
ORDER BY model, version, segment, window_start;
