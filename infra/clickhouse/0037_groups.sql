-- Quality of each group, and how far groups lie apart.

CREATE OR REPLACE VIEW group_quality COMMENT 'How does each version treat each group? A group is a value of a declared segment. One row per class, per window and pooled to days, weeks and months' AS
WITH
    (hits, total) -> if(total = 0, NULL, hits / total) AS rate,
    -- Wilson's interval at 95 %.
    (hits, total) -> if(total = 0, NULL, (hits + 1.92072941034706) / (total + 3.84145882069412)) AS center,
    (hits, total) -> if(total = 0, NULL, 1.95996398454005 * sqrt(hits * (total - hits) / total + 0.960364705173531) / (total + 3.84145882069412)) AS width
SELECT model, version, period, period_start, segment_name, group, class,
       predictions, labelled, errors, mae, bias,
       of_class AS labels_of_class, selected, hits,
       rate(errors, labelled) AS error_rate, center(errors, labelled) - width(errors, labelled) AS error_rate_low, center(errors, labelled) + width(errors, labelled) AS error_rate_high,
       rate(selected, labelled) AS selection_rate, center(selected, labelled) - width(selected, labelled) AS selection_rate_low, center(selected, labelled) + width(selected, labelled) AS selection_rate_high,
       rate(hits, of_class) AS true_positive_rate, center(hits, of_class) - width(hits, of_class) AS true_positive_rate_low, center(hits, of_class) + width(hits, of_class) AS true_positive_rate_high,
       rate(selected - hits, labelled - of_class) AS false_positive_rate, center(selected - hits, labelled - of_class) - width(selected - hits, labelled - of_class) AS false_positive_rate_low, center(selected - hits, labelled - of_class) + width(selected - hits, labelled - of_class) AS false_positive_rate_high,
       rate(hits, selected) AS precision
FROM (
    SELECT * EXCEPT (classes, labels, predicted, right),
           arrayJoin(if(empty(classes), [''], classes)) AS class,
           if(class = '', NULL, labels[class]) AS of_class, if(class = '', NULL, predicted[class]) AS selected, if(class = '', NULL, right[class]) AS hits
    FROM (
        SELECT *, arraySort(groupUniqArrayArray(mapKeys(labels)) OVER (PARTITION BY model, version, period, period_start, segment_name)) AS classes
        FROM (
            SELECT model, version, p.1 AS period, p.2 AS period_start,
                   substring(segment, 1, position(segment, '=') - 1) AS segment_name, substring(segment, position(segment, '=') + 1) AS group,
                   sum(w.predictions) AS predictions, sum(w.labelled) AS labelled, sum(w.errors) AS errors,
                   if(countIf(w.mae IS NOT NULL) = 0, NULL, sum(w.mae * w.weight) / sumIf(w.weight, w.mae IS NOT NULL)) AS mae,
                   if(countIf(w.bias IS NOT NULL) = 0, NULL, sum(w.bias * w.weight) / sumIf(w.weight, w.bias IS NOT NULL)) AS bias,
                   sumMap(mapFromArrays(w.classes.name, w.classes.labelled)) AS labels,
                   sumMap(mapFromArrays(w.classes.name, w.classes.predicted)) AS predicted,
                   sumMap(mapFromArrays(w.classes.name, arrayMap(name -> w.confusion[concat(name, '→', name)], w.classes.name))) AS right
            FROM performance_windows AS w FINAL
            ARRAY JOIN [
                ('window', window_start),
                ('day', toDateTime64(toStartOfDay(window_start), 3, 'UTC')),
                ('week', toDateTime64(toMonday(window_start), 3, 'UTC')),
                ('month', toDateTime64(toStartOfMonth(window_start), 3, 'UTC'))] AS p
            WHERE segment != ''
            GROUP BY model, version, period, period_start, segment_name, group
        )
    )
)
ORDER BY model, version, period, period_start, segment_name, class, group;

CREATE OR REPLACE VIEW fairness_over_time COMMENT 'How far do the groups of a segment lie apart? Definitions of fairlearn. A group counts from 30 labelled predictions on, and in a rate from 10 of its denominator on' AS
WITH
    (low, high) -> high.2 - low.2 AS difference,
    (low, high) -> if(high.2 = 0, NULL, low.2 / high.2) AS ratio,
    -- Newcombe, Statistics in Medicine 17 (1998) 873, method 10, of the two groups that lie the furthest apart.
    (low, high) -> difference(low, high) - sqrt(pow(high.2 - high.3, 2) + pow(low.4 - low.2, 2)) AS lowest,
    (low, high) -> difference(low, high) + sqrt(pow(high.4 - high.2, 2) + pow(low.2 - low.3, 2)) AS highest
SELECT model, version, period, period_start, segment_name, class, groups, small_groups, labelled,
       if(groups < 2, NULL, difference(low_selection, high_selection)) AS demographic_parity_difference,
       if(groups < 2, NULL, lowest(low_selection, high_selection)) AS demographic_parity_difference_low,
       if(groups < 2, NULL, highest(low_selection, high_selection)) AS demographic_parity_difference_high,
       if(groups < 2, NULL, ratio(low_selection, high_selection)) AS demographic_parity_ratio,
       demographic_parity_ratio >= 0.8 AS four_fifths_rule,
       if(groups < 2, NULL, low_selection.1) AS least_selected,
       if(groups < 2, NULL, high_selection.1) AS most_selected,
       if(true_positive_groups < 2, NULL, difference(low_true_positive, high_true_positive)) AS equal_opportunity_difference,
       if(true_positive_groups < 2, NULL, lowest(low_true_positive, high_true_positive)) AS equal_opportunity_difference_low,
       if(true_positive_groups < 2, NULL, highest(low_true_positive, high_true_positive)) AS equal_opportunity_difference_high,
       if(true_positive_groups < 2, NULL, low_true_positive.1) AS least_found,
       if(false_positive_groups < 2, NULL, difference(low_false_positive, high_false_positive)) AS false_positive_rate_difference,
       if(false_positive_groups < 2, NULL, high_false_positive.1) AS most_falsely_selected,
       if(true_positive_groups < 2 OR false_positive_groups < 2, NULL, greatest(equal_opportunity_difference, false_positive_rate_difference)) AS equalized_odds_difference,
       if(true_positive_groups < 2 OR false_positive_groups < 2, NULL, least(ratio(low_true_positive, high_true_positive), ratio(low_false_positive, high_false_positive))) AS equalized_odds_ratio,
       if(groups < 2, NULL, difference(low_error, high_error)) AS error_rate_difference,
       if(groups < 2, NULL, lowest(low_error, high_error)) AS error_rate_difference_low,
       if(groups < 2, NULL, highest(low_error, high_error)) AS error_rate_difference_high,
       if(groups < 2, NULL, if(isNull(high_mae), high_error.1, worst_by_mae)) AS worst_served,
       if(groups < 2, NULL, high_mae - low_mae) AS mae_difference,
       if(groups < 2, NULL, low_mae / high_mae) AS mae_ratio,
       if(groups < 2, NULL, high_bias - low_bias) AS bias_difference
FROM (
    SELECT model, version, period, period_start, segment_name, class, sum(labelled) AS labelled,
           countIf(is_group) AS groups, arraySort(groupArrayIf(group, NOT is_group)) AS small_groups,
           argMinIf((group, selection_rate, selection_rate_low, selection_rate_high), selection_rate, is_group) AS low_selection,
           argMaxIf((group, selection_rate, selection_rate_low, selection_rate_high), selection_rate, is_group) AS high_selection,
           countIf(is_group AND labels_of_class >= 10) AS true_positive_groups,
           argMinIf((group, true_positive_rate, true_positive_rate_low, true_positive_rate_high), true_positive_rate, is_group AND labels_of_class >= 10) AS low_true_positive,
           argMaxIf((group, true_positive_rate, true_positive_rate_low, true_positive_rate_high), true_positive_rate, is_group AND labels_of_class >= 10) AS high_true_positive,
           countIf(is_group AND labelled_rows - labels_of_class >= 10) AS false_positive_groups,
           argMinIf((group, false_positive_rate, false_positive_rate_low, false_positive_rate_high), false_positive_rate, is_group AND labelled_rows - labels_of_class >= 10) AS low_false_positive,
           argMaxIf((group, false_positive_rate, false_positive_rate_low, false_positive_rate_high), false_positive_rate, is_group AND labelled_rows - labels_of_class >= 10) AS high_false_positive,
           argMinIf((group, error_rate, error_rate_low, error_rate_high), error_rate, is_group) AS low_error,
           argMaxIf((group, error_rate, error_rate_low, error_rate_high), error_rate, is_group) AS high_error,
           minIf(mae, is_group) AS low_mae, maxIf(mae, is_group) AS high_mae, argMaxIf(group, mae, is_group) AS worst_by_mae,
           minIf(bias, is_group) AS low_bias, maxIf(bias, is_group) AS high_bias
    FROM (SELECT *, labelled AS labelled_rows, labelled >= 30 AS is_group FROM group_quality)
    GROUP BY model, version, period, period_start, segment_name, class
)
ORDER BY model, version, period, period_start, segment_name, class;
