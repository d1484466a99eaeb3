-- Which values come together: a few whole records of each window, where window_profiles knows each feature by itself.

CREATE TABLE window_samples
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    window_start DateTime64(3, 'UTC') COMMENT 'Start of the window, inclusive',
    window_end DateTime64(3, 'UTC') COMMENT 'End of the window, exclusive',
    source_partition Int32 COMMENT 'Kafka partition that the row summarises',
    last_offset UInt64 COMMENT 'Position of the last record considered (see topic_positions); the row with the highest contains the others',
    id_hashes Array(UInt32) COMMENT 'Of the sampled records, ascending: the 64 lowest hashes of the ids of all predictions of the window',
    features Array(LowCardinality(String)) COMMENT 'Names, ascending: of each sampled record the first 12',
    codes Array(Int32) COMMENT 'For each record one number per feature: a number by its high 32 bits, in the order of numbers; a text by its hash; -2147483648 where missing or not finite',
    ingested_at DateTime DEFAULT now() COMMENT 'Retention counts from here'
)
ENGINE = ReplacingMergeTree(last_offset)
PARTITION BY toYear(window_start)
ORDER BY (model, version, window_start, window_end, source_partition)
TTL ingested_at + INTERVAL 730 DAY
COMMENT 'Sample of the records of one window of one source partition, for the dependence between features. Read with FINAL';
