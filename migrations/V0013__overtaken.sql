-- Rows of the new side that the new version wrote and whose old side cannot be computed from them (a one-way change between
-- two tables): from then on the two need not agree.
CREATE TABLE crossfade.overtaken (
    run_id     bigint NOT NULL REFERENCES crossfade.runs,
    table_name text   NOT NULL,
    row_key    jsonb  NOT NULL,
    PRIMARY KEY (run_id, table_name, row_key)
);
