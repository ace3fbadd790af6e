-- What held a walk back at each of its moments, and what the time since the moment before went into: so that every
-- second of a slow backfill can be explained.
ALTER TABLE crossfade.walk_points
    ADD COLUMN delay_ms        integer NOT NULL DEFAULT 0,
    ADD COLUMN workers         integer NOT NULL DEFAULT 0,
    ADD COLUMN reasons         jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN free_seconds    double precision NOT NULL DEFAULT 0,
    ADD COLUMN slowed_seconds  double precision NOT NULL DEFAULT 0,
    ADD COLUMN stopped_seconds double precision NOT NULL DEFAULT 0,
    -- By the signal's name. Several hold at the same time.
    ADD COLUMN held_seconds    jsonb NOT NULL DEFAULT '{}';
