-- Format 8: of a rejected row also what its source calls it and what in the script asked for it; of a run also the rows beside the written,
-- unchanged and rejected ones, so that the sum holds.

ALTER TABLE row_errors ADD COLUMN source TEXT;
ALTER TABLE row_errors ADD COLUMN place TEXT;

ALTER TABLE runs ADD COLUMN rows_unmatched INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN rows_left_out INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN rows_filtered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN rows_grouped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN rows_again INTEGER NOT NULL DEFAULT 0;
