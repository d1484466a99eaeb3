-- Verdicts pool whole days and weeks of windows, and ask further questions.

ALTER TABLE drift_metrics
    MODIFY COLUMN scale UInt32 COMMENT 'Number of windows that were pooled for the value: 1, 2, 4 or 8, or those of as many days or weeks. The scale that decided, or else the one that came nearest to its level',
    MODIFY COLUMN feature COMMENT 'Feature or output; the class for false_negative_rate and false_discovery_rate; empty for other figures of performance',
    MODIFY COLUMN family COMMENT 'Family of tests that decides by this metric: data_quality, features, vectors, dependence, output_quality, label_quality, model, error, class_error, labels or predictions. Empty for a distance from the first reference, which decides nothing, and in rows of version 0.1';

ALTER TABLE drift_events
    MODIFY COLUMN scale Nullable(UInt32) COMMENT 'Number of windows that were pooled for the value: 1, 2, 4 or 8, or those of as many days or weeks. Null in events of version 0.1';
