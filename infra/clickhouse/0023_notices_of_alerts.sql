-- An alert says what is odd in how the version is logged, because that may be its reason.

ALTER TABLE alerts
    ADD COLUMN notice Nullable(String) COMMENT 'What is odd in how the version was logged when the revision was published: its first open notice, and how many more there were' AFTER title;
