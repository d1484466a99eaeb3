-- Drift events name the values that are new, gone or renamed.

ALTER TABLE drift_events
    ADD COLUMN IF NOT EXISTS changed_values Array(Tuple(kind Enum8('feature' = 1, 'output' = 2, 'label' = 3), name String, value String, share Float64, reference_share Float64, renamed_from Nullable(String))) COMMENT 'Values of features, outputs and labels that are new or gone, as far as their names are known, with their shares now and in the reference; renamed_from is the value that seems to have had the name before' AFTER prediction_contributions;
