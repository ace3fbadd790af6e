-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.users.email_new
ALTER TABLE public.users ADD COLUMN email_new text;
-- undo:
ALTER TABLE public.users DROP COLUMN email_new;


-- ======== dual_write

-- sync_columns:public.users
CREATE SEQUENCE IF NOT EXISTS crossfade."old_lower-email_8f8c271a";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_lower-email_8f8c271a";
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_lower-email_8f8c271a";
CREATE OR REPLACE FUNCTION crossfade."sync_lower-email_8f8c271a"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run lower-email, table public.users; keeps both sides of a change in step, filling rows as they move
DECLARE
  crossfade_side text;
  crossfade_old_write boolean := false;
  crossfade_new_write boolean := false;
  crossfade_untold_write boolean := false;
  crossfade_writer text;
  crossfade_context text;
  crossfade_names_new boolean;
  crossfade_count bigint;
  crossfade_state text;
  crossfade_error text;
BEGIN
  IF (tg_table_name <> 'users' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.users')
    AND NOT crossfade.is_made_for('sync_lower-email_8f8c271a', 'public.users', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_lower-email_8f8c271a" is for the table public.users only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('lower-email') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'lower-email'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'lower-email'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.users'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."email_new" IS NOT NULL
      THEN 'new'
      WHEN new."email" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."email" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'email_new') = 0 OR NOT (current_query() ~* E'\\memail_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['email_new']::text[], ARRAY['email']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'email_new') = 0 OR NOT (current_query() ~* E'\\memail_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['email_new']::text[], ARRAY['email']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."email" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."email_new" IS DISTINCT FROM old."email_new" THEN
    crossfade_side := 'new';
  ELSIF new."email" IS DISTINCT FROM old."email" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."email" := new."email_new";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."email" IS NOT NULL OR left(current_query(), 10000) ~* E'\\memail\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"users">>
      DECLARE
        "email" text := "sync_lower-email_8f8c271a".new."email";
      BEGIN
        "sync_lower-email_8f8c271a".new."email_new" := (lower(email)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."email_new" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'lower-email'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.users', 'email_new', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('email', new."email"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'lower-email' AND r.state = 'active' AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF (new."email_new" IS NULL AND (new."email" IS NOT NULL)) THEN
      BEGIN
        <<"users">>
        DECLARE
          "email" text := "sync_lower-email_8f8c271a".new."email";
        BEGIN
          "sync_lower-email_8f8c271a".new."email_new" := (lower(email)
          );
        END;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        new."email_new" := NULL;
        IF EXISTS (SELECT 1
          FROM crossfade.runs AS crossfade_active
          WHERE crossfade_active.name = 'lower-email'
          AND crossfade_active.state = 'active') THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.users', 'email_new', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('email', new."email"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'lower-email' AND r.state = 'active' AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
      END;
    END IF;
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'email_new') = 0 OR NOT (current_query() ~* E'\\memail_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['email_new']::text[], ARRAY['email']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"users">>
          DECLARE
            "email" text := "sync_lower-email_8f8c271a".new."email";
          BEGIN
            "sync_lower-email_8f8c271a".new."email_new" := (lower(email)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."email_new" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'lower-email'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.users', 'email_new', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('email', new."email"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'lower-email'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_lower-email_8f8c271a"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_lower-email_8f8c271a"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_lower-email_8f8c271a"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_lower-email_8f8c271a', 'public.users');
CREATE OR REPLACE TRIGGER "zz_crossfade_lower-email_u" BEFORE UPDATE ON public.users FOR EACH ROW
  WHEN (new."email" IS DISTINCT FROM old."email"
    OR new."email_new" IS DISTINCT FROM old."email_new"
    OR (new."email_new" IS NULL AND (new."email" IS NOT NULL))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_lower-email_8f8c271a"();
CREATE OR REPLACE TRIGGER "zz_crossfade_lower-email_i" BEFORE INSERT ON public.users FOR EACH ROW EXECUTE FUNCTION crossfade."sync_lower-email_8f8c271a"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_lower-email_i" ON public.users;
DROP TRIGGER IF EXISTS "zz_crossfade_lower-email_u" ON public.users;
DROP FUNCTION IF EXISTS crossfade."sync_lower-email_8f8c271a"();
DROP SEQUENCE IF EXISTS crossfade."old_lower-email_8f8c271a";
DROP SEQUENCE IF EXISTS crossfade."new_lower-email_8f8c271a";
DROP SEQUENCE IF EXISTS crossfade."untold_lower-email_8f8c271a";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.users
UPDATE ONLY public.users AS "users" SET email_new = (lower(email)
)
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND CASE
  WHEN ctid >= (SELECT ($1::text)::tid)
  AND ctid < (SELECT ($2::text)::tid)
  THEN (email_new IS NULL AND (lower(email)
  ) IS NOT NULL) ELSE false END;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_lower-email_8f8c271a";
CREATE OR REPLACE FUNCTION crossfade."sync_lower-email_8f8c271a"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run lower-email, table public.users; keeps both sides of a change in step, not filling
DECLARE
  crossfade_side text;
  crossfade_old_write boolean := false;
  crossfade_new_write boolean := false;
  crossfade_untold_write boolean := false;
  crossfade_writer text;
  crossfade_context text;
  crossfade_names_new boolean;
  crossfade_count bigint;
  crossfade_state text;
  crossfade_error text;
BEGIN
  IF (tg_table_name <> 'users' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.users')
    AND NOT crossfade.is_made_for('sync_lower-email_8f8c271a', 'public.users', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_lower-email_8f8c271a" is for the table public.users only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('lower-email') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'lower-email'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'lower-email'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.users'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."email_new" IS NOT NULL
      THEN 'new'
      WHEN new."email" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."email" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'email_new') = 0 OR NOT (current_query() ~* E'\\memail_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['email_new']::text[], ARRAY['email']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'email_new') = 0 OR NOT (current_query() ~* E'\\memail_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['email_new']::text[], ARRAY['email']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."email" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."email_new" IS DISTINCT FROM old."email_new" THEN
    crossfade_side := 'new';
  ELSIF new."email" IS DISTINCT FROM old."email" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."email" := new."email_new";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."email" IS NOT NULL OR left(current_query(), 10000) ~* E'\\memail\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"users">>
      DECLARE
        "email" text := "sync_lower-email_8f8c271a".new."email";
      BEGIN
        "sync_lower-email_8f8c271a".new."email_new" := (lower(email)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."email_new" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'lower-email'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.users', 'email_new', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('email', new."email"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'lower-email' AND r.state = 'active' AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'email_new') = 0 OR NOT (current_query() ~* E'\\memail_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['email_new']::text[], ARRAY['email']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"users">>
          DECLARE
            "email" text := "sync_lower-email_8f8c271a".new."email";
          BEGIN
            "sync_lower-email_8f8c271a".new."email_new" := (lower(email)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."email_new" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'lower-email'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.users', 'email_new', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('email', new."email"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'lower-email'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_lower-email_8f8c271a"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_lower-email_8f8c271a"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_lower-email_8f8c271a"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_lower-email_8f8c271a', 'public.users');
CREATE OR REPLACE TRIGGER "zz_crossfade_lower-email_u" BEFORE UPDATE ON public.users FOR EACH ROW
  WHEN (new."email" IS DISTINCT FROM old."email"
    OR new."email_new" IS DISTINCT FROM old."email_new"
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_lower-email_8f8c271a"();
-- undo:
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_lower-email_8f8c271a";
CREATE OR REPLACE FUNCTION crossfade."sync_lower-email_8f8c271a"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_columns:public.users
SELECT crossfade.keep_function('sync_lower-email_8f8c271a', 'public.users');
CREATE OR REPLACE TRIGGER "zz_crossfade_lower-email_u" BEFORE UPDATE ON public.users FOR EACH ROW
  WHEN (new."email" IS DISTINCT FROM old."email"
    OR new."email_new" IS DISTINCT FROM old."email_new"
    OR (new."email_new" IS NULL AND (new."email" IS NOT NULL))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_lower-email_8f8c271a"();


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.users
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE CASE
  WHEN (email_new IS NULL
    AND (SELECT EXISTS (SELECT
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.users'
      AND crossfade_q.column_name = 'email_new'))
    AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('email', email)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.users'
      AND crossfade_q.column_name = 'email_new'))
  THEN false
  ELSE NOT ((NOT (email_new IS DISTINCT FROM (lower(email)
        )::text)) OR (NOT (email IS DISTINCT FROM (email_new
        )::text))) END)
          FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, email AS email, email_new AS email_new, id AS id
            FROM ONLY public.users
            WHERE ctid >= ($1::text)::tid
            AND ctid < ($2::text)::tid) AS "users";


-- ======== enforce
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== switch_reads
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== retire
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.users.email

-- retire_column:public.users.email
ALTER TABLE public.users RENAME COLUMN email TO email_crossfade_retired;
ALTER TABLE public.users RENAME COLUMN email_new TO email;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_lower-email_8f8c271a";
CREATE OR REPLACE FUNCTION crossfade."sync_lower-email_8f8c271a"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run lower-email, table public.users; keeps both sides of a change in step, not filling
DECLARE
  crossfade_side text;
  crossfade_old_write boolean := false;
  crossfade_new_write boolean := false;
  crossfade_untold_write boolean := false;
  crossfade_writer text;
  crossfade_context text;
  crossfade_names_new boolean;
  crossfade_count bigint;
  crossfade_state text;
  crossfade_error text;
BEGIN
  IF (tg_table_name <> 'users' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.users')
    AND NOT crossfade.is_made_for('sync_lower-email_8f8c271a', 'public.users', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_lower-email_8f8c271a" is for the table public.users only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('lower-email') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'lower-email'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'lower-email'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.users'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."email" IS NOT NULL
      THEN 'new'
      WHEN new."email_crossfade_retired" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."email_crossfade_retired" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'email') = 0 OR NOT (current_query() ~* E'\\memail\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['email']::text[], ARRAY['email_crossfade_retired']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'email') = 0 OR NOT (current_query() ~* E'\\memail\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['email']::text[], ARRAY['email_crossfade_retired']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."email_crossfade_retired" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."email" IS DISTINCT FROM old."email" THEN
    crossfade_side := 'new';
  ELSIF new."email_crossfade_retired" IS DISTINCT FROM old."email_crossfade_retired" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."email_crossfade_retired" := new."email";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."email_crossfade_retired" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\memail_crossfade_retired\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"users">>
      DECLARE
        "email" text := "sync_lower-email_8f8c271a".new."email_crossfade_retired";
      BEGIN
        "sync_lower-email_8f8c271a".new."email" := (lower(email)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."email" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'lower-email'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.users', 'email_new', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('email', new."email_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'lower-email' AND r.state = 'active' AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'email') = 0 OR NOT (current_query() ~* E'\\memail\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['email']::text[], ARRAY['email_crossfade_retired']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"users">>
          DECLARE
            "email" text := "sync_lower-email_8f8c271a".new."email_crossfade_retired";
          BEGIN
            "sync_lower-email_8f8c271a".new."email" := (lower(email)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."email" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'lower-email'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.users', 'email_new', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('email', new."email_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'lower-email'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_lower-email_8f8c271a"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_lower-email_8f8c271a"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_lower-email_8f8c271a"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
-- undo:
ALTER TABLE public.users RENAME COLUMN email TO email_new;
ALTER TABLE public.users RENAME COLUMN email_crossfade_retired TO email;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_lower-email_8f8c271a";
CREATE OR REPLACE FUNCTION crossfade."sync_lower-email_8f8c271a"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in backfill, fill:public.users


-- ======== contract, one transaction
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.users.email

-- drop_sync:public.users
DROP TRIGGER IF EXISTS "zz_crossfade_lower-email_i" ON public.users;
DROP TRIGGER IF EXISTS "zz_crossfade_lower-email_u" ON public.users;
DROP FUNCTION IF EXISTS crossfade."sync_lower-email_8f8c271a"();
DROP SEQUENCE IF EXISTS crossfade."old_lower-email_8f8c271a";
DROP SEQUENCE IF EXISTS crossfade."new_lower-email_8f8c271a";
DROP SEQUENCE IF EXISTS crossfade."untold_lower-email_8f8c271a";
-- cannot be undone

-- drop_column:public.users.email
ALTER TABLE public.users DROP COLUMN email_crossfade_retired;
-- cannot be undone
