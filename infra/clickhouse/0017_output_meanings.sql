-- What predictions, labels and scores of a model version mean: decided from its reference, once for all services.

CREATE TABLE output_meanings
(
    model LowCardinality(String) COMMENT 'Name of the model',
    version String COMMENT 'Version of the model',
    task Enum8('binary' = 1, 'multiclass' = 2, 'regression' = 3) COMMENT 'What the labels are',
    positive_label String COMMENT 'binary: the class that precision, recall, f1 and the figures of scores are about; else empty',
    prediction_is Enum8('class' = 1, 'number' = 2, 'probability' = 3, 'score' = 4) COMMENT 'What the field prediction holds',
    score_is Enum8('class' = 1, 'confidence' = 2) COMMENT 'What the field score is about: the class score_of, or whatever class was predicted',
    score_of String COMMENT 'binary: the class whose probability the score (or the prediction) is; else empty',
    scores_are_probabilities UInt8 COMMENT '0: scores lie outside 0 to 1, so that they only rank the records',
    threshold Nullable(Float64) COMMENT 'Probability or score from which on score_of is predicted, where predictions are no classes',
    classes Array(String) COMMENT 'Names of the known classes, the most frequent first; empty for a regression',
    spellings Array(Array(String)) COMMENT 'The texts that were seen of each class',
    case_matters UInt8 COMMENT '1: texts that differ in case alone are different classes',
    truth_words Map(String, String) COMMENT 'Words such as yes and no, if the classes are such words, with what they have in common',
    open_labels UInt8 COMMENT '1: a label that is none of the classes is a class; 0: it is set apart',
    open_predictions UInt8 COMMENT 'The same for predictions',
    comparable UInt8 COMMENT '0: no prediction can be compared with a label, such as where their classes have nothing in common',
    evidence Array(String) COMMENT 'Why it was decided so, one sentence per decision',
    disagreement String COMMENT 'How scores, predictions and settings contradict each other; empty if they do not',
    records UInt64 COMMENT 'Labelled predictions that it was decided from: the first of the version',
    decided_from DateTime64(3, 'UTC') COMMENT 'Event time of the first of them',
    decided_until Nullable(DateTime64(3, 'UTC')) COMMENT 'Event time of the last of them; NULL while they are too few, so that later ones count as well',
    settings String COMMENT 'What the settings say, as JSON',
    meaning_key String COMMENT 'Hash of what figures depend on',
    written_at DateTime64(9, 'UTC') DEFAULT now64(9) COMMENT 'Wall clock; the last decision is valid'
)
ENGINE = ReplacingMergeTree(written_at)
ORDER BY (model, version)
COMMENT 'What predictions, labels and scores of a model version mean. Read with FINAL';

ALTER TABLE performance_windows
    ADD COLUMN IF NOT EXISTS set_apart UInt64 COMMENT 'Outcomes whose label or prediction does not fit, such as a text among numbers; not in labelled' AFTER labelled,
    ADD COLUMN IF NOT EXISTS set_apart_examples Array(String) COMMENT 'Up to three of them' AFTER set_apart,
    ADD COLUMN IF NOT EXISTS meaning_key String COMMENT 'output_meanings.meaning_key that the figures were computed with' AFTER positive_label,
    MODIFY COLUMN labelled COMMENT 'Those whose truth is known and fits',
    MODIFY COLUMN errors COMMENT 'Wrong classes; NULL if no prediction can be compared with its label';

CREATE OR REPLACE VIEW performance_over_time COMMENT 'How good was each version, per window and segment?' AS
SELECT * EXCEPT (progress, ingested_at, loss_sum, loss_square_sum, meaning_key)
FROM performance_windows FINAL
ORDER BY model, version, segment, window_start;

DROP VIEW IF EXISTS version_labels_writer;

DROP TABLE IF EXISTS version_labels;
