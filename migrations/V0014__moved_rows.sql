-- Rows that Crossfade's own statements have rewritten, and so moved, without any run's triggers seeing it: those of walks
-- that are gone, and of single rows. `crossfade.segments` has the others.
CREATE TABLE crossfade.moved_rows (
    run_id   bigint NOT NULL REFERENCES crossfade.runs,
    -- The table that has the rows: a partition where there are any.
    relation oid    NOT NULL,
    rows     bigint NOT NULL,
    PRIMARY KEY (run_id, relation)
);

-- What other runs had moved when the pass began: if it is more when it ends, rows may have been moved out of its way.
ALTER TABLE crossfade.walks ADD COLUMN moved_before bigint NOT NULL DEFAULT 0;
