-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.users.first_name
ALTER TABLE public.users ADD COLUMN first_name text;
-- undo:
ALTER TABLE public.users DROP COLUMN first_name;

-- add_column:public.users.last_name
ALTER TABLE public.users ADD COLUMN last_name text;
COMMENT ON COLUMN public.users.last_name IS 'As it is written on letters';
-- undo:
ALTER TABLE public.users DROP COLUMN last_name;


-- ======== dual_write

-- sync_columns:public.users
CREATE SEQUENCE IF NOT EXISTS crossfade."old_split-user-name_8f8c271a";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_split-user-name_8f8c271a";
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_split-user-name_8f8c271a";
CREATE OR REPLACE FUNCTION crossfade."sync_split-user-name_8f8c271a"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run split-user-name, table public.users; keeps both sides of a change in step, filling rows as they move
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
    AND NOT crossfade.is_made_for('sync_split-user-name_8f8c271a', 'public.users', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_split-user-name_8f8c271a" is for the table public.users only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('split-user-name') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'split-user-name'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'split-user-name'
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
      WHEN new."first_name" IS NOT NULL
      OR new."last_name" IS NOT NULL
      THEN 'new'
      WHEN new."full_name" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."full_name" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'first_name') = 0 OR NOT (current_query() ~* E'\\mfirst_name\\M'))
        AND (strpos(lower(current_query()), 'last_name') = 0 OR NOT (current_query() ~* E'\\mlast_name\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['first_name', 'last_name']::text[], ARRAY['full_name']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'first_name') = 0 OR NOT (current_query() ~* E'\\mfirst_name\\M'))
        AND (strpos(lower(current_query()), 'last_name') = 0 OR NOT (current_query() ~* E'\\mlast_name\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['first_name', 'last_name']::text[], ARRAY['full_name']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."full_name" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."first_name" IS DISTINCT FROM old."first_name" OR new."last_name" IS DISTINCT FROM old."last_name" THEN
    crossfade_side := 'new';
  ELSIF new."full_name" IS DISTINCT FROM old."full_name" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    IF tg_op = 'UPDATE' THEN
      IF (old."first_name" IS NULL AND old."last_name" IS NULL AND (old."full_name" IS NOT NULL)) THEN
        IF NOT (new."first_name" IS DISTINCT FROM old."first_name") THEN
          BEGIN
            <<"users">>
            DECLARE
              "full_name" text := "sync_split-user-name_8f8c271a".new."full_name";
            BEGIN
              "sync_split-user-name_8f8c271a".new."first_name" := (NULLIF(split_part(full_name, ' '::text, 1), ''::text)
              );
            END;
          EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
            new."first_name" := NULL;
            IF EXISTS (SELECT 1
              FROM crossfade.runs AS crossfade_active
              WHERE crossfade_active.name = 'split-user-name'
              AND crossfade_active.state = 'active') THEN
              INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
                SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
                FROM crossfade.runs AS r, (
                  VALUES ('public.users', 'first_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('full_name', new."full_name"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
                WHERE r.name = 'split-user-name'
                  AND r.state = 'active'
                  AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                  WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
            END IF;
          END;
        END IF;
        IF NOT (new."last_name" IS DISTINCT FROM old."last_name") THEN
          BEGIN
            <<"users">>
            DECLARE
              "full_name" text := "sync_split-user-name_8f8c271a".new."full_name";
            BEGIN
              "sync_split-user-name_8f8c271a".new."last_name" := (NULLIF(regexp_replace(full_name, '^[^ ]* ?'::text, ''::text), ''::text)
              );
            END;
          EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
            new."last_name" := NULL;
            IF EXISTS (SELECT 1
              FROM crossfade.runs AS crossfade_active
              WHERE crossfade_active.name = 'split-user-name'
              AND crossfade_active.state = 'active') THEN
              INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
                SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
                FROM crossfade.runs AS r, (
                  VALUES ('public.users', 'last_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('full_name', new."full_name"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
                WHERE r.name = 'split-user-name'
                  AND r.state = 'active'
                  AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                  WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
            END IF;
          END;
        END IF;
      END IF;
    END IF;
    BEGIN
      <<"users">>
      DECLARE
        "last_name" text := "sync_split-user-name_8f8c271a".new."last_name";
        "first_name" text := "sync_split-user-name_8f8c271a".new."first_name";
      BEGIN
        "sync_split-user-name_8f8c271a".new."full_name" := (concat_ws(' '::text, first_name, last_name)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'split-user-name'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.users', 'full_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('last_name', new."last_name", 'first_name', new."first_name"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'split-user-name'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."full_name" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mfull_name\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"users">>
      DECLARE
        "full_name" text := "sync_split-user-name_8f8c271a".new."full_name";
      BEGIN
        "sync_split-user-name_8f8c271a".new."first_name" := (NULLIF(split_part(full_name, ' '::text, 1), ''::text)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."first_name" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'split-user-name'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.users', 'first_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('full_name', new."full_name"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'split-user-name'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    BEGIN
      <<"users">>
      DECLARE
        "full_name" text := "sync_split-user-name_8f8c271a".new."full_name";
      BEGIN
        "sync_split-user-name_8f8c271a".new."last_name" := (NULLIF(regexp_replace(full_name, '^[^ ]* ?'::text, ''::text), ''::text)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."last_name" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'split-user-name'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.users', 'last_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('full_name', new."full_name"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'split-user-name'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF (new."first_name" IS NULL AND new."last_name" IS NULL AND (new."full_name" IS NOT NULL)) THEN
      BEGIN
        <<"users">>
        DECLARE
          "full_name" text := "sync_split-user-name_8f8c271a".new."full_name";
        BEGIN
          "sync_split-user-name_8f8c271a".new."first_name" := (NULLIF(split_part(full_name, ' '::text, 1), ''::text)
          );
        END;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        new."first_name" := NULL;
        IF EXISTS (SELECT 1
          FROM crossfade.runs AS crossfade_active
          WHERE crossfade_active.name = 'split-user-name'
          AND crossfade_active.state = 'active') THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.users', 'first_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('full_name', new."full_name"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'split-user-name'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
      END;
      BEGIN
        <<"users">>
        DECLARE
          "full_name" text := "sync_split-user-name_8f8c271a".new."full_name";
        BEGIN
          "sync_split-user-name_8f8c271a".new."last_name" := (NULLIF(regexp_replace(full_name, '^[^ ]* ?'::text, ''::text), ''::text)
          );
        END;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        new."last_name" := NULL;
        IF EXISTS (SELECT 1
          FROM crossfade.runs AS crossfade_active
          WHERE crossfade_active.name = 'split-user-name'
          AND crossfade_active.state = 'active') THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.users', 'last_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('full_name', new."full_name"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'split-user-name'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
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
        AND (strpos(lower(current_query()), 'first_name') = 0 OR NOT (current_query() ~* E'\\mfirst_name\\M'))
        AND (strpos(lower(current_query()), 'last_name') = 0 OR NOT (current_query() ~* E'\\mlast_name\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['first_name', 'last_name']::text[], ARRAY['full_name']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"users">>
          DECLARE
            "full_name" text := "sync_split-user-name_8f8c271a".new."full_name";
          BEGIN
            "sync_split-user-name_8f8c271a".new."first_name" := (NULLIF(split_part(full_name, ' '::text, 1), ''::text)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."first_name" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'split-user-name'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.users', 'first_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('full_name', new."full_name"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'split-user-name'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
        BEGIN
          <<"users">>
          DECLARE
            "full_name" text := "sync_split-user-name_8f8c271a".new."full_name";
          BEGIN
            "sync_split-user-name_8f8c271a".new."last_name" := (NULLIF(regexp_replace(full_name, '^[^ ]* ?'::text, ''::text), ''::text)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."last_name" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'split-user-name'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.users', 'last_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('full_name', new."full_name"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'split-user-name'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_split-user-name_8f8c271a"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_split-user-name_8f8c271a"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_split-user-name_8f8c271a"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_split-user-name_8f8c271a', 'public.users');
CREATE OR REPLACE TRIGGER "zz_crossfade_split-user-name_u" BEFORE UPDATE ON public.users FOR EACH ROW
  WHEN (new."full_name" IS DISTINCT FROM old."full_name"
    OR new."first_name" IS DISTINCT FROM old."first_name"
    OR new."last_name" IS DISTINCT FROM old."last_name"
    OR (new."first_name" IS NULL AND new."last_name" IS NULL AND (new."full_name" IS NOT NULL))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_split-user-name_8f8c271a"();
CREATE OR REPLACE TRIGGER "zz_crossfade_split-user-name_i" BEFORE INSERT ON public.users FOR EACH ROW EXECUTE FUNCTION crossfade."sync_split-user-name_8f8c271a"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_split-user-name_i" ON public.users;
DROP TRIGGER IF EXISTS "zz_crossfade_split-user-name_u" ON public.users;
DROP FUNCTION IF EXISTS crossfade."sync_split-user-name_8f8c271a"();
DROP SEQUENCE IF EXISTS crossfade."old_split-user-name_8f8c271a";
DROP SEQUENCE IF EXISTS crossfade."new_split-user-name_8f8c271a";
DROP SEQUENCE IF EXISTS crossfade."untold_split-user-name_8f8c271a";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.users
UPDATE ONLY public.users AS "users" SET first_name = (NULLIF(split_part(full_name, ' '::text, 1), ''::text)
), last_name = (NULLIF(regexp_replace(full_name, '^[^ ]* ?'::text, ''::text), ''::text)
)
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND CASE
  WHEN ctid >= (SELECT ($1::text)::tid)
  AND ctid < (SELECT ($2::text)::tid)
  THEN (first_name IS NULL AND last_name IS NULL AND ((NULLIF(split_part(full_name, ' '::text, 1), ''::text)
    ) IS NOT NULL OR (NULLIF(regexp_replace(full_name, '^[^ ]* ?'::text, ''::text), ''::text)
    ) IS NOT NULL)) ELSE false END;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_split-user-name_8f8c271a";
CREATE OR REPLACE FUNCTION crossfade."sync_split-user-name_8f8c271a"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run split-user-name, table public.users; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_split-user-name_8f8c271a', 'public.users', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_split-user-name_8f8c271a" is for the table public.users only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('split-user-name') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'split-user-name'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'split-user-name'
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
      WHEN new."first_name" IS NOT NULL
      OR new."last_name" IS NOT NULL
      THEN 'new'
      WHEN new."full_name" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."full_name" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'first_name') = 0 OR NOT (current_query() ~* E'\\mfirst_name\\M'))
        AND (strpos(lower(current_query()), 'last_name') = 0 OR NOT (current_query() ~* E'\\mlast_name\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['first_name', 'last_name']::text[], ARRAY['full_name']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'first_name') = 0 OR NOT (current_query() ~* E'\\mfirst_name\\M'))
        AND (strpos(lower(current_query()), 'last_name') = 0 OR NOT (current_query() ~* E'\\mlast_name\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['first_name', 'last_name']::text[], ARRAY['full_name']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."full_name" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."first_name" IS DISTINCT FROM old."first_name" OR new."last_name" IS DISTINCT FROM old."last_name" THEN
    crossfade_side := 'new';
  ELSIF new."full_name" IS DISTINCT FROM old."full_name" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"users">>
      DECLARE
        "last_name" text := "sync_split-user-name_8f8c271a".new."last_name";
        "first_name" text := "sync_split-user-name_8f8c271a".new."first_name";
      BEGIN
        "sync_split-user-name_8f8c271a".new."full_name" := (concat_ws(' '::text, first_name, last_name)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'split-user-name'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.users', 'full_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('last_name', new."last_name", 'first_name', new."first_name"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'split-user-name'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."full_name" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mfull_name\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"users">>
      DECLARE
        "full_name" text := "sync_split-user-name_8f8c271a".new."full_name";
      BEGIN
        "sync_split-user-name_8f8c271a".new."first_name" := (NULLIF(split_part(full_name, ' '::text, 1), ''::text)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."first_name" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'split-user-name'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.users', 'first_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('full_name', new."full_name"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'split-user-name'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    BEGIN
      <<"users">>
      DECLARE
        "full_name" text := "sync_split-user-name_8f8c271a".new."full_name";
      BEGIN
        "sync_split-user-name_8f8c271a".new."last_name" := (NULLIF(regexp_replace(full_name, '^[^ ]* ?'::text, ''::text), ''::text)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."last_name" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'split-user-name'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.users', 'last_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('full_name', new."full_name"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'split-user-name'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
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
        AND (strpos(lower(current_query()), 'first_name') = 0 OR NOT (current_query() ~* E'\\mfirst_name\\M'))
        AND (strpos(lower(current_query()), 'last_name') = 0 OR NOT (current_query() ~* E'\\mlast_name\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['first_name', 'last_name']::text[], ARRAY['full_name']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"users">>
          DECLARE
            "full_name" text := "sync_split-user-name_8f8c271a".new."full_name";
          BEGIN
            "sync_split-user-name_8f8c271a".new."first_name" := (NULLIF(split_part(full_name, ' '::text, 1), ''::text)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."first_name" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'split-user-name'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.users', 'first_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('full_name', new."full_name"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'split-user-name'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
        BEGIN
          <<"users">>
          DECLARE
            "full_name" text := "sync_split-user-name_8f8c271a".new."full_name";
          BEGIN
            "sync_split-user-name_8f8c271a".new."last_name" := (NULLIF(regexp_replace(full_name, '^[^ ]* ?'::text, ''::text), ''::text)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."last_name" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'split-user-name'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.users', 'last_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('full_name', new."full_name"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'split-user-name'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_split-user-name_8f8c271a"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_split-user-name_8f8c271a"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_split-user-name_8f8c271a"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_split-user-name_8f8c271a', 'public.users');
CREATE OR REPLACE TRIGGER "zz_crossfade_split-user-name_u" BEFORE UPDATE ON public.users FOR EACH ROW
  WHEN (new."full_name" IS DISTINCT FROM old."full_name"
    OR new."first_name" IS DISTINCT FROM old."first_name"
    OR new."last_name" IS DISTINCT FROM old."last_name"
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_split-user-name_8f8c271a"();
-- undo:
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_split-user-name_8f8c271a";
CREATE OR REPLACE FUNCTION crossfade."sync_split-user-name_8f8c271a"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_columns:public.users
SELECT crossfade.keep_function('sync_split-user-name_8f8c271a', 'public.users');
CREATE OR REPLACE TRIGGER "zz_crossfade_split-user-name_u" BEFORE UPDATE ON public.users FOR EACH ROW
  WHEN (new."full_name" IS DISTINCT FROM old."full_name"
    OR new."first_name" IS DISTINCT FROM old."first_name"
    OR new."last_name" IS DISTINCT FROM old."last_name"
    OR (new."first_name" IS NULL AND new."last_name" IS NULL AND (new."full_name" IS NOT NULL))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_split-user-name_8f8c271a"();


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.users
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE CASE
  WHEN (first_name IS NULL
    AND (SELECT EXISTS (SELECT
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.users'
      AND crossfade_q.column_name = 'first_name'))
    AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('full_name', full_name)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.users'
      AND crossfade_q.column_name = 'first_name'))
  OR (last_name IS NULL
    AND (SELECT EXISTS (SELECT
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.users'
      AND crossfade_q.column_name = 'last_name'))
    AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('full_name', full_name)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.users'
      AND crossfade_q.column_name = 'last_name'))
  OR ((SELECT EXISTS (SELECT
    FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
    WHERE crossfade_r.state = 'active'
    AND crossfade_q.accepted_at IS NOT NULL
    AND crossfade_q.direction = 'backward'
    AND crossfade_q.table_name = 'public.users'
    AND crossfade_q.column_name = 'full_name'))
    AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('last_name', last_name, 'first_name', first_name)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'backward'
      AND crossfade_q.table_name = 'public.users'
      AND crossfade_q.column_name = 'full_name'))
  THEN false
  ELSE NOT ((NOT (first_name IS DISTINCT FROM (NULLIF(split_part(full_name, ' '::text, 1), ''::text)
        )::text)
          AND NOT (last_name IS DISTINCT FROM (NULLIF(regexp_replace(full_name, '^[^ ]* ?'::text, ''::text), ''::text)
        )::text)) OR (NOT (full_name IS DISTINCT FROM (concat_ws(' '::text, first_name, last_name)
        )::text))) END)
          FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, first_name AS first_name, full_name AS full_name, id AS id, last_name AS last_name
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
-- gate: no database object names public.users.full_name

-- retire_column:public.users.full_name
ALTER TABLE public.users RENAME COLUMN full_name TO full_name_crossfade_retired;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_split-user-name_8f8c271a";
CREATE OR REPLACE FUNCTION crossfade."sync_split-user-name_8f8c271a"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run split-user-name, table public.users; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_split-user-name_8f8c271a', 'public.users', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_split-user-name_8f8c271a" is for the table public.users only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('split-user-name') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'split-user-name'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'split-user-name'
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
      WHEN new."first_name" IS NOT NULL
      OR new."last_name" IS NOT NULL
      THEN 'new'
      WHEN new."full_name_crossfade_retired" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."full_name_crossfade_retired" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'first_name') = 0 OR NOT (current_query() ~* E'\\mfirst_name\\M'))
        AND (strpos(lower(current_query()), 'last_name') = 0 OR NOT (current_query() ~* E'\\mlast_name\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['first_name', 'last_name']::text[], ARRAY['full_name_crossfade_retired']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'first_name') = 0 OR NOT (current_query() ~* E'\\mfirst_name\\M'))
        AND (strpos(lower(current_query()), 'last_name') = 0 OR NOT (current_query() ~* E'\\mlast_name\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['first_name', 'last_name']::text[], ARRAY['full_name_crossfade_retired']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."full_name_crossfade_retired" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."first_name" IS DISTINCT FROM old."first_name" OR new."last_name" IS DISTINCT FROM old."last_name" THEN
    crossfade_side := 'new';
  ELSIF new."full_name_crossfade_retired" IS DISTINCT FROM old."full_name_crossfade_retired" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"users">>
      DECLARE
        "last_name" text := "sync_split-user-name_8f8c271a".new."last_name";
        "first_name" text := "sync_split-user-name_8f8c271a".new."first_name";
      BEGIN
        "sync_split-user-name_8f8c271a".new."full_name_crossfade_retired" := (concat_ws(' '::text, first_name, last_name)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'split-user-name'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.users', 'full_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('last_name', new."last_name", 'first_name', new."first_name"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'split-user-name'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."full_name_crossfade_retired" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\mfull_name_crossfade_retired\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"users">>
      DECLARE
        "full_name" text := "sync_split-user-name_8f8c271a".new."full_name_crossfade_retired";
      BEGIN
        "sync_split-user-name_8f8c271a".new."first_name" := (NULLIF(split_part(full_name, ' '::text, 1), ''::text)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."first_name" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'split-user-name'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.users', 'first_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('full_name', new."full_name_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'split-user-name'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    BEGIN
      <<"users">>
      DECLARE
        "full_name" text := "sync_split-user-name_8f8c271a".new."full_name_crossfade_retired";
      BEGIN
        "sync_split-user-name_8f8c271a".new."last_name" := (NULLIF(regexp_replace(full_name, '^[^ ]* ?'::text, ''::text), ''::text)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."last_name" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'split-user-name'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.users', 'last_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('full_name', new."full_name_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'split-user-name'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
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
        AND (strpos(lower(current_query()), 'first_name') = 0 OR NOT (current_query() ~* E'\\mfirst_name\\M'))
        AND (strpos(lower(current_query()), 'last_name') = 0 OR NOT (current_query() ~* E'\\mlast_name\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['first_name', 'last_name']::text[], ARRAY['full_name_crossfade_retired']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"users">>
          DECLARE
            "full_name" text := "sync_split-user-name_8f8c271a".new."full_name_crossfade_retired";
          BEGIN
            "sync_split-user-name_8f8c271a".new."first_name" := (NULLIF(split_part(full_name, ' '::text, 1), ''::text)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."first_name" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'split-user-name'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.users', 'first_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('full_name', new."full_name_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'split-user-name'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
        BEGIN
          <<"users">>
          DECLARE
            "full_name" text := "sync_split-user-name_8f8c271a".new."full_name_crossfade_retired";
          BEGIN
            "sync_split-user-name_8f8c271a".new."last_name" := (NULLIF(regexp_replace(full_name, '^[^ ]* ?'::text, ''::text), ''::text)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."last_name" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'split-user-name'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.users', 'last_name', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('full_name', new."full_name_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'split-user-name'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_split-user-name_8f8c271a"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_split-user-name_8f8c271a"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_split-user-name_8f8c271a"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
-- undo:
ALTER TABLE public.users RENAME COLUMN full_name_crossfade_retired TO full_name;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_split-user-name_8f8c271a";
CREATE OR REPLACE FUNCTION crossfade."sync_split-user-name_8f8c271a"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in backfill, fill:public.users


-- ======== contract, one transaction
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.users.full_name

-- drop_sync:public.users
DROP TRIGGER IF EXISTS "zz_crossfade_split-user-name_i" ON public.users;
DROP TRIGGER IF EXISTS "zz_crossfade_split-user-name_u" ON public.users;
DROP FUNCTION IF EXISTS crossfade."sync_split-user-name_8f8c271a"();
DROP SEQUENCE IF EXISTS crossfade."old_split-user-name_8f8c271a";
DROP SEQUENCE IF EXISTS crossfade."new_split-user-name_8f8c271a";
DROP SEQUENCE IF EXISTS crossfade."untold_split-user-name_8f8c271a";
-- cannot be undone

-- drop_column:public.users.full_name
ALTER TABLE public.users DROP COLUMN full_name_crossfade_retired;
-- cannot be undone
