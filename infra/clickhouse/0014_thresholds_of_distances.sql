-- Distances from the first reference have thresholds, too, which decide nothing.

ALTER TABLE drift_metrics
    MODIFY COLUMN metric COMMENT 'Tests against the present regime, which decide: likelihood_ratio, likelihood_ratio_trend, correlation_change, error, missing_rate, unseen_rate, wrong_type_rate, non_finite_rate, out_of_range_rate. Distances from the first reference of the version, which decide nothing: psi, jensen_shannon; of categories chi_squared, l_infinity; of numbers kolmogorov_smirnov, wasserstein (in standard deviations of the reference)',
    MODIFY COLUMN threshold COMMENT 'Of a test: where it would alarm, before correction over scales. Of a distance: what sampling alone exceeds, if records are independent, in falseAlarmsPerThousandWindows windows over all variables of its kind. Null where there is no such number',
    MODIFY COLUMN p_value COMMENT 'Of a test: of what it found, on this stream, before correction over the features. Of a distance: the probability that sampling alone exceeds it, if records are independent. Null where there is no such number';
