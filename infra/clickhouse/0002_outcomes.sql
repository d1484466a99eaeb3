-- Feedback, outcomes (predictions joined with their feedback) and quality per window.

CREATE TABLE feedback
(
    id String COMMENT 'Id of the prediction',
    model LowCardinality(String) COMMENT 'Model, empty if the producer did not say',
    label String COMMENT 'The true class or number as text',
    label_value Nullable(Float64) COMMENT 'The label, where it is a number',
    value Nullable(Float64) COMMENT 'What the outcome was worth to the business',
    observed_at DateTime64(3, 'UTC') COMMENT 'When the label was observed; the later wins',
    source_partition Int32 COMMENT 'Kafka partition of feedback',
    source_offset UInt64 COMMENT 'Kafka offset in it',
    precedence UInt64 DEFAULT bitShiftLeft(toUInt64(toUnixTimestamp64Milli(observed_at)), 20) + source_offset % 1048576 COMMENT 'observed_at, then the offset: the higher wins',
    ingested_at DateTime DEFAULT now() COMMENT 'Retention counts from here'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (id, model)
TTL ingested_at + INTERVAL 180 DAY
SETTINGS index_granularity = 1024
COMMENT 'The latest feedback per prediction id. Read with FINAL';

CREATE TABLE outcomes
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    id String COMMENT 'Id of the prediction',
    event_time DateTime64(3, 'UTC') COMMENT 'When the prediction was made',
    prediction String COMMENT 'The output as text',
    prediction_value Nullable(Float64) COMMENT 'The output, where it is a number',
    score Nullable(Float64) COMMENT 'Probability of the positive class',
    probabilities Map(LowCardinality(String), Float64) COMMENT 'Probability per class',
    segments Map(LowCardinality(String), String) COMMENT 'Groups the prediction belongs to',
    label String COMMENT 'The true class or number as text',
    label_value Nullable(Float64) COMMENT 'The label, where it is a number',
    value Nullable(Float64) COMMENT 'What the outcome was worth',
    observed_at DateTime64(3, 'UTC') COMMENT 'When the label was observed',
    precedence UInt64 COMMENT 'That of the feedback: a correction replaces the row',
    ingested_at DateTime DEFAULT now() COMMENT 'Retention counts from here'
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYear(event_time)
ORDER BY (model, version, event_time, id)
TTL ingested_at + INTERVAL 180 DAY
COMMENT 'One row per prediction whose truth is known. Read with FINAL';

CREATE TABLE performance_windows
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    segment LowCardinality(String) COMMENT 'name=value, empty for all predictions',
    window_start DateTime64(3, 'UTC') COMMENT 'Start of the window, inclusive',
    window_end DateTime64(3, 'UTC') COMMENT 'End of the window, exclusive',
    task Enum8('binary' = 1, 'multiclass' = 2, 'regression' = 3) COMMENT 'What the labels are',
    predictions UInt64 COMMENT 'Predictions of the window',
    labelled UInt64 COMMENT 'Those whose truth is known',
    coverage Float64 COMMENT 'labelled / predictions',
    label_delay_p50_ms Nullable(Float64) COMMENT 'Median of observed_at - event_time',
    label_delay_p95_ms Nullable(Float64) COMMENT '95th percentile of it',
    errors Nullable(UInt64) COMMENT 'Wrong classes',
    accuracy Nullable(Float64) COMMENT 'Share of right classes',
    precision Nullable(Float64) COMMENT 'Positive class, or mean over the classes (macro)',
    recall Nullable(Float64) COMMENT 'Positive class, or macro',
    f1 Nullable(Float64) COMMENT 'Positive class, or macro',
    log_loss Nullable(Float64) COMMENT 'Natural logarithm, probabilities clipped at 1e-15',
    brier Nullable(Float64) COMMENT 'Brier score',
    auc Nullable(Float64) COMMENT 'Area under the ROC curve, binary',
    mae Nullable(Float64) COMMENT 'Mean absolute error',
    rmse Nullable(Float64) COMMENT 'Root of the mean squared error',
    bias Nullable(Float64) COMMENT 'Mean of prediction - label',
    r2 Nullable(Float64) COMMENT 'Coefficient of determination',
    loss_sum Float64 COMMENT 'Sum of the loss per row: 0/1 for classes, absolute error for numbers',
    loss_square_sum Float64 COMMENT 'Sum of its squares',
    value_sum Nullable(Float64) COMMENT 'What the outcomes were worth',
    confusion Map(String, UInt64) COMMENT 'Count per label→prediction, most frequent 400',
    label_counts Map(String, UInt64) COMMENT 'Count per label, most frequent 100; empty for regression',
    progress UInt64 COMMENT 'Grows with every label, correction and prediction: the higher row contains the others',
    ingested_at DateTime DEFAULT now() COMMENT 'Retention counts from here'
)
ENGINE = ReplacingMergeTree(progress)
PARTITION BY toYear(window_start)
ORDER BY (model, version, segment, window_start, window_end)
TTL ingested_at + INTERVAL 730 DAY
COMMENT 'Quality of a model version per window, recomputed when labels come. Read with FINAL';
