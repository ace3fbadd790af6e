-- What was amended of a run's plan: gates and limits, which are about people and machines. The plan itself never changes; these are
-- applied to it, in their order, whenever it is read.
CREATE TABLE crossfade.amendments (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id     bigint NOT NULL REFERENCES crossfade.runs,
    amendment  jsonb NOT NULL,
    reason     text NOT NULL CHECK (length(reason) BETWEEN 1 AND 4000),
    -- The role that the session logged in as.
    role       text NOT NULL,
    os_user    text NOT NULL,
    amended_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX amendments_of_run ON crossfade.amendments (run_id);

-- The one way to amend. A phase that has begun has passed its gate: the lock on its row waits for a driver that is about to begin it.
CREATE FUNCTION crossfade.amend(of_run bigint, by_os_user text, with_amendment jsonb, with_changes jsonb, with_reason text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    run_name text;
    run_state text;
    begun text;
    amended bigint;
BEGIN
    SELECT r.name, r.state INTO run_name, run_state FROM crossfade.runs AS r WHERE r.id = of_run FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no run with the id %', of_run USING ERRCODE = 'no_data_found';
    END IF;
    IF run_state <> 'active' THEN
        RAISE EXCEPTION 'the run % is %: there is nothing to amend any more', run_name, run_state
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    PERFORM FROM crossfade.phases AS p WHERE p.run_id = of_run ORDER BY p.position FOR NO KEY UPDATE;
    SELECT p.phase INTO begun FROM crossfade.phases AS p
        WHERE p.run_id = of_run AND p.state NOT IN ('pending', 'reverted')
          AND (coalesce(with_amendment -> 'gates', '{}') ? p.phase OR coalesce(with_amendment -> 'without', '{}') ? p.phase)
        ORDER BY p.position LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% of the run % has begun: its gate is behind it', begun, run_name
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    INSERT INTO crossfade.amendments (run_id, amendment, reason, role, os_user)
        VALUES (of_run, with_amendment, with_reason, session_user, by_os_user) RETURNING id INTO amended;
    PERFORM crossfade.record(of_run, 'amended'::text, by_os_user, jsonb_build_object('amendment', amended,
        'sha256', encode(sha256(convert_to(with_amendment::text, 'UTF8')), 'hex'), 'reason', with_reason, 'changes', with_changes)::text);
    RETURN amended;
END;
$$;

CREATE TRIGGER through_functions_only BEFORE INSERT ON crossfade.amendments
    FOR EACH ROW EXECUTE FUNCTION crossfade.through_functions_only();
CREATE TRIGGER never_changes BEFORE UPDATE OR DELETE ON crossfade.amendments
    FOR EACH ROW EXECUTE FUNCTION crossfade.never_changes();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON crossfade.amendments
    FOR EACH STATEMENT EXECUTE FUNCTION crossfade.never_changes();
ALTER TABLE crossfade.amendments ENABLE ALWAYS TRIGGER through_functions_only, ENABLE ALWAYS TRIGGER never_changes,
    ENABLE ALWAYS TRIGGER no_truncate;

-- Whoever drives runs may amend them: those that may record.
REVOKE ALL ON FUNCTION crossfade.amend(bigint, text, jsonb, jsonb, text) FROM PUBLIC;
DO $$
DECLARE
    grantee oid;
BEGIN
    FOR grantee IN SELECT a.grantee FROM pg_catalog.pg_proc AS p, aclexplode(p.proacl) AS a
            WHERE p.oid = 'crossfade.record(bigint,text,text,text)'::regprocedure AND a.grantee <> p.proowner AND a.grantee <> 0
              AND a.privilege_type = 'EXECUTE' LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION crossfade.amend(bigint, text, jsonb, jsonb, text) TO %s', grantee::regrole);
    END LOOP;
END;
$$;
