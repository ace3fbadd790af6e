-- While a freeze is in force, nothing begins in this database and backfills rest. Going back and looking stay possible. It is in force until
-- its time is over or somebody ends it; none is deleted.
CREATE TABLE crossfade.freezes (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    by        text NOT NULL,
    reason    text NOT NULL,
    placed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- NULL: until somebody ends it.
    until     timestamptz,
    ended_at  timestamptz,
    ended_by  text,
    -- Of a calendar: which of its times this is. Each is placed once, so one that somebody has ended does not come back.
    occasion  text UNIQUE,
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE INDEX freezes_open ON crossfade.freezes (until) WHERE ended_at IS NULL;
