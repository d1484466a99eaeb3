-- What the texts of a feature say, which the hash buckets of many categories do not show.

ALTER TABLE window_profiles
    ADD COLUMN text_summary String DEFAULT '' COMMENT 'JSON beside hash buckets: histograms of the numbers, of the times (seconds since the epoch) and of the lengths of the texts, the number of sentences, and the lowest hashes, which tell how many texts differ. Empty while category_values are exact, and in rows of version 0.1' CODEC(ZSTD(1)) AFTER category_counts;

ALTER TABLE reference_profiles
    ADD COLUMN text_summary String DEFAULT '' COMMENT 'As in window_profiles' CODEC(ZSTD(1)) AFTER category_counts;

CREATE TABLE feature_kinds
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    feature LowCardinality(String) COMMENT 'Name of the feature',
    kind LowCardinality(String) COMMENT 'numeric, categorical, numeric-text, free-text, time, counter, identifier, calendar or steps; it says what of the feature is compared',
    declared UInt8 COMMENT '1: named by the settings; 0: found in the reference',
    since DateTime64(3, 'UTC') COMMENT 'Event time from which the reference was taken',
    evidence String COMMENT 'The numbers behind it, with an example',
    windows UInt64 COMMENT 'Windows that were folded up to here; the row with the most is valid',
    written_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'Wall clock'
)
ENGINE = ReplacingMergeTree(windows)
ORDER BY (model, version, feature)
COMMENT 'What each feature of a model version is, by its present reference. Read with FINAL';
