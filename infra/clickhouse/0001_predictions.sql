-- Raw predictions, and what the profiler knows of them. Every row is a pure function of a prefix of one source partition.

CREATE TABLE predictions
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    id String COMMENT 'Id of the prediction, unique within the model',
    event_time DateTime64(3, 'UTC') COMMENT 'When the prediction was made',
    numeric_features Map(LowCardinality(String), Float64) COMMENT 'Numeric inputs by name; a missing one is absent',
    categorical_features Map(LowCardinality(String), String) COMMENT 'Text and boolean inputs by name; a missing one is absent',
    prediction String COMMENT 'The output as text: the class, or the number',
    prediction_value Nullable(Float64) COMMENT 'The output, where it is a number',
    score Nullable(Float64) COMMENT 'Probability of the positive class, binary models',
    probabilities Map(LowCardinality(String), Float64) COMMENT 'Probability per class',
    segments Map(LowCardinality(String), String) COMMENT 'Groups the prediction belongs to',
    code_version LowCardinality(String) COMMENT 'Version of the serving code, empty if not logged',
    latency_ms Nullable(Float64) COMMENT 'Time the model took',
    source_partition Int32 COMMENT 'Kafka partition of predictions',
    source_offset UInt64 COMMENT 'Kafka offset in it',
    precedence UInt64 DEFAULT bitNot(source_offset) COMMENT 'Of two rows with the same key the first offset stays',
    ingested_at DateTime DEFAULT now() COMMENT 'Retention counts from here',
    INDEX id_index id TYPE bloom_filter(0.001) GRANULARITY 1
)
ENGINE = ReplacingMergeTree(precedence)
PARTITION BY toYear(event_time)
ORDER BY (model, version, event_time, id)
TTL ingested_at + INTERVAL 180 DAY
SETTINGS index_granularity = 1024
COMMENT 'One row per prediction. Read with FINAL: a retry may be stored twice until parts merge';

CREATE TABLE window_profiles
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    segment LowCardinality(String) COMMENT 'name=value, empty for all predictions',
    window_start DateTime64(3, 'UTC') COMMENT 'Start of the window, inclusive',
    window_end DateTime64(3, 'UTC') COMMENT 'End of the window, exclusive',
    kind Enum8('feature' = 1, 'output' = 2, 'operation' = 3) COMMENT 'feature: an input; output: prediction, score; operation: latencyMs, codeVersion',
    feature LowCardinality(String) COMMENT 'Name of the feature or output',
    source_partition Int32 COMMENT 'Kafka partition that the row summarises',
    last_offset UInt64 COMMENT 'Offset of the last record counted; the row with the highest contains the others',
    count UInt64 COMMENT 'Records that carried the feature, missing values included',
    missing UInt64 COMMENT 'Null values',
    non_finite UInt64 COMMENT 'NaN and infinities',
    numeric_count UInt64 COMMENT 'Finite numbers',
    minimum Nullable(Float64) COMMENT 'Smallest finite number',
    maximum Nullable(Float64) COMMENT 'Largest finite number',
    sum Float64 COMMENT 'Sum of the finite numbers',
    mantissa_bits Int8 COMMENT 'Resolution of the histogram: mantissa bits in a bucket key',
    bucket_keys Array(Int32) COMMENT 'Histogram: keys in ascending order of value',
    bucket_counts Array(UInt64) COMMENT 'Histogram: counts',
    categorical_count UInt64 COMMENT 'Text and boolean values',
    hashed UInt8 COMMENT '1 when there were too many values: category_values are hash buckets',
    category_values Array(String) COMMENT 'Distinct values',
    category_counts Array(UInt64) COMMENT 'Their counts',
    ingested_at DateTime DEFAULT now() COMMENT 'Retention counts from here'
)
ENGINE = ReplacingMergeTree(last_offset)
PARTITION BY toYear(window_start)
ORDER BY (model, version, segment, window_start, window_end, kind, feature, source_partition)
TTL ingested_at + INTERVAL 730 DAY
COMMENT 'Cumulative profile of one feature in one window of one source partition. Read with FINAL';

CREATE TABLE stream_progress
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    source_partition Int32 COMMENT 'Kafka partition of predictions',
    last_offset UInt64 COMMENT 'Every record of the version up to here is in predictions and window_profiles',
    first_event_time DateTime64(3, 'UTC') COMMENT 'Lowest event time seen',
    max_event_time DateTime64(3, 'UTC') COMMENT 'Highest event time seen: the clock of the version in this partition',
    deduplicated_from DateTime64(3, 'UTC') COMMENT 'Repeated ids are recognised in windows from here on',
    predictions UInt64 COMMENT 'Counted once each',
    duplicates UInt64 COMMENT 'Repeated ids, not counted again',
    late UInt64 COMMENT 'Arrived after the watermark had passed the end of their window; counted',
    too_late UInt64 COMMENT 'Arrived after the horizon; in dead-letters, not counted',
    ingested_at DateTime DEFAULT now() COMMENT 'Retention counts from here'
)
ENGINE = ReplacingMergeTree(last_offset)
ORDER BY (model, version, source_partition)
TTL ingested_at + INTERVAL 730 DAY
COMMENT 'How far each model version has been read in each partition of predictions. Read with FINAL';

CREATE TABLE dead_letters
(
    source_topic LowCardinality(String) COMMENT 'Topic of the record',
    source_partition Int32 COMMENT 'Its partition',
    source_offset UInt64 COMMENT 'Its offset',
    service LowCardinality(String) COMMENT 'Service that could not use it',
    class LowCardinality(String) COMMENT 'Kind of error, such as malformed-json, too-late',
    message String COMMENT 'What was wrong: field, value, what was expected',
    model String COMMENT 'Model, where it could be read',
    version String COMMENT 'Version, where it could be read',
    ingested_at DateTime DEFAULT now() COMMENT 'Retention counts from here'
)
ENGINE = ReplacingMergeTree
ORDER BY (source_topic, source_partition, source_offset)
TTL ingested_at + INTERVAL 90 DAY
COMMENT 'Index of the topic dead-letters, which holds the records themselves';
