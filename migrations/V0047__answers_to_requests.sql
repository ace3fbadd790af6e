-- What a request of the API that has an `Idempotency-Key` was answered: whoever sends it again is given the same answer, and nothing is
-- done twice. A key is its role's. The row is written in the transaction that does what was asked, and the answer after it.
CREATE TABLE crossfade.answers (
    role_oid oid NOT NULL,
    key      text NOT NULL CHECK (length(key) BETWEEN 1 AND 200 AND key COLLATE "C" ~ '^[\x21-\x7e]+$'),
    -- A hash of what was asked.
    request  text NOT NULL CHECK (request ~ '^[0-9a-f]{64}$'),
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- NULL: it was done, and its answer is not known (yet).
    status   integer CHECK (status BETWEEN 200 AND 499),
    body     text CHECK (octet_length(body) <= 16384),
    PRIMARY KEY (role_oid, key),
    CHECK ((status IS NULL) = (body IS NULL))
);
CREATE INDEX answers_by_time ON crossfade.answers (asked_at);

-- For how long an answer is kept, and how many of a role.
CREATE FUNCTION crossfade.answers_expire_before() RETURNS timestamptz
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$ SELECT clock_timestamp() - interval '24 hours' $$;

-- Notes that the actor asks this under this key. `false`: it was asked before, which a transaction that is open may be about to say.
CREATE FUNCTION crossfade.claim_key(asked_key text, asked text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who oid := (SELECT a.role_oid FROM crossfade.actor() AS a);
BEGIN
    DELETE FROM crossfade.answers AS a WHERE a.role_oid = who AND a.key = asked_key AND a.asked_at < crossfade.answers_expire_before();
    -- A few more than one, so that the table shrinks; without waiting for another who does the same.
    DELETE FROM crossfade.answers AS a USING (SELECT o.role_oid, o.key FROM crossfade.answers AS o
            WHERE o.asked_at < crossfade.answers_expire_before() LIMIT 100 FOR UPDATE SKIP LOCKED) AS old
        WHERE a.role_oid = old.role_oid AND a.key = old.key;
    IF (SELECT count(*) >= 10000 FROM crossfade.answers AS a WHERE a.role_oid = who) THEN
        RAISE EXCEPTION 'the role has sent 10000 requests with an Idempotency-Key within 24 hours, and no more are kept'
            USING ERRCODE = 'CF030', HINT = 'Send the request without one.';
    END IF;
    INSERT INTO crossfade.answers (role_oid, key, request) VALUES (who, asked_key, asked) ON CONFLICT DO NOTHING;
    RETURN FOUND;
END;
$$;

-- Of what was done, also if it was not claimed; of what was refused, only if nothing stands under the key.
CREATE FUNCTION crossfade.keep_answer(asked_key text, asked text, answer_status integer, answer_body text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    who oid := (SELECT a.role_oid FROM crossfade.actor() AS a);
BEGIN
    IF crossfade.claim_key(asked_key, asked) OR answer_status < 300 THEN
        UPDATE crossfade.answers AS a SET status = answer_status, body = answer_body
            WHERE a.role_oid = who AND a.key = asked_key AND a.request = asked AND a.status IS NULL;
    END IF;
END;
$$;

CREATE FUNCTION crossfade.answer_under(asked_key text, OUT request text, OUT status integer, OUT body text) RETURNS SETOF record
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.request, a.status, a.body FROM crossfade.answers AS a JOIN crossfade.actor() AS who ON who.role_oid = a.role_oid
    WHERE a.key = asked_key AND a.asked_at >= crossfade.answers_expire_before()
$$;

-- Whoever acts, acts on the rows of one role: of the token, or of the login.
GRANT EXECUTE ON FUNCTION crossfade.answers_expire_before(), crossfade.claim_key(text, text), crossfade.keep_answer(text, text, integer, text),
    crossfade.answer_under(text) TO PUBLIC;

CREATE TRIGGER through_functions_only BEFORE INSERT OR UPDATE ON crossfade.answers
    FOR EACH ROW EXECUTE FUNCTION crossfade.through_functions_only();
ALTER TABLE crossfade.answers ENABLE ALWAYS TRIGGER through_functions_only;
