-- A batch is sent in one go, so that nobody waits for its rows while we are far away, or stopped. What must be so for it is
-- asked on the server: an error of ours ends the transaction, and nothing that was sent after it is done. The SQLSTATEs
-- are those of `statement::message::Refusal`.

-- The fence of a batch: until its transaction ends nobody takes the lease, and nobody the segment. Where the log stands, in bytes.
CREATE FUNCTION crossfade.enter_batch(
    the_run bigint, the_epoch bigint, the_step text, the_number integer, the_block bigint, the_worker bigint
) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_paused boolean;
    is_held   boolean;
BEGIN
    SELECT r.paused_at IS NOT NULL AND (r.paused_until IS NULL OR r.paused_until > clock_timestamp()) INTO is_paused
    FROM crossfade.leases AS l JOIN crossfade.runs AS r ON r.id = l.run_id JOIN crossfade.segments AS s ON s.run_id = l.run_id
    WHERE l.run_id = the_run AND l.epoch = the_epoch AND s.step = the_step AND s.number = the_number
      AND s.next_block = the_block AND s.worker = the_worker
    FOR KEY SHARE OF l FOR NO KEY UPDATE OF s;
    is_held := FOUND;
    IF NOT is_held THEN
        SELECT r.paused_at IS NOT NULL AND (r.paused_until IS NULL OR r.paused_until > clock_timestamp()) INTO is_paused
        FROM crossfade.leases AS l JOIN crossfade.runs AS r ON r.id = l.run_id
        WHERE l.run_id = the_run AND l.epoch = the_epoch FOR KEY SHARE OF l;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'crossfade: the lease is lost' USING ERRCODE = 'CF001';
        END IF;
    END IF;
    IF is_paused THEN
        RAISE EXCEPTION 'crossfade: the run is paused' USING ERRCODE = 'CF010';
    ELSIF NOT is_held THEN
        RAISE EXCEPTION 'crossfade: the segment is not this worker''s' USING ERRCODE = 'CF011';
    END IF;
    RETURN (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint;
END $$;

-- Where the log stands after the checkpoint of a batch was moved: so many checkpoints, which is none where that could not be.
CREATE FUNCTION crossfade.moved_to(checkpoints bigint) RETURNS bigint LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF checkpoints = 0 THEN
        RAISE EXCEPTION 'crossfade: the table was rewritten' USING ERRCODE = 'CF012';
    END IF;
    RETURN (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint;
END $$;

-- Runs a batch's `statement` on a table that has rules, which take no RETURNING. The rows that it wrote. Names are looked for where
-- the batch looks for them.
CREATE FUNCTION crossfade.write_rows(statement text, from_row text, to_row text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    written bigint;
BEGIN
    EXECUTE statement USING from_row, to_row;
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN written;
END $$;

ALTER TABLE crossfade.segments
    -- How often a worker's session was lost, and the server with it perhaps, between these blocks. None once the walk is past them.
    ADD COLUMN losses integer NOT NULL DEFAULT 0 CHECK (losses >= 0),
    ADD COLUMN losses_from bigint,
    ADD COLUMN losses_to bigint,
    -- The row, as a TID, that is being tried by itself since then, and the one that was when a session was lost.
    ADD COLUMN trying text,
    ADD COLUMN lost_row text;

-- The server that somebody last took the lease on: its cluster and its timeline; NULL where that could not be known. The same
-- cluster on an older timeline is what was the primary before.
ALTER TABLE crossfade.leases ADD COLUMN system_identifier bigint, ADD COLUMN timeline integer;
