-- References, drift metrics, drift events and alerts.

CREATE TABLE reference_profiles
(
    reference_id String COMMENT 'Hash of the profiles',
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version that is compared with this reference',
    source Enum8('training' = 1, 'upload' = 2) COMMENT 'Published by the retrainer, or uploaded',
    window_start DateTime64(3, 'UTC') COMMENT 'Part of the reference: how much a metric varies between parts is learned',
    window_end DateTime64(3, 'UTC') COMMENT 'End of the part',
    kind Enum8('feature' = 1, 'output' = 2, 'operation' = 3) COMMENT 'As in window_profiles',
    feature LowCardinality(String) COMMENT 'Name of the feature or output',
    count UInt64 COMMENT 'As in window_profiles, like all that follow',
    missing UInt64 COMMENT 'Null values',
    non_finite UInt64 COMMENT 'NaN and infinities',
    numeric_count UInt64 COMMENT 'Finite numbers',
    minimum Nullable(Float64) COMMENT 'Smallest finite number',
    maximum Nullable(Float64) COMMENT 'Largest finite number',
    sum Float64 COMMENT 'Sum of the finite numbers',
    mantissa_bits Int8 COMMENT 'Resolution of the histogram',
    bucket_keys Array(Int32) COMMENT 'Histogram: keys',
    bucket_counts Array(UInt64) COMMENT 'Histogram: counts',
    categorical_count UInt64 COMMENT 'Text and boolean values',
    hashed UInt8 COMMENT '1: category_values are hash buckets',
    category_values Array(String) COMMENT 'Distinct values',
    category_counts Array(UInt64) COMMENT 'Their counts',
    created_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'The latest reference of a version is used'
)
ENGINE = ReplacingMergeTree
ORDER BY (model, version, reference_id, window_start, kind, feature)
COMMENT 'Profiles of the data that a version was trained on, or that was uploaded for it';

CREATE TABLE evaluated_windows
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    segment LowCardinality(String) COMMENT 'name=value, empty for all predictions',
    window_start DateTime64(3, 'UTC') COMMENT 'Start of the window, inclusive',
    window_end DateTime64(3, 'UTC') COMMENT 'End of the window, exclusive',
    revision UInt32 COMMENT '1 when first evaluated; higher when late data changed it',
    records UInt64 COMMENT 'Predictions in the window',
    status Enum8('reference' = 1, 'steady' = 2, 'drift' = 3, 'insufficient_data' = 4) COMMENT 'reference: became part of the bootstrap reference',
    reference LowCardinality(String) COMMENT 'training, upload or bootstrap',
    digest String COMMENT 'Hash of the verdict and the metrics: judging it again with the same result writes nothing',
    evaluated_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'Wall clock'
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYear(window_start)
ORDER BY (model, version, segment, window_start, window_end)
TTL toDateTime(evaluated_at) + INTERVAL 730 DAY
COMMENT 'Windows that the detector has judged. Read with FINAL';

CREATE TABLE drift_metrics
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    segment LowCardinality(String) COMMENT 'name=value, empty for all predictions',
    window_start DateTime64(3, 'UTC') COMMENT 'Start of the window, inclusive',
    window_end DateTime64(3, 'UTC') COMMENT 'End of the window, exclusive',
    kind Enum8('feature' = 1, 'output' = 2, 'operation' = 3, 'performance' = 4) COMMENT 'What was measured',
    feature LowCardinality(String) COMMENT 'Feature, output, or empty for performance',
    metric LowCardinality(String) COMMENT 'psi, jensen_shannon, kolmogorov_smirnov, wasserstein, chi_squared, missing_rate, unseen_rate, wrong_type_rate, non_finite_rate, out_of_range_rate, likelihood_ratio, error',
    value Float64 COMMENT 'The metric',
    threshold Nullable(Float64) COMMENT 'Where it would alarm; null for metrics that are only reported',
    p_value Nullable(Float64) COMMENT 'Of the test behind it, before correction over the features',
    records UInt64 COMMENT 'Records in the window behind the value',
    reference_records UInt64 COMMENT 'Records in the reference',
    reference LowCardinality(String) COMMENT 'training, upload or bootstrap',
    scale UInt8 COMMENT 'Windows pooled for the value: 1, 2, 4 or 8',
    overdispersion Nullable(Float64) COMMENT 'Variance between the reference''s own windows over that of independent records',
    revision UInt32 COMMENT 'That of the window',
    computed_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'Wall clock'
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYear(window_start)
ORDER BY (model, version, segment, window_start, window_end, kind, feature, metric)
TTL toDateTime(computed_at) + INTERVAL 730 DAY
COMMENT 'One number for one feature in one window. Read with FINAL';

CREATE TABLE drift_events
(
    id String COMMENT 'Deterministic',
    revision UInt32 COMMENT 'The highest is valid',
    status Enum8('open' = 1, 'closed' = 2, 'withdrawn' = 3) COMMENT 'withdrawn: late data showed that it was not so',
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    segment LowCardinality(String) COMMENT 'name=value, empty for all predictions',
    feature Nullable(String) COMMENT 'What changed most, where one did',
    cause LowCardinality(String) COMMENT 'data_quality, data_drift, prediction_drift, concept_drift or code_change',
    severity Enum8('warning' = 1, 'critical' = 2) COMMENT 'How much it matters',
    window_start DateTime64(3, 'UTC') COMMENT 'Window in which it was found',
    window_end DateTime64(3, 'UTC') COMMENT 'End of it',
    metric LowCardinality(String) COMMENT 'The metric that decided',
    value Float64 COMMENT 'Its value',
    threshold Float64 COMMENT 'The threshold it passed',
    p_value Nullable(Float64) COMMENT 'Of the test behind it',
    records UInt64 COMMENT 'Predictions behind the value',
    reference LowCardinality(String) COMMENT 'training, upload or bootstrap',
    contributions Map(String, Float64) COMMENT 'Share of each changed feature in the shift',
    explanation String COMMENT 'One sentence for a person',
    detected_at_event_time DateTime64(3, 'UTC') COMMENT 'End of the window that fired',
    emitted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'Wall clock'
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, version, id)
COMMENT 'Decisions that something changed, with the cause. Read with FINAL';

CREATE TABLE alerts
(
    id String COMMENT 'Deterministic',
    revision UInt32 COMMENT 'The highest is valid',
    state Enum8('opened' = 1, 'updated' = 2, 'resolved' = 3) COMMENT 'Where its life is',
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    severity Enum8('warning' = 1, 'critical' = 2) COMMENT 'The highest of its drift events',
    title String COMMENT 'One line for a pager',
    drift_event_ids Array(String) COMMENT 'drift_events.id',
    opened_at_event_time DateTime64(3, 'UTC') COMMENT 'Event time of the first',
    updated_at_event_time DateTime64(3, 'UTC') COMMENT 'Event time of the last change',
    emitted_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'Wall clock'
)
ENGINE = ReplacingMergeTree(revision)
ORDER BY (model, version, id)
COMMENT 'The operational life of drift events. Read with FINAL';
