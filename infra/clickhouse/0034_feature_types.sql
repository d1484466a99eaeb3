-- What each feature of a dataset is, so that a registry can be told the signature of its models.

ALTER TABLE datasets
    ADD COLUMN IF NOT EXISTS feature_types Map(String, String) COMMENT 'number or text, by feature; empty in rows of Driftloop 0.1' AFTER features;
