-- Crossfade's own tables. They live beside the tables that they are about, so that a batch of rows and the note that it
-- is done commit together. Nothing here refers to an application's object by a foreign key.

CREATE TABLE crossfade.runs (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,39}$'),
    state           text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'completed', 'rolled_back')),
    -- The plan as its author wrote it, and as it was compiled. Neither changes.
    document        text NOT NULL,
    plan            jsonb NOT NULL,
    fingerprint     text NOT NULL,
    started_by      text NOT NULL DEFAULT session_user,
    started_by_os   text NOT NULL,
    started_at      timestamptz NOT NULL DEFAULT now(),
    finished_at     timestamptz,
    paused_by       text,
    pause_reason    text,
    paused_at       timestamptz,
    paused_until    timestamptz,
    -- A phase's name, or 'start': a rollback that has begun and not ended.
    rolling_back_to text,
    CHECK ((state = 'active') = (finished_at IS NULL)),
    CHECK ((paused_at IS NULL) = (paused_by IS NULL)),
    CHECK ((paused_at IS NULL) = (pause_reason IS NULL)),
    CHECK (paused_until IS NULL OR paused_at IS NOT NULL)
);

-- A name may be used again only after the run that had it was rolled back.
CREATE UNIQUE INDEX runs_name ON crossfade.runs (name) WHERE state <> 'rolled_back';

CREATE TABLE crossfade.phases (
    run_id      bigint NOT NULL REFERENCES crossfade.runs,
    phase       text NOT NULL,
    position    integer NOT NULL,
    state       text NOT NULL DEFAULT 'pending'
                CHECK (state IN ('pending', 'running', 'failed', 'completed', 'reverting', 'reverted')),
    started_at  timestamptz,
    finished_at timestamptz,
    PRIMARY KEY (run_id, phase),
    CHECK ((state = 'completed') = (finished_at IS NOT NULL)),
    CHECK (state = 'pending' OR started_at IS NOT NULL)
);

CREATE TABLE crossfade.steps (
    run_id   bigint NOT NULL REFERENCES crossfade.runs,
    step     text NOT NULL,
    phase    text NOT NULL,
    position integer NOT NULL,
    kind     text NOT NULL,
    state    text NOT NULL DEFAULT 'pending'
             CHECK (state IN ('pending', 'running', 'failed', 'completed', 'reverting', 'reverted')),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    error    text,
    PRIMARY KEY (run_id, step),
    FOREIGN KEY (run_id, phase) REFERENCES crossfade.phases,
    CHECK (state <> 'failed' OR error IS NOT NULL)
);

-- Who drives a run. Every write of a driver carries the epoch that it took the lease with.
CREATE TABLE crossfade.leases (
    run_id        bigint PRIMARY KEY REFERENCES crossfade.runs,
    holder        text,
    backend_pid   integer,
    backend_start timestamptz,
    epoch         bigint NOT NULL DEFAULT 0,
    heartbeat     timestamptz,
    CHECK ((holder IS NULL) = (backend_pid IS NULL)),
    CHECK ((holder IS NULL) = (heartbeat IS NULL))
);

-- The columns that a run may touch, while it is active: no two runs touch the same one.
CREATE TABLE crossfade.claims (
    table_name  text NOT NULL,
    column_name text NOT NULL,
    run_id      bigint NOT NULL REFERENCES crossfade.runs,
    PRIMARY KEY (table_name, column_name)
);

-- One pass over a table by a fill or a match: what it is about and how it stands.
CREATE TABLE crossfade.walks (
    run_id       bigint NOT NULL REFERENCES crossfade.runs,
    step         text NOT NULL,
    table_name   text NOT NULL,
    relation     oid NOT NULL,
    -- pg_relation_filenode: another one means that the table was rewritten and every block address is void.
    filenode     oid NOT NULL,
    pass         integer NOT NULL DEFAULT 1 CHECK (pass >= 1),
    batch_blocks integer NOT NULL CHECK (batch_blocks >= 1),
    delay_ms     integer NOT NULL DEFAULT 0,
    reasons      jsonb NOT NULL DEFAULT '[]',
    rows_quarantined bigint NOT NULL DEFAULT 0,
    -- Rows changed by passes before this one.
    rows_before  bigint NOT NULL DEFAULT 0,
    snapshot_at  timestamptz NOT NULL DEFAULT now(),
    started_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    PRIMARY KEY (run_id, step)
);

-- A range of blocks that one worker walks. `next_block` moves in the transaction that does the rows before it.
CREATE TABLE crossfade.segments (
    run_id         bigint NOT NULL,
    step           text NOT NULL,
    number         integer NOT NULL,
    start_block    bigint NOT NULL CHECK (start_block >= 0),
    next_block     bigint NOT NULL,
    end_block      bigint NOT NULL,
    rows_read      bigint NOT NULL DEFAULT 0,
    rows_changed   bigint NOT NULL DEFAULT 0,
    rows_different bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, step, number),
    FOREIGN KEY (run_id, step) REFERENCES crossfade.walks ON DELETE CASCADE,
    CHECK (next_block BETWEEN start_block AND end_block)
);

-- Moments of a walk, for its rate and the time left. Bounded: the newest 120 of a step.
CREATE TABLE crossfade.walk_points (
    run_id       bigint NOT NULL,
    step         text NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    blocks_done  bigint NOT NULL,
    rows_changed bigint NOT NULL,
    PRIMARY KEY (run_id, step, at),
    FOREIGN KEY (run_id, step) REFERENCES crossfade.walks ON DELETE CASCADE
);

-- Rows whose value the other side cannot take. The triggers write here too, on behalf of the application's role.
CREATE TABLE crossfade.quarantine (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id      bigint NOT NULL REFERENCES crossfade.runs,
    table_name  text NOT NULL,
    column_name text NOT NULL,
    row_key     jsonb NOT NULL,
    row_values  jsonb NOT NULL,
    direction   text NOT NULL CHECK (direction IN ('forward', 'backward')),
    sqlstate    text NOT NULL,
    error       text NOT NULL,
    noted_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX quarantine_run ON crossfade.quarantine (run_id, table_name, column_name);

CREATE TABLE crossfade.verifications (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id         bigint NOT NULL REFERENCES crossfade.runs,
    step           text NOT NULL,
    snapshot_at    timestamptz NOT NULL,
    finished_at    timestamptz NOT NULL DEFAULT now(),
    rows_checked   bigint NOT NULL,
    rows_different bigint NOT NULL,
    rows_repaired  bigint NOT NULL DEFAULT 0,
    -- The first ten differing rows, by key; their values only where the plan allows.
    examples       jsonb NOT NULL DEFAULT '[]'
);
CREATE INDEX verifications_run ON crossfade.verifications (run_id, step, id);

CREATE TABLE crossfade.approvals (
    run_id      bigint NOT NULL REFERENCES crossfade.runs,
    phase       text NOT NULL,
    role        text NOT NULL DEFAULT session_user,
    os_user     text NOT NULL,
    comment     text,
    approved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, phase, role)
);

-- Where the write counters stood when somebody looked: equal values prove that nothing was written in between.
CREATE TABLE crossfade.write_sightings (
    run_id        bigint NOT NULL REFERENCES crossfade.runs,
    side          text NOT NULL CHECK (side IN ('old', 'new')),
    total         bigint NOT NULL,
    first_seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, side)
);

-- What happened, append-only, each event sealed with the hash of the one before.
CREATE TABLE crossfade.events (
    run_id  bigint NOT NULL REFERENCES crossfade.runs,
    number  bigint NOT NULL,
    at      text NOT NULL,
    role    text NOT NULL,
    os_user text NOT NULL,
    kind    text NOT NULL,
    detail  text NOT NULL,
    hash    text NOT NULL,
    PRIMARY KEY (run_id, number)
);

CREATE FUNCTION crossfade.events_are_append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'crossfade.events is append-only' USING ERRCODE = 'insufficient_privilege';
END;
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON crossfade.events
    FOR EACH ROW EXECUTE FUNCTION crossfade.events_are_append_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON crossfade.events
    FOR EACH STATEMENT EXECUTE FUNCTION crossfade.events_are_append_only();

-- The one way to write an event. The lock on the run's row keeps the chain a chain.
CREATE FUNCTION crossfade.record(of_run bigint, event_kind text, by_os_user text, event_detail text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last crossfade.events;
    next_number bigint;
    stamp text := to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
BEGIN
    PERFORM 1 FROM crossfade.runs AS r WHERE r.id = of_run FOR NO KEY UPDATE;
    SELECT * INTO last FROM crossfade.events AS e WHERE e.run_id = of_run ORDER BY e.number DESC LIMIT 1;
    next_number := coalesce(last.number, 0) + 1;
    INSERT INTO crossfade.events (run_id, number, at, role, os_user, kind, detail, hash)
    VALUES (of_run, next_number, stamp, session_user, by_os_user, event_kind, event_detail,
            encode(sha256(convert_to(concat_ws(E'\n', coalesce(last.hash, ''), of_run::text, next_number::text, stamp,
                session_user::text, by_os_user, event_kind, event_detail), 'UTF8')), 'hex'));
    RETURN next_number;
END;
$$;

REVOKE EXECUTE ON FUNCTION crossfade.record(bigint, text, text, text) FROM PUBLIC;

-- An approval speaks for the role that the session logged in as, whoever owns this schema: an approver needs no right to
-- write to these tables, and cannot approve in another's name.
CREATE FUNCTION crossfade.approve(of_run bigint, of_phase text, by_os_user text, with_comment text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM 1 FROM crossfade.phases AS p WHERE p.run_id = of_run AND p.phase = of_phase;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the run has no phase %', of_phase USING ERRCODE = 'no_data_found';
    END IF;
    INSERT INTO crossfade.approvals (run_id, phase, role, os_user, comment)
    VALUES (of_run, of_phase, session_user, by_os_user, with_comment)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM crossfade.record(of_run, 'approved', by_os_user,
        jsonb_build_object('phase', of_phase, 'comment', with_comment)::text);
    RETURN true;
END;
$$;
