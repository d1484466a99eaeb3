-- How far topics were read, and where their history is broken.

CREATE TABLE topic_positions
(
    service LowCardinality(String) COMMENT 'Service that reads',
    topic LowCardinality(String) COMMENT 'Topic, with its prefix',
    partition Int32 COMMENT 'Partition of it',
    position UInt64 COMMENT 'Of the next record: the Kafka offset, plus 2^42 for each earlier incarnation of the partition',
    topic_id String COMMENT 'Id that Kafka gave the topic; another one is another incarnation',
    end_position UInt64 COMMENT 'End of the partition when the row was written: what lay between was not read yet',
    hold String COMMENT 'Rebuild for which the service pauses here, or empty',
    updated_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'Wall clock'
)
ENGINE = ReplacingMergeTree(position)
ORDER BY (service, topic, partition)
COMMENT 'Up to where all that was read is durable. Services go on from here. Read with FINAL';

CREATE TABLE topic_breaks
(
    service LowCardinality(String) COMMENT 'Service that reads',
    topic LowCardinality(String) COMMENT 'Topic, with its prefix',
    partition Int32 COMMENT 'Partition of it',
    reason Enum8('recreated' = 1, 'truncated' = 2, 'deleted' = 3) COMMENT 'recreated: the topic was deleted and created again; truncated: Kafka came back with fewer records than were read; deleted: retention was faster than the reader',
    from_position UInt64 COMMENT 'Where reading would have gone on (see topic_positions)',
    to_position UInt64 COMMENT 'Where it went on',
    lost_records UInt64 COMMENT 'Records that were never read and are gone, at least',
    detected_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'Wall clock: windows of about this time and of the time before lack the lost records'
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, service, reason, from_position, to_position)
COMMENT 'Where the history of a topic is broken, and what that cost. Read with FINAL';

CREATE TABLE rebuild_holds
(
    id String COMMENT 'Rebuild',
    held_until DateTime64(3, 'UTC') COMMENT 'Services pause until then, or until the rebuild lets them go',
    changed_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'Wall clock'
)
ENGINE = ReplacingMergeTree(changed_at)
ORDER BY id
TTL toDateTime(changed_at) + INTERVAL 30 DAY
COMMENT 'Pauses of the services while a rebuild moves its rows into the tables. Read with FINAL';

ALTER TABLE predictions COMMENT COLUMN source_offset 'Position in it: the Kafka offset, plus 2^42 for each earlier incarnation (topic_positions)';
ALTER TABLE window_profiles COMMENT COLUMN last_offset 'Position of the last record counted (see topic_positions); the row with the highest contains the others';
ALTER TABLE stream_progress COMMENT COLUMN last_offset 'Every record of the version up to this position (see topic_positions) is in predictions and window_profiles';
ALTER TABLE feedback COMMENT COLUMN source_offset 'Position in it (see topic_positions)';
ALTER TABLE dead_letters COMMENT COLUMN source_offset 'Its position (see topic_positions)';
