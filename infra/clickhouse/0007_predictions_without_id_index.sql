-- Predictions are found by id through prediction_ids: the index served nobody and cost a tenth of each insert.

ALTER TABLE predictions DROP INDEX IF EXISTS id_index;
