-- What the texts of a feature say, which the hash buckets of many categories do not show.

ALTER TABLE window_profiles
    ADD COLUMN text_summary String DEFAULT '' COMMENT 'JSON beside hash buckets: histograms of the numbers, of the times (seconds since the epoch) and of the lengths of the texts, the number of sentences, and the lowest hashes, which tell how many texts differ. Empty while category_values are exact, and in rows of version 0.1' CODEC(ZSTD(1)) AFTER category_counts;

ALTER TABLE reference_profiles
    ADD COLUMN text_summary String DEFAULT '' COMMENT 'As in window_profiles' CODEC(ZSTD(1)) AFTER category_counts;
