-- A person who signs in to the page, or calls the API, is a database role. A token stands for the role that it was made for. What is
-- kept is a hash of a hash of it. The server presents the first hash: one who finds that in a log does not have the token, but with a
-- login could act as its holder.
CREATE TABLE crossfade.tokens (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    role          text NOT NULL,
    -- A role of the same name that is made later is another.
    role_oid      oid NOT NULL,
    can           text[] NOT NULL CHECK (can <@ ARRAY['view', 'operate', 'approve'] AND cardinality(can) > 0),
    hash          text NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$'),
    created_by    text NOT NULL,
    created_by_os text NOT NULL CHECK (length(created_by_os) <= 300 AND created_by_os COLLATE "C" !~ '[\x01-\x1f\x7f]'),
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at    timestamptz,
    revoked_by    text,
    revoked_by_os text CHECK (length(revoked_by_os) <= 300 AND revoked_by_os COLLATE "C" !~ '[\x01-\x1f\x7f]'),
    revoked_at    timestamptz,
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL) AND (revoked_at IS NULL) = (revoked_by_os IS NULL))
);

-- A browser that has signed in with a token. It ends with the token.
CREATE TABLE crossfade.sign_ins (
    hash       text PRIMARY KEY CHECK (hash ~ '^[0-9a-f]{64}$'),
    token_id   bigint NOT NULL REFERENCES crossfade.tokens,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sign_ins_of_token ON crossfade.sign_ins (token_id);

-- Whose token or sign-in this is; no row: nobody's, or it is over.
CREATE FUNCTION crossfade.holder_of(presented text, OUT token bigint, OUT role text, OUT role_oid oid, OUT can text[]) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT t.id, r.rolname::text, r.oid, t.can
    FROM crossfade.tokens AS t JOIN pg_roles AS r ON r.oid = t.role_oid AND r.rolname = t.role
    WHERE t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp())
      AND (t.hash = encode(sha256(convert_to(presented, 'UTF8')), 'hex') OR EXISTS (
          SELECT FROM crossfade.sign_ins AS s WHERE s.token_id = t.id AND s.expires_at > clock_timestamp()
              AND s.hash = encode(sha256(convert_to(presented, 'UTF8')), 'hex')));
$$;

-- Who acts in this transaction: the holder of the token that it presents, or else the role that logged in.
CREATE FUNCTION crossfade.actor(OUT token bigint, OUT role text, OUT role_oid oid, OUT can text[]) RETURNS record
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    presented text := nullif(current_setting('crossfade.token', true), '');
BEGIN
    IF presented IS NULL THEN
        role := session_user;
        role_oid := (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = session_user);
        can := ARRAY['view', 'operate', 'approve'];
        RETURN;
    END IF;
    SELECT h.token, h.role, h.role_oid, h.can INTO token, role, role_oid, can FROM crossfade.holder_of(presented) AS h;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the token is not valid any more: it was revoked, or it has expired' USING ERRCODE = 'CF001';
    END IF;
END;
$$;

CREATE FUNCTION crossfade.actor_role() RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT a.role FROM crossfade.actor() AS a $$;

-- What stands beside the role: `token 7 through ops@host`.
CREATE FUNCTION crossfade.actor_through(by_os_user text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
            WHEN a.token IS NOT NULL THEN 'token ' || a.token || ' through ' || by_os_user
            -- What a program says about itself must not look like a token's act.
            WHEN by_os_user ~* '^[[:space:]]*token[[:space:]]' THEN 'says ' || by_os_user
            ELSE by_os_user END FROM crossfade.actor() AS a
$$;

-- Whether the first role can become the second. From PostgreSQL 16 on, one may be a member of a role and have nothing of it.
CREATE FUNCTION crossfade.can_become(who oid, whom oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_has_role(who, whom, 'USAGE')
        OR pg_has_role(who, whom, CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END)
$$;

-- Code of others that runs in this session (a view's function, an index's, in a worker of autovacuum too) must neither make nor end
-- a token: the statement itself has to ask for it.
CREATE FUNCTION crossfade.asked_for_itself(name text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF position(name IN lower(coalesce(current_query(), ''))) = 0 THEN
        RAISE EXCEPTION 'this must be asked for by the statement itself: SELECT %(…)', name USING ERRCODE = 'insufficient_privilege';
    END IF;
END;
$$;

-- A token is made for oneself, or by one who could give the role a password of his own choice.
CREATE FUNCTION crossfade.create_token(for_role text, may text[], token_hash text, until timestamptz, by_os_user text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    holder record;
    maker record;
    made bigint;
BEGIN
    PERFORM crossfade.asked_for_itself('crossfade.create_token');
    SELECT r.oid, r.rolname, r.rolsuper OR r.rolreplication OR starts_with(r.rolname::text, 'pg_') AS is_high INTO holder FROM pg_roles AS r WHERE r.rolname = for_role;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no role %', quote_ident(for_role) USING ERRCODE = 'undefined_object';
    END IF;
    IF (holder.rolname::text COLLATE "C") ~ '[\x01-\x1f\x7f]' THEN
        RAISE EXCEPTION 'the name of the role % has control characters in it', quote_literal(for_role) USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT r.oid, r.rolsuper, r.rolcreaterole INTO maker FROM pg_roles AS r WHERE r.rolname = session_user;
    IF NOT (maker.rolsuper OR maker.oid = holder.oid OR maker.rolcreaterole AND NOT holder.is_high
            AND (current_setting('server_version_num')::integer < 160000 OR pg_has_role(maker.oid, holder.oid, 'MEMBER WITH ADMIN OPTION'))) THEN
        RAISE EXCEPTION '% may not make a token for %', quote_ident(session_user), quote_ident(for_role)
            USING ERRCODE = 'insufficient_privilege',
                HINT = format('%s makes it, or a role that may set the password of %1$s.', quote_ident(for_role));
    END IF;
    IF until <= clock_timestamp() THEN
        RAISE EXCEPTION 'the token would have expired already' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    INSERT INTO crossfade.tokens (role, role_oid, can, hash, created_by, created_by_os, expires_at)
    VALUES (holder.rolname, holder.oid, may, token_hash, session_user, by_os_user, until) RETURNING id INTO made;
    RETURN made;
END;
$$;

-- Its holder ends it, who made it, or one who may change these tables anyhow. Its sign-ins and its open orders end with it.
-- `false`: it had been revoked.
CREATE FUNCTION crossfade.revoke_token(which bigint, by_os_user text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    kept record;
    dropped record;
BEGIN
    PERFORM crossfade.asked_for_itself('crossfade.revoke_token');
    SELECT t.role, t.created_by, t.revoked_at INTO kept FROM crossfade.tokens AS t WHERE t.id = which FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no token %', which USING ERRCODE = 'no_data_found';
    END IF;
    IF session_user NOT IN (kept.role, kept.created_by) AND NOT pg_has_role(session_user, current_user, 'MEMBER') THEN
        RAISE EXCEPTION '% may not revoke token %', quote_ident(session_user), which
            USING ERRCODE = 'insufficient_privilege',
                HINT = format('%s or %s revokes it.', quote_ident(kept.role), quote_ident(kept.created_by));
    END IF;
    IF kept.revoked_at IS NOT NULL THEN
        RETURN false;
    END IF;
    UPDATE crossfade.tokens AS t SET revoked_by = session_user, revoked_by_os = by_os_user, revoked_at = clock_timestamp() WHERE t.id = which;
    DELETE FROM crossfade.sign_ins AS s WHERE s.token_id = which;
    FOR dropped IN UPDATE crossfade.orders AS o SET state = 'cancelled', outcome = 'its token was revoked', ended_at = clock_timestamp()
            WHERE o.token_id = which AND o.state = 'open' RETURNING o.id, o.run_id LOOP
        PERFORM crossfade.record(dropped.run_id, 'order ended'::text, by_os_user,
            jsonb_build_object('order', dropped.id, 'state', 'cancelled', 'why', 'its token was revoked')::text);
    END LOOP;
    RETURN true;
END;
$$;

-- A browser signs in with a token. `false`: the token is not valid. Expired sign-ins are deleted.
CREATE FUNCTION crossfade.sign_in(presented text, sign_in_hash text, until timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM crossfade.sign_ins AS s WHERE s.expires_at < clock_timestamp();
    INSERT INTO crossfade.sign_ins (hash, token_id, expires_at)
        SELECT sign_in_hash, t.id, least(until, t.expires_at, clock_timestamp() + interval '12 hours') FROM crossfade.tokens AS t JOIN crossfade.holder_of(presented) AS h ON h.token = t.id
        WHERE t.hash = encode(sha256(convert_to(presented, 'UTF8')), 'hex');
    RETURN FOUND;
END;
$$;

CREATE FUNCTION crossfade.sign_out(presented text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM crossfade.sign_ins AS s WHERE s.hash = encode(sha256(convert_to(presented, 'UTF8')), 'hex')
$$;

-- The roles that drive runs execute these, and those who make tokens for themselves. They tell nothing to one who has no token.
GRANT EXECUTE ON FUNCTION crossfade.holder_of(text), crossfade.actor(), crossfade.actor_role(), crossfade.actor_through(text),
    crossfade.can_become(oid, oid), crossfade.asked_for_itself(text), crossfade.create_token(text, text[], text, timestamptz, text), crossfade.revoke_token(bigint, text),
    crossfade.sign_in(text, text, timestamptz), crossfade.sign_out(text) TO PUBLIC;

CREATE TRIGGER through_functions_only BEFORE INSERT OR UPDATE ON crossfade.tokens
    FOR EACH ROW EXECUTE FUNCTION crossfade.through_functions_only();
CREATE TRIGGER never_changes BEFORE UPDATE OF id, role, role_oid, can, hash, created_by, created_by_os, created_at, expires_at ON crossfade.tokens
    FOR EACH ROW EXECUTE FUNCTION crossfade.never_changes();
CREATE TRIGGER never_deleted BEFORE DELETE ON crossfade.tokens
    FOR EACH ROW EXECUTE FUNCTION crossfade.never_changes();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON crossfade.tokens
    FOR EACH STATEMENT EXECUTE FUNCTION crossfade.never_changes();
CREATE TRIGGER through_functions_only BEFORE INSERT OR UPDATE ON crossfade.sign_ins
    FOR EACH ROW EXECUTE FUNCTION crossfade.through_functions_only();
ALTER TABLE crossfade.tokens ENABLE ALWAYS TRIGGER through_functions_only, ENABLE ALWAYS TRIGGER never_changes,
    ENABLE ALWAYS TRIGGER never_deleted, ENABLE ALWAYS TRIGGER no_truncate;
ALTER TABLE crossfade.sign_ins ENABLE ALWAYS TRIGGER through_functions_only;

-- As before, but for who acts. An order keeps the token that it was placed by.
ALTER TABLE crossfade.orders ADD COLUMN token_id bigint REFERENCES crossfade.tokens;
CREATE TRIGGER token_never_changes BEFORE UPDATE OF token_id ON crossfade.orders FOR EACH ROW EXECUTE FUNCTION crossfade.never_changes();
ALTER TABLE crossfade.orders ENABLE ALWAYS TRIGGER token_never_changes;
CREATE OR REPLACE FUNCTION crossfade.record(of_run bigint, event_kind text, by_os_user text, event_detail text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who record;
    through text;
    next_number bigint;
    head text;
    sealed text;
    stamp text := to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
BEGIN
    SELECT a.role INTO who FROM crossfade.actor() AS a;
    through := crossfade.actor_through(by_os_user);
    IF through IS NULL OR length(through) > 300 OR (through COLLATE "C") ~ '[\x01-\x1f\x7f]' THEN
        RAISE EXCEPTION 'the operating-system user must be at most 300 characters without control characters'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF (who.role COLLATE "C") ~ '[\x01-\x1f\x7f]' THEN
        RAISE EXCEPTION 'the name of the role % has control characters in it', quote_literal(who.role)
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
        who.role, through, event_kind, event_detail), 'UTF8')), 'hex');
    INSERT INTO crossfade.events (run_id, number, at, role, os_user, kind, detail, hash)
    VALUES (of_run, next_number, stamp, who.role, through, event_kind, event_detail, sealed);
    UPDATE crossfade.runs AS r SET event_count = next_number, event_head = sealed WHERE r.id = of_run;
    RETURN next_number;
END;
$$;

CREATE OR REPLACE FUNCTION crossfade.approve(of_run bigint, of_phase text, by_os_user text, with_comment text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who record;
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
    SELECT a.token, a.role, a.role_oid, a.can INTO who FROM crossfade.actor() AS a;
    -- The rights of a token are those of its role.
    IF who.token IS NOT NULL AND NOT ('approve' = ANY (who.can) AND has_schema_privilege(who.role_oid, 'crossfade', 'USAGE')
            AND has_function_privilege(who.role_oid, 'crossfade.approve(bigint, text, text, text)', 'EXECUTE')) THEN
        RAISE EXCEPTION '% may not approve by token %', quote_ident(who.role), who.token USING ERRCODE = 'insufficient_privilege';
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
    VALUES (of_run, of_phase, who.role, crossfade.actor_through(by_os_user), with_comment)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM crossfade.record(of_run, 'approved'::text, by_os_user,
        jsonb_build_object('phase', of_phase, 'comment', with_comment)::text);
    RETURN true;
END;
$$;

CREATE OR REPLACE FUNCTION crossfade.ordered_by_itself() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who record;
BEGIN
    SELECT a.token, a.role, a.role_oid, a.can INTO who FROM crossfade.actor() AS a;
    IF NOT 'operate' = ANY (who.can) THEN
        RAISE EXCEPTION 'token % may not place orders', who.token USING ERRCODE = 'insufficient_privilege';
    END IF;
    new.token_id := who.token;
    new.role := who.role;
    new.role_oid := who.role_oid;
    new.acting_oid := CASE WHEN who.token IS NULL THEN (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = current_user) ELSE who.role_oid END;
    new.os_user := crossfade.actor_through(new.os_user);
    new.placed_at := clock_timestamp();
    new.state := 'open';
    new.taken_by := NULL;
    new.taken_at := NULL;
    new.ended_at := NULL;
    new.outcome := NULL;
    RETURN new;
END;
$$;

CREATE OR REPLACE FUNCTION crossfade.started_by_itself() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF (new.started_by, new.event_count, new.event_head, new.events_before_head) IS DISTINCT FROM (crossfade.actor_role(), 0, '', 0)
            AND NOT pg_has_role(current_user,
                (SELECT p.proowner FROM pg_proc AS p WHERE p.oid = 'crossfade.record(bigint,text,text,text)'::regprocedure), 'MEMBER') THEN
        RAISE EXCEPTION 'a run is started by the role that is connected, and without events'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN new;
END;
$$;
ALTER TABLE crossfade.runs ALTER COLUMN started_by SET DEFAULT crossfade.actor_role();
ALTER TABLE crossfade.tunings ALTER COLUMN role SET DEFAULT crossfade.actor_role();
