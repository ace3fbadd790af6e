-- What somebody wants done with a run, for a `crossfade serve` to do. An order is carried out under the run's lease. It stays open
-- until it is done, stopped by what has to be decided by people, failed, or cancelled. A run has one open order at a time.
CREATE TABLE crossfade.orders (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id    bigint NOT NULL REFERENCES crossfade.runs,
    action    text NOT NULL CHECK (action IN ('advance', 'rollback', 'verify', 'repair')),
    -- `advance`: the last phase to run. `rollback`: the last phase that stays, or none.
    phase     text CHECK (phase IN ('expand', 'dual_write', 'backfill', 'verify', 'enforce', 'switch_reads', 'retire', 'contract', 'sql')),
    -- Closed gates are waited for. Otherwise one stops the order.
    waits     boolean NOT NULL DEFAULT false,
    -- `rollback`: the columns and tables whose values may go.
    discards  text[] NOT NULL DEFAULT '{}' CHECK (CASE coalesce(array_ndims(discards), 1) WHEN 1 THEN array_position(discards, NULL) IS NULL ELSE false END),
    -- The role that the session logged in as, and the one whose rights it had at that moment: code of others that runs in a session
    -- places orders too.
    role      text NOT NULL,
    role_oid  oid NOT NULL,
    acting_oid oid NOT NULL,
    os_user   text NOT NULL CHECK (length(os_user) <= 300 AND os_user COLLATE "C" !~ '[\x01-\x1f\x7f]'),
    placed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state     text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'stopped', 'failed', 'cancelled')),
    -- Who carries it out, or did so last.
    taken_by  text,
    taken_at  timestamptz,
    ended_at  timestamptz,
    -- Why it stopped or failed.
    outcome   text,
    CHECK ((state = 'open') = (ended_at IS NULL)),
    CHECK ((taken_by IS NULL) = (taken_at IS NULL)),
    CHECK (action <> 'advance' OR phase IS NOT NULL)
);
CREATE UNIQUE INDEX one_open_order ON crossfade.orders (run_id) WHERE state = 'open';

-- The programs that carry out orders, or did. One whose heartbeat is old is gone.
CREATE TABLE crossfade.servers (
    holder     text PRIMARY KEY,
    role       text NOT NULL DEFAULT session_user,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    heartbeat  timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- It ended by itself.
    ended_at   timestamptz
);

-- An order is placed by the role that is connected, and begins open. A server acts for that role: it refuses what the role may not.
CREATE FUNCTION crossfade.ordered_by_itself() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    new.role := session_user;
    new.role_oid := session_user::regrole;
    new.acting_oid := current_user::regrole;
    new.placed_at := clock_timestamp();
    new.state := 'open';
    new.taken_by := NULL;
    new.taken_at := NULL;
    new.ended_at := NULL;
    new.outcome := NULL;
    RETURN new;
END;
$$;
REVOKE ALL ON FUNCTION crossfade.ordered_by_itself() FROM PUBLIC;

CREATE TRIGGER ordered_by_itself BEFORE INSERT ON crossfade.orders
    FOR EACH ROW EXECUTE FUNCTION crossfade.ordered_by_itself();
CREATE TRIGGER never_changes BEFORE UPDATE OF id, run_id, action, phase, waits, discards, role, role_oid, acting_oid, os_user, placed_at
    ON crossfade.orders FOR EACH ROW EXECUTE FUNCTION crossfade.never_changes();
-- What has ended does not open again.
CREATE TRIGGER never_reopened BEFORE UPDATE ON crossfade.orders
    FOR EACH ROW WHEN (old.state <> 'open') EXECUTE FUNCTION crossfade.never_changes();
CREATE TRIGGER never_deleted BEFORE DELETE ON crossfade.orders
    FOR EACH ROW EXECUTE FUNCTION crossfade.never_changes();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON crossfade.orders
    FOR EACH STATEMENT EXECUTE FUNCTION crossfade.never_changes();
ALTER TABLE crossfade.orders ENABLE ALWAYS TRIGGER ordered_by_itself, ENABLE ALWAYS TRIGGER never_changes,
    ENABLE ALWAYS TRIGGER never_reopened, ENABLE ALWAYS TRIGGER never_deleted, ENABLE ALWAYS TRIGGER no_truncate;
