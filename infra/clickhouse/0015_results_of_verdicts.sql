-- Rows of drift_metrics are the results that the verdict used, at the scale that decided; each drift event names its row.

ALTER TABLE drift_metrics
    ADD COLUMN family LowCardinality(String) COMMENT 'Family of tests that decides by this metric: data_quality, features, dependence, output_quality, error, labels or predictions. Empty for a distance from the first reference, which decides nothing, and in rows of version 0.1' AFTER window_end,
    ADD COLUMN reference_value Nullable(Float64) COMMENT 'The same metric in the reference, where it has one' AFTER value,
    ADD COLUMN level Nullable(Float64) COMMENT 'For a test: the p-value that it needed, with all corrections for the number of tests' AFTER p_value,
    ADD COLUMN cycle LowCardinality(String) COMMENT 'day or week: compared with the same times of earlier days or weeks. Empty: compared with all earlier windows of the reference' AFTER reference,
    ADD COLUMN noise_weight Nullable(Float32) COMMENT 'For a test: probability that its statistic varies as sampling noise does on this stream' AFTER overdispersion,
    ADD COLUMN reason LowCardinality(String) COMMENT 'Why a value over its threshold belongs to no drift event; empty where it does, and where the value is not over its threshold' AFTER noise_weight,
    MODIFY COLUMN metric COMMENT 'Tests against the present regime, which decide: likelihood_ratio, likelihood_ratio_trend, correlation_change, error, missing_rate, unseen_rate, wrong_type_rate, non_finite_rate, out_of_range_rate, constant_records (only where all values of a window are the same). Distances from the first reference of the version, which decide nothing: psi, jensen_shannon; for categories chi_squared, l_infinity; for numbers kolmogorov_smirnov, wasserstein (in standard deviations of the reference)',
    MODIFY COLUMN threshold COMMENT 'For a test: the value at which it says "changed", with all corrections for the number of tests. For a distance: what sampling alone exceeds, if records are independent, in falseAlarmsPerThousandWindows windows over all variables of its kind. Null where there is no such number',
    MODIFY COLUMN p_value COMMENT 'For a test: how unusual the value is on this stream, before any correction for the number of tests. For a distance: the probability that sampling alone exceeds it, if records are independent. Null where there is no such number',
    MODIFY COLUMN scale COMMENT 'Number of judged windows that were pooled for the value: 1, 2, 4 or 8. The scale that decided, or else the one with the smallest p-value';

ALTER TABLE drift_events
    ADD COLUMN scale Nullable(UInt8) COMMENT 'Number of judged windows that were pooled for the value: 1, 2, 4 or 8. Null in events of version 0.1' AFTER records,
    ADD COLUMN evidence_window_start Nullable(DateTime64(3, 'UTC')) COMMENT 'Start of the window whose row of drift_metrics has this metric, value, threshold and scale. It is later than window_start when later windows said more. Null in events of version 0.1' AFTER scale,
    MODIFY COLUMN explanation COMMENT 'What changed, by how much, since when, and what to do, for a person; the numbers follow';
