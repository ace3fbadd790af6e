-- What may be believed: how many events a run has and the hash of the last one stand in the run's row, written with each
-- event, so that a history whose end was cut off is told from a whole one. Events and approvals come into their tables
-- through crossfade.record and crossfade.approve only, whatever else a role was granted, and nobody changes which plan a
-- run is of, or who started it.

ALTER TABLE crossfade.runs
    ADD COLUMN event_count bigint NOT NULL DEFAULT 0 CHECK (event_count >= 0),
    ADD COLUMN event_head  text   NOT NULL DEFAULT '',
    -- So many events were there when count and head began to be kept: for what was removed before, nothing speaks.
    ADD COLUMN events_before_head bigint NOT NULL DEFAULT 0;
UPDATE crossfade.runs AS r SET event_count = e.number, event_head = e.hash, events_before_head = e.number
    FROM (SELECT DISTINCT ON (run_id) run_id, number, hash FROM crossfade.events ORDER BY run_id, number DESC) AS e
    WHERE e.run_id = r.id;

-- The one way to write an event. The lock on the run's row keeps the chain a chain. Fields are sealed line by line, so that
-- none may have a line's end in it: two different events would have the same hash.
CREATE OR REPLACE FUNCTION crossfade.record(of_run bigint, event_kind text, by_os_user text, event_detail text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    next_number bigint;
    head text;
    sealed text;
    stamp text := to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
BEGIN
    IF by_os_user IS NULL OR length(by_os_user) > 300 OR (by_os_user COLLATE "C") ~ '[\x01-\x1f\x7f]' THEN
        RAISE EXCEPTION 'the operating-system user must be at most 300 characters without control characters'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF (session_user::text COLLATE "C") ~ '[\x01-\x1f\x7f]' THEN
        RAISE EXCEPTION 'the name of the role % has control characters in it', quote_literal(session_user)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Nothing is recorded under such a name: connect as another role.';
    END IF;
    IF event_kind IS NULL OR event_detail IS NULL OR position(E'\n' IN event_kind || event_detail) > 0 THEN
        RAISE EXCEPTION 'the kind and the detail of an event must be text without line breaks'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT r.event_head INTO head FROM crossfade.runs AS r WHERE r.id = of_run FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no run with the id %', of_run USING ERRCODE = 'no_data_found';
    END IF;
    -- Both, so that a count that somebody has changed stops nobody: `history --verify` says what does not fit.
    SELECT greatest(r.event_count, (SELECT max(e.number) FROM crossfade.events AS e WHERE e.run_id = of_run)) + 1
        INTO next_number FROM crossfade.runs AS r WHERE r.id = of_run;
    sealed := encode(sha256(convert_to(concat_ws(E'\n', head, of_run::text, next_number::text, stamp,
        session_user::text, by_os_user, event_kind, event_detail), 'UTF8')), 'hex');
    INSERT INTO crossfade.events (run_id, number, at, role, os_user, kind, detail, hash)
    VALUES (of_run, next_number, stamp, session_user, by_os_user, event_kind, event_detail, sealed);
    UPDATE crossfade.runs AS r SET event_count = next_number, event_head = sealed WHERE r.id = of_run;
    RETURN next_number;
END;
$$;

-- An approval speaks for the role that the session logged in as, whoever owns this schema: an approver needs no right to
-- write to these tables, and cannot approve in another's name.
CREATE OR REPLACE FUNCTION crossfade.approve(of_run bigint, of_phase text, by_os_user text, with_comment text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    run_name text;
    run_state text;
    target text;
    phase_state text;
BEGIN
    -- Code of others that runs in this session (a trigger, a view's function) must not approve for it: the role itself asks.
    IF position('crossfade.approve' IN lower(coalesce(current_query(), ''))) = 0 THEN
        RAISE EXCEPTION 'an approval must be asked for by the statement itself: SELECT crossfade.approve(…)'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- First of all, so that a rollback that ends voids this approval, or has ended before it.
    SELECT r.name, r.state, r.rolling_back_to INTO run_name, run_state, target
        FROM crossfade.runs AS r WHERE r.id = of_run FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no run with the id %', of_run USING ERRCODE = 'no_data_found';
    END IF;
    SELECT p.state INTO phase_state FROM crossfade.phases AS p WHERE p.run_id = of_run AND p.phase = of_phase;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the run has no phase %', quote_literal(left(of_phase, 60)) USING ERRCODE = 'no_data_found';
    END IF;
    IF run_state <> 'active' THEN
        RAISE EXCEPTION 'the run % is %: there is nothing to approve any more', run_name, run_state
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF target IS NOT NULL THEN
        RAISE EXCEPTION 'a rollback of the run % is under way: approve when it has ended', run_name
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF phase_state NOT IN ('pending', 'reverted') THEN
        RAISE EXCEPTION '% of the run % is %: there is nothing to approve any more', of_phase, run_name, phase_state
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF length(with_comment) > 4000 THEN
        RAISE EXCEPTION 'a comment has at most 4000 characters' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO crossfade.approvals (run_id, phase, role, os_user, comment)
    VALUES (of_run, of_phase, session_user, by_os_user, with_comment)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM crossfade.record(of_run, 'approved'::text, by_os_user,
        jsonb_build_object('phase', of_phase, 'comment', with_comment)::text);
    RETURN true;
END;
$$;

-- A role that drives runs may write to these tables. That does not make it one that approves for others, or writes what
-- others did: what comes by another way than the functions above is refused. Both functions run as their owner.
CREATE FUNCTION crossfade.through_functions_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT pg_has_role(current_user,
            (SELECT p.proowner FROM pg_proc AS p WHERE p.oid = 'crossfade.record(bigint,text,text,text)'::regprocedure), 'MEMBER') THEN
        RAISE EXCEPTION 'crossfade.% is written by Crossfade''s own functions only', tg_table_name
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN new;
END;
$$;
CREATE TRIGGER through_functions_only BEFORE INSERT ON crossfade.events
    FOR EACH ROW EXECUTE FUNCTION crossfade.through_functions_only();
CREATE TRIGGER through_functions_only BEFORE INSERT ON crossfade.approvals
    FOR EACH ROW EXECUTE FUNCTION crossfade.through_functions_only();
CREATE TRIGGER head_through_functions_only BEFORE UPDATE OF event_count, event_head, events_before_head ON crossfade.runs
    FOR EACH ROW EXECUTE FUNCTION crossfade.through_functions_only();

-- What never changes once it is there, whoever asks.
CREATE FUNCTION crossfade.never_changes() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'a row of crossfade.% never changes in this way', tg_table_name USING ERRCODE = 'insufficient_privilege';
END;
$$;
CREATE TRIGGER never_changes BEFORE UPDATE ON crossfade.approvals
    FOR EACH ROW EXECUTE FUNCTION crossfade.never_changes();
CREATE TRIGGER never_changes BEFORE UPDATE OF id, name, document, plan, fingerprint, started_by, started_by_os, started_at
    ON crossfade.runs FOR EACH ROW EXECUTE FUNCTION crossfade.never_changes();
CREATE TRIGGER never_deleted BEFORE DELETE ON crossfade.runs
    FOR EACH ROW EXECUTE FUNCTION crossfade.never_changes();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON crossfade.runs
    FOR EACH STATEMENT EXECUTE FUNCTION crossfade.never_changes();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON crossfade.approvals
    FOR EACH STATEMENT EXECUTE FUNCTION crossfade.never_changes();

-- A run is started by the role that inserts it.
CREATE FUNCTION crossfade.started_by_itself() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (new.started_by, new.event_count, new.event_head, new.events_before_head) IS DISTINCT FROM (session_user::text, 0, '', 0)
            AND NOT pg_has_role(current_user,
                (SELECT p.proowner FROM pg_proc AS p WHERE p.oid = 'crossfade.record(bigint,text,text,text)'::regprocedure), 'MEMBER') THEN
        RAISE EXCEPTION 'a run is started by the role that is connected, and without events'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN new;
END;
$$;
CREATE TRIGGER started_by_itself BEFORE INSERT ON crossfade.runs
    FOR EACH ROW EXECUTE FUNCTION crossfade.started_by_itself();

-- A role that may set session_replication_role, which keeps the application's triggers out of a backfill, is not rid of these.
ALTER TABLE crossfade.events ENABLE ALWAYS TRIGGER append_only, ENABLE ALWAYS TRIGGER no_truncate,
    ENABLE ALWAYS TRIGGER through_functions_only;
ALTER TABLE crossfade.approvals ENABLE ALWAYS TRIGGER through_functions_only, ENABLE ALWAYS TRIGGER never_changes,
    ENABLE ALWAYS TRIGGER no_truncate;
ALTER TABLE crossfade.runs ENABLE ALWAYS TRIGGER head_through_functions_only, ENABLE ALWAYS TRIGGER never_changes,
    ENABLE ALWAYS TRIGGER never_deleted, ENABLE ALWAYS TRIGGER no_truncate, ENABLE ALWAYS TRIGGER started_by_itself;

REVOKE ALL ON FUNCTION crossfade.events_are_append_only(), crossfade.through_functions_only(), crossfade.never_changes(),
    crossfade.started_by_itself() FROM PUBLIC;
