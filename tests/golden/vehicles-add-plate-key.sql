-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.vehicles.plate_key
ALTER TABLE public.vehicles ADD COLUMN plate_key text;
-- undo:
ALTER TABLE public.vehicles DROP COLUMN plate_key;


-- ======== dual_write

-- sync_columns:public.vehicles
CREATE SEQUENCE IF NOT EXISTS crossfade."old_add-plate-key_ee687a2f";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_add-plate-key_ee687a2f";
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_add-plate-key_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_add-plate-key_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run add-plate-key, table public.vehicles; keeps both sides of a change in step, filling rows as they move
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
  IF (tg_table_name <> 'vehicles' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.vehicles')
    AND NOT crossfade.is_made_for('sync_add-plate-key_ee687a2f', 'public.vehicles', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_add-plate-key_ee687a2f" is for the table public.vehicles only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('add-plate-key') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'add-plate-key'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        DELETE FROM crossfade.overtaken AS o USING crossfade.runs AS r
          WHERE r.name = 'add-plate-key'
            AND r.state = 'active'
            AND o.run_id = r.id
            AND o.table_name = 'public.vehicles.plate_key'
            AND o.row_key = pg_catalog.jsonb_build_object('id', new."id");
        UPDATE crossfade.overtaken AS o
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'add-plate-key'
            AND r.state = 'active'
            AND o.run_id = r.id
            AND o.table_name = 'public.vehicles.plate_key'
            AND o.row_key = pg_catalog.jsonb_build_object('id', old."id");
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'add-plate-key'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.vehicles'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."plate_key" IS NOT NULL
      THEN 'new'
      WHEN new."license_plate" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."license_plate" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'plate_key') = 0 OR NOT (current_query() ~* E'\\mplate_key\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY['license_plate']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'plate_key') = 0 OR NOT (current_query() ~* E'\\mplate_key\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY['license_plate']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."license_plate" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."plate_key" IS DISTINCT FROM old."plate_key" THEN
    crossfade_side := 'new';
  ELSIF (new."license_plate")::text IS DISTINCT FROM (old."license_plate")::text THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    NULL;
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'add-plate-key'
      AND crossfade_active.state = 'active') THEN
      INSERT INTO crossfade.overtaken (run_id, table_name, row_key) SELECT r.id, q.table_name, q.row_key
        FROM crossfade.runs AS r, (
          VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
          WHERE r.name = 'add-plate-key'
          AND r.state = 'active'
        AND (tg_op <> 'INSERT'
          OR NOT EXISTS (SELECT 1
            FROM public.vehicles AS crossfade_row
            WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id")) ON CONFLICT DO NOTHING;
    END IF;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."license_plate" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mlicense_plate\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"vehicles">>
      DECLARE
        "license_plate" character varying(20) := "sync_add-plate-key_ee687a2f".new."license_plate";
      BEGIN
        "sync_add-plate-key_ee687a2f".new."plate_key" := (lower(replace((license_plate)::text, '-'::text, ''::text))
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."plate_key" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'add-plate-key'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles', 'plate_key', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'add-plate-key' AND r.state = 'active' AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'add-plate-key'
      AND crossfade_active.state = 'active') THEN
      DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
            WHERE r.name = 'add-plate-key'
            AND r.state = 'active'
          AND (tg_op <> 'INSERT'
            OR NOT EXISTS (SELECT 1
              FROM public.vehicles AS crossfade_row
              WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id"))) AS gone
            WHERE (o.run_id, o.table_name, o.row_key) = (gone.id, gone.table_name, gone.row_key);
    END IF;
  ELSE
    IF (new."plate_key" IS NULL AND (new."license_plate" IS NOT NULL)) THEN
      BEGIN
        <<"vehicles">>
        DECLARE
          "license_plate" character varying(20) := "sync_add-plate-key_ee687a2f".new."license_plate";
        BEGIN
          "sync_add-plate-key_ee687a2f".new."plate_key" := (lower(replace((license_plate)::text, '-'::text, ''::text))
          );
        END;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        new."plate_key" := NULL;
        IF EXISTS (SELECT 1
          FROM crossfade.runs AS crossfade_active
          WHERE crossfade_active.name = 'add-plate-key'
          AND crossfade_active.state = 'active') THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.vehicles', 'plate_key', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'add-plate-key'
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
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'plate_key') = 0 OR NOT (current_query() ~* E'\\mplate_key\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY['license_plate']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"vehicles">>
          DECLARE
            "license_plate" character varying(20) := "sync_add-plate-key_ee687a2f".new."license_plate";
          BEGIN
            "sync_add-plate-key_ee687a2f".new."plate_key" := (lower(replace((license_plate)::text, '-'::text, ''::text))
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."plate_key" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'add-plate-key'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.vehicles', 'plate_key', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'add-plate-key'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
    IF tg_op = 'INSERT' THEN
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'add-plate-key'
        AND crossfade_active.state = 'active') THEN
        DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
            FROM crossfade.runs AS r, (
              VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
              WHERE r.name = 'add-plate-key'
              AND r.state = 'active'
            AND (tg_op <> 'INSERT'
              OR NOT EXISTS (SELECT 1
                FROM public.vehicles AS crossfade_row
                WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id"))) AS gone
              WHERE (o.run_id, o.table_name, o.row_key) = (gone.id, gone.table_name, gone.row_key);
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_add-plate-key_ee687a2f"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_add-plate-key_ee687a2f"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_add-plate-key_ee687a2f"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_add-plate-key_ee687a2f', 'public.vehicles');
CREATE OR REPLACE TRIGGER "zz_crossfade_add-plate-key_u" BEFORE UPDATE ON public.vehicles FOR EACH ROW
  WHEN ((new."license_plate")::text IS DISTINCT FROM (old."license_plate")::text
    OR new."plate_key" IS DISTINCT FROM old."plate_key"
    OR (new."plate_key" IS NULL AND (new."license_plate" IS NOT NULL))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_add-plate-key_ee687a2f"();
CREATE OR REPLACE TRIGGER "zz_crossfade_add-plate-key_i" BEFORE INSERT ON public.vehicles FOR EACH ROW EXECUTE FUNCTION crossfade."sync_add-plate-key_ee687a2f"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_add-plate-key_i" ON public.vehicles;
DROP TRIGGER IF EXISTS "zz_crossfade_add-plate-key_u" ON public.vehicles;
DROP FUNCTION IF EXISTS crossfade."sync_add-plate-key_ee687a2f"();
DROP SEQUENCE IF EXISTS crossfade."old_add-plate-key_ee687a2f";
DROP SEQUENCE IF EXISTS crossfade."new_add-plate-key_ee687a2f";
DROP SEQUENCE IF EXISTS crossfade."untold_add-plate-key_ee687a2f";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.vehicles
UPDATE ONLY public.vehicles AS "vehicles" SET plate_key = (lower(replace((license_plate)::text, '-'::text, ''::text))
)
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND CASE
  WHEN ctid >= (SELECT ($1::text)::tid)
  AND ctid < (SELECT ($2::text)::tid)
  THEN (plate_key IS NULL AND (lower(replace((license_plate)::text, '-'::text, ''::text))
  ) IS NOT NULL) ELSE false END;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_add-plate-key_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_add-plate-key_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run add-plate-key, table public.vehicles; keeps both sides of a change in step, not filling
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
  IF (tg_table_name <> 'vehicles' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.vehicles')
    AND NOT crossfade.is_made_for('sync_add-plate-key_ee687a2f', 'public.vehicles', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_add-plate-key_ee687a2f" is for the table public.vehicles only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('add-plate-key') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'add-plate-key'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        DELETE FROM crossfade.overtaken AS o USING crossfade.runs AS r
          WHERE r.name = 'add-plate-key'
            AND r.state = 'active'
            AND o.run_id = r.id
            AND o.table_name = 'public.vehicles.plate_key'
            AND o.row_key = pg_catalog.jsonb_build_object('id', new."id");
        UPDATE crossfade.overtaken AS o
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'add-plate-key'
            AND r.state = 'active'
            AND o.run_id = r.id
            AND o.table_name = 'public.vehicles.plate_key'
            AND o.row_key = pg_catalog.jsonb_build_object('id', old."id");
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'add-plate-key'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.vehicles'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."plate_key" IS NOT NULL
      THEN 'new'
      WHEN new."license_plate" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."license_plate" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'plate_key') = 0 OR NOT (current_query() ~* E'\\mplate_key\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY['license_plate']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'plate_key') = 0 OR NOT (current_query() ~* E'\\mplate_key\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY['license_plate']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."license_plate" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."plate_key" IS DISTINCT FROM old."plate_key" THEN
    crossfade_side := 'new';
  ELSIF (new."license_plate")::text IS DISTINCT FROM (old."license_plate")::text THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    NULL;
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'add-plate-key'
      AND crossfade_active.state = 'active') THEN
      INSERT INTO crossfade.overtaken (run_id, table_name, row_key) SELECT r.id, q.table_name, q.row_key
        FROM crossfade.runs AS r, (
          VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
          WHERE r.name = 'add-plate-key'
          AND r.state = 'active'
        AND (tg_op <> 'INSERT'
          OR NOT EXISTS (SELECT 1
            FROM public.vehicles AS crossfade_row
            WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id")) ON CONFLICT DO NOTHING;
    END IF;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."license_plate" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mlicense_plate\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"vehicles">>
      DECLARE
        "license_plate" character varying(20) := "sync_add-plate-key_ee687a2f".new."license_plate";
      BEGIN
        "sync_add-plate-key_ee687a2f".new."plate_key" := (lower(replace((license_plate)::text, '-'::text, ''::text))
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."plate_key" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'add-plate-key'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles', 'plate_key', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'add-plate-key' AND r.state = 'active' AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'add-plate-key'
      AND crossfade_active.state = 'active') THEN
      DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
            WHERE r.name = 'add-plate-key'
            AND r.state = 'active'
          AND (tg_op <> 'INSERT'
            OR NOT EXISTS (SELECT 1
              FROM public.vehicles AS crossfade_row
              WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id"))) AS gone
            WHERE (o.run_id, o.table_name, o.row_key) = (gone.id, gone.table_name, gone.row_key);
    END IF;
  ELSE
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'plate_key') = 0 OR NOT (current_query() ~* E'\\mplate_key\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY['license_plate']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"vehicles">>
          DECLARE
            "license_plate" character varying(20) := "sync_add-plate-key_ee687a2f".new."license_plate";
          BEGIN
            "sync_add-plate-key_ee687a2f".new."plate_key" := (lower(replace((license_plate)::text, '-'::text, ''::text))
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."plate_key" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'add-plate-key'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.vehicles', 'plate_key', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'add-plate-key'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
    IF tg_op = 'INSERT' THEN
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'add-plate-key'
        AND crossfade_active.state = 'active') THEN
        DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
            FROM crossfade.runs AS r, (
              VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
              WHERE r.name = 'add-plate-key'
              AND r.state = 'active'
            AND (tg_op <> 'INSERT'
              OR NOT EXISTS (SELECT 1
                FROM public.vehicles AS crossfade_row
                WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id"))) AS gone
              WHERE (o.run_id, o.table_name, o.row_key) = (gone.id, gone.table_name, gone.row_key);
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_add-plate-key_ee687a2f"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_add-plate-key_ee687a2f"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_add-plate-key_ee687a2f"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_add-plate-key_ee687a2f', 'public.vehicles');
CREATE OR REPLACE TRIGGER "zz_crossfade_add-plate-key_u" BEFORE UPDATE ON public.vehicles FOR EACH ROW
  WHEN ((new."license_plate")::text IS DISTINCT FROM (old."license_plate")::text
    OR new."plate_key" IS DISTINCT FROM old."plate_key"
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_add-plate-key_ee687a2f"();
-- undo:
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_add-plate-key_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_add-plate-key_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_columns:public.vehicles
SELECT crossfade.keep_function('sync_add-plate-key_ee687a2f', 'public.vehicles');
CREATE OR REPLACE TRIGGER "zz_crossfade_add-plate-key_u" BEFORE UPDATE ON public.vehicles FOR EACH ROW
  WHEN ((new."license_plate")::text IS DISTINCT FROM (old."license_plate")::text
    OR new."plate_key" IS DISTINCT FROM old."plate_key"
    OR (new."plate_key" IS NULL AND (new."license_plate" IS NOT NULL))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_add-plate-key_ee687a2f"();


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.vehicles
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE CASE
  WHEN (plate_key IS NULL
    AND (SELECT EXISTS (SELECT
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.vehicles'
      AND crossfade_q.column_name = 'plate_key'))
    AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('license_plate', license_plate)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.vehicles'
      AND crossfade_q.column_name = 'plate_key'))
  OR ((SELECT EXISTS (SELECT
    FROM crossfade.overtaken AS crossfade_o JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_o.run_id
    WHERE crossfade_r.state = 'active'
    AND crossfade_o.table_name = 'public.vehicles.plate_key'))
    AND pg_catalog.jsonb_build_object('id', id) IN (SELECT crossfade_o.row_key
      FROM crossfade.overtaken AS crossfade_o JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_o.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_o.table_name = 'public.vehicles.plate_key'))
  THEN false
  ELSE NOT (NOT (plate_key IS DISTINCT FROM (lower(replace((license_plate)::text, '-'::text, ''::text))
      )::text)) END)
        FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, id AS id, license_plate AS license_plate, plate_key AS plate_key
          FROM ONLY public.vehicles
          WHERE ctid >= ($1::text)::tid
          AND ctid < ($2::text)::tid) AS "vehicles";


-- ======== switch_reads
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== retire
-- gate: no row in quarantine
-- gate: the triggers are in place

-- set_not_null:public.vehicles.plate_key
ALTER TABLE public.vehicles ADD CONSTRAINT plate_key_crossfade_not_null CHECK (plate_key IS NOT NULL) NOT VALID;
ALTER TABLE public.vehicles VALIDATE CONSTRAINT plate_key_crossfade_not_null;
ALTER TABLE public.vehicles ALTER COLUMN plate_key SET NOT NULL;
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS plate_key_crossfade_not_null;
-- undo:
ALTER TABLE public.vehicles ALTER COLUMN plate_key DROP NOT NULL;
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS plate_key_crossfade_not_null;


-- ======== contract
-- gate: no row in quarantine
-- gate: the triggers are in place

-- drop_sync:public.vehicles
DROP TRIGGER IF EXISTS "zz_crossfade_add-plate-key_i" ON public.vehicles;
DROP TRIGGER IF EXISTS "zz_crossfade_add-plate-key_u" ON public.vehicles;
DROP FUNCTION IF EXISTS crossfade."sync_add-plate-key_ee687a2f"();
DROP SEQUENCE IF EXISTS crossfade."old_add-plate-key_ee687a2f";
DROP SEQUENCE IF EXISTS crossfade."new_add-plate-key_ee687a2f";
DROP SEQUENCE IF EXISTS crossfade."untold_add-plate-key_ee687a2f";
-- cannot be undone
