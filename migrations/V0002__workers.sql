-- Several workers share a walk, in one process or in several: each claims a segment.

CREATE TABLE crossfade.workers (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id        bigint NOT NULL REFERENCES crossfade.runs,
    -- Who runs it, as in crossfade.leases.
    holder        text NOT NULL,
    backend_pid   integer NOT NULL,
    backend_start timestamptz,
    heartbeat     timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- A claim is worth as much as its worker: it ends with the worker's session, or when its heartbeat is old.
ALTER TABLE crossfade.segments
    -- The table that the blocks are of: the walk's, or a partition of it.
    ADD COLUMN relation oid,
    -- pg_relation_filenode: another one means that the table was rewritten and every block address is void.
    ADD COLUMN filenode oid,
    ADD COLUMN worker bigint REFERENCES crossfade.workers ON DELETE SET NULL,
    -- Blocks whose rows somebody else had locked for long: the next pass comes back to them.
    ADD COLUMN blocks_skipped bigint NOT NULL DEFAULT 0 CHECK (blocks_skipped >= 0),
    -- The first rows of the segment that differ, by key; their values only where the plan allows.
    ADD COLUMN examples jsonb NOT NULL DEFAULT '[]';
UPDATE crossfade.segments AS s SET relation = w.relation, filenode = w.filenode FROM crossfade.walks AS w
    WHERE w.run_id = s.run_id AND w.step = s.step;
ALTER TABLE crossfade.segments ALTER COLUMN relation SET NOT NULL, ALTER COLUMN filenode SET NOT NULL;
ALTER TABLE crossfade.walks DROP COLUMN filenode;
CREATE INDEX segments_worker ON crossfade.segments (worker) WHERE worker IS NOT NULL;

ALTER TABLE crossfade.walks
    -- The side that a verification makes differing rows agree with; NULL where it only looks.
    ADD COLUMN repair text CHECK (repair IN ('old', 'new')),
    -- How many workers the pace allows at the moment.
    ADD COLUMN workers integer NOT NULL DEFAULT 1 CHECK (workers >= 0),
    -- Rows and dead rows are vacuumed away as the walk goes.
    ADD COLUMN vacuums integer NOT NULL DEFAULT 0,
    ADD COLUMN vacuum_seconds double precision NOT NULL DEFAULT 0,
    -- The table's size in blocks when the first pass began.
    ADD COLUMN blocks_before bigint NOT NULL DEFAULT 0;

-- Limits changed while a run goes on, by key: they outweigh the plan's until they expire or are taken back.
CREATE TABLE crossfade.tunings (
    run_id     bigint NOT NULL REFERENCES crossfade.runs,
    key        text NOT NULL,
    value      text NOT NULL,
    reason     text NOT NULL,
    role       text NOT NULL DEFAULT session_user,
    os_user    text NOT NULL,
    set_at     timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    PRIMARY KEY (run_id, key)
);
