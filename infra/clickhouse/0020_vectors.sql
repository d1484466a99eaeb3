-- Features that are vectors, such as embeddings.

ALTER TABLE window_profiles
    ADD COLUMN vector_summary String DEFAULT '' COMMENT 'JSON, for values that are arrays of numbers: their number, those with NaN or infinities, and for each dimension the sum of the vectors (float64, base64), the sum of the squares of their norms, and a histogram of their norms. Empty where there are none' CODEC(ZSTD(1)) AFTER text_summary;

ALTER TABLE reference_profiles
    ADD COLUMN vector_summary String DEFAULT '' COMMENT 'As in window_profiles' CODEC(ZSTD(1)) AFTER text_summary;

ALTER TABLE predictions
    ADD COLUMN vector_features Map(LowCardinality(String), String) COMMENT 'Inputs that are arrays of numbers by name, as JSON, where the setting keepVectors asks for them' AFTER categorical_features;
