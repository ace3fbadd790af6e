-- A proxy in front of a server may say who its user is. The server acts for that user by a token, and names the user beside it:
-- `token 7 for ada@example.com through ops@host`. As what follows `through`, it is what the server says.
CREATE OR REPLACE FUNCTION crossfade.actor_through(by_os_user text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE
            WHEN a.token IS NOT NULL THEN 'token ' || a.token
                || coalesce(' for ' || left(regexp_replace(nullif(current_setting('crossfade.proxy_user', true), ''), '[^\x21-\x7e]', '?', 'g'), 100), '')
                || ' through ' || by_os_user
            -- What a program says about itself must not look like a token's act.
            WHEN by_os_user ~* '^[[:space:]]*token[[:space:]]' THEN 'says ' || by_os_user
            ELSE by_os_user END FROM crossfade.actor() AS a
$$;
