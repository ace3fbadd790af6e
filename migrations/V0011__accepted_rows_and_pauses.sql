-- Rows in quarantine that somebody has accepted as they are: they hold no gate, and verification tells them apart.
ALTER TABLE crossfade.quarantine
    ADD COLUMN accepted_by text,
    ADD COLUMN accepted_at timestamptz,
    ADD COLUMN accepted_reason text,
    ADD CHECK ((accepted_at IS NULL) = (accepted_by IS NULL)),
    ADD CHECK ((accepted_at IS NULL) = (accepted_reason IS NULL));

-- What verification asks for each value: is this row, with these values, accepted?
CREATE INDEX quarantine_accepted ON crossfade.quarantine (table_name, column_name) WHERE accepted_at IS NOT NULL;

ALTER TABLE crossfade.verifications ADD COLUMN rows_accepted bigint NOT NULL DEFAULT 0;

-- A pause of all runs at once is ended by ending that of all, which leaves the others' own pauses alone.
ALTER TABLE crossfade.runs
    ADD COLUMN paused_with_all boolean NOT NULL DEFAULT false,
    ADD CHECK (NOT paused_with_all OR paused_at IS NOT NULL);
