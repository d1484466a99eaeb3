-- Where the detector's folds stand, so that a version is taken up again without reading its history.

CREATE TABLE fold_ledgers
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    window_size_ms Int64 COMMENT 'Size of the windows that were folded',
    announced_at DateTime64(3, 'UTC') COMMENT 'Highest time of the announcements in windows that were taken for the version',
    announced_offset UInt64 COMMENT 'Offset of the last of them: every listed checkpoint holds what was announced up to here',
    algorithm String COMMENT 'Hash of the code that folded',
    reference_id String COMMENT 'reference_profiles.reference_id that the fold began with, empty for none',
    checkpoint_starts Array(DateTime64(3, 'UTC')) COMMENT 'Checkpoints that may be used, oldest first: start of the last window in each',
    checkpoint_ordinals Array(UInt64) COMMENT 'Windows folded up to each',
    checkpoint_slots Array(UInt8) COMMENT 'fold_states.slot of each',
    checkpoint_digests Array(String) COMMENT 'SHA-256 of the state of each',
    settings_from Array(DateTime64(3, 'UTC')) COMMENT 'Start of the first window that was judged with the detection settings …',
    settings Array(String) COMMENT '… as JSON',
    precedence UInt128 DEFAULT bitShiftLeft(toUInt128(toUnixTimestamp64Milli(announced_at)), 64) + announced_offset COMMENT 'The row that has heard most wins; the time comes first because a topic that is created again counts its offsets anew',
    written_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'Retention counts from here'
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (model, version)
TTL toDateTime(written_at) + INTERVAL 730 DAY
COMMENT 'Which checkpoints of a version hold all that has been announced (internal to the detector). Read with FINAL';

CREATE TABLE fold_states
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version LowCardinality(String) COMMENT 'Version of the model',
    slot UInt8 COMMENT 'Place of a checkpoint; used again when the ledger no longer lists it, so that a version has few rows',
    state String COMMENT 'The folds of all segments after a window: V8 structured clone, zstd, base64' CODEC(ZSTD(1)),
    written_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'Retention counts from here'
)
ENGINE = ReplacingMergeTree
ORDER BY (model, version, slot)
TTL toDateTime(written_at) + INTERVAL 730 DAY
SETTINGS index_granularity = 8
COMMENT 'Checkpoints of the detector (internal to it). What the ledger does not name by its digest is worth nothing. Read with FINAL';
