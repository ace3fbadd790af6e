-- How the functions and triggers that keep both sides in step stood when the run last made or looked at them, by the function's
-- name: what somebody changes by hand between two looks is told by it.
ALTER TABLE crossfade.runs ADD COLUMN sync_stood jsonb;

-- What somebody changed, and since when: rows that were written meanwhile may be on one side only, until all rows were compared.
ALTER TABLE crossfade.runs ADD COLUMN sync_touched jsonb;

-- A rollback that can only end the triggers, as somebody has dropped or renamed what they name: it drops no column and no table.
ALTER TABLE crossfade.runs ADD COLUMN rollback_frees boolean NOT NULL DEFAULT false;
