-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.vehicles.license_plate_new
ALTER TABLE public.vehicles ADD COLUMN license_plate_new character varying(10);
-- undo:
ALTER TABLE public.vehicles DROP COLUMN license_plate_new;


-- ======== dual_write

-- sync_columns:public.vehicles
CREATE SEQUENCE IF NOT EXISTS crossfade."old_narrow-license-plate_ee687a2f";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_narrow-license-plate_ee687a2f";
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_narrow-license-plate_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_narrow-license-plate_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run narrow-license-plate, table public.vehicles; keeps both sides of a change in step, filling rows as they move
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
    AND NOT crossfade.is_made_for('sync_narrow-license-plate_ee687a2f', 'public.vehicles', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_narrow-license-plate_ee687a2f" is for the table public.vehicles only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('narrow-license-plate') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'narrow-license-plate'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'narrow-license-plate'
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
      WHEN new."license_plate_new" IS NOT NULL
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
        AND (strpos(lower(current_query()), 'license_plate_new') = 0
          OR NOT (current_query() ~* E'\\mlicense_plate_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['license_plate_new']::text[], ARRAY['license_plate']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'license_plate_new') = 0
          OR NOT (current_query() ~* E'\\mlicense_plate_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['license_plate_new']::text[], ARRAY['license_plate']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."license_plate" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF (new."license_plate_new")::text IS DISTINCT FROM (old."license_plate_new")::text THEN
    crossfade_side := 'new';
  ELSIF (new."license_plate")::text IS DISTINCT FROM (old."license_plate")::text THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."license_plate" := new."license_plate_new";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."license_plate" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mlicense_plate\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"vehicles">>
      DECLARE
        "license_plate" character varying(20) := "sync_narrow-license-plate_ee687a2f".new."license_plate";
      BEGIN
        "sync_narrow-license-plate_ee687a2f".new."license_plate_new" := ("substring"((license_plate)::text, 1, 10)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."license_plate_new" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'narrow-license-plate'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles', 'license_plate_new', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'narrow-license-plate'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF (new."license_plate_new" IS NULL AND (new."license_plate" IS NOT NULL)) THEN
      BEGIN
        <<"vehicles">>
        DECLARE
          "license_plate" character varying(20) := "sync_narrow-license-plate_ee687a2f".new."license_plate";
        BEGIN
          "sync_narrow-license-plate_ee687a2f".new."license_plate_new" := ("substring"((license_plate)::text, 1, 10)
          );
        END;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        new."license_plate_new" := NULL;
        IF EXISTS (SELECT 1
          FROM crossfade.runs AS crossfade_active
          WHERE crossfade_active.name = 'narrow-license-plate'
          AND crossfade_active.state = 'active') THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.vehicles', 'license_plate_new', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'narrow-license-plate'
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
        AND (strpos(lower(current_query()), 'license_plate_new') = 0
          OR NOT (current_query() ~* E'\\mlicense_plate_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['license_plate_new']::text[], ARRAY['license_plate']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"vehicles">>
          DECLARE
            "license_plate" character varying(20) := "sync_narrow-license-plate_ee687a2f".new."license_plate";
          BEGIN
            "sync_narrow-license-plate_ee687a2f".new."license_plate_new" := ("substring"((license_plate)::text, 1, 10)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."license_plate_new" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'narrow-license-plate'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.vehicles', 'license_plate_new', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'narrow-license-plate'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_narrow-license-plate_ee687a2f"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_narrow-license-plate_ee687a2f"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_narrow-license-plate_ee687a2f"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_narrow-license-plate_ee687a2f', 'public.vehicles');
CREATE OR REPLACE TRIGGER "zz_crossfade_narrow-license-plate_u" BEFORE UPDATE ON public.vehicles FOR EACH ROW
  WHEN ((new."license_plate")::text IS DISTINCT FROM (old."license_plate")::text
    OR (new."license_plate_new")::text IS DISTINCT FROM (old."license_plate_new")::text
    OR (new."license_plate_new" IS NULL AND (new."license_plate" IS NOT NULL))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_narrow-license-plate_ee687a2f"();
CREATE OR REPLACE TRIGGER "zz_crossfade_narrow-license-plate_i" BEFORE INSERT ON public.vehicles FOR EACH ROW EXECUTE FUNCTION crossfade."sync_narrow-license-plate_ee687a2f"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_narrow-license-plate_i" ON public.vehicles;
DROP TRIGGER IF EXISTS "zz_crossfade_narrow-license-plate_u" ON public.vehicles;
DROP FUNCTION IF EXISTS crossfade."sync_narrow-license-plate_ee687a2f"();
DROP SEQUENCE IF EXISTS crossfade."old_narrow-license-plate_ee687a2f";
DROP SEQUENCE IF EXISTS crossfade."new_narrow-license-plate_ee687a2f";
DROP SEQUENCE IF EXISTS crossfade."untold_narrow-license-plate_ee687a2f";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.vehicles
UPDATE ONLY public.vehicles AS "vehicles" SET license_plate_new = ("substring"((license_plate)::text, 1, 10)
)
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND CASE
  WHEN ctid >= (SELECT ($1::text)::tid)
  AND ctid < (SELECT ($2::text)::tid)
  THEN (license_plate_new IS NULL AND ("substring"((license_plate)::text, 1, 10)
  ) IS NOT NULL) ELSE false END;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_narrow-license-plate_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_narrow-license-plate_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run narrow-license-plate, table public.vehicles; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_narrow-license-plate_ee687a2f', 'public.vehicles', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_narrow-license-plate_ee687a2f" is for the table public.vehicles only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('narrow-license-plate') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'narrow-license-plate'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'narrow-license-plate'
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
      WHEN new."license_plate_new" IS NOT NULL
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
        AND (strpos(lower(current_query()), 'license_plate_new') = 0
          OR NOT (current_query() ~* E'\\mlicense_plate_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['license_plate_new']::text[], ARRAY['license_plate']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'license_plate_new') = 0
          OR NOT (current_query() ~* E'\\mlicense_plate_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['license_plate_new']::text[], ARRAY['license_plate']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."license_plate" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF (new."license_plate_new")::text IS DISTINCT FROM (old."license_plate_new")::text THEN
    crossfade_side := 'new';
  ELSIF (new."license_plate")::text IS DISTINCT FROM (old."license_plate")::text THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."license_plate" := new."license_plate_new";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."license_plate" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mlicense_plate\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"vehicles">>
      DECLARE
        "license_plate" character varying(20) := "sync_narrow-license-plate_ee687a2f".new."license_plate";
      BEGIN
        "sync_narrow-license-plate_ee687a2f".new."license_plate_new" := ("substring"((license_plate)::text, 1, 10)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."license_plate_new" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'narrow-license-plate'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles', 'license_plate_new', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'narrow-license-plate'
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
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'license_plate_new') = 0
          OR NOT (current_query() ~* E'\\mlicense_plate_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['license_plate_new']::text[], ARRAY['license_plate']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"vehicles">>
          DECLARE
            "license_plate" character varying(20) := "sync_narrow-license-plate_ee687a2f".new."license_plate";
          BEGIN
            "sync_narrow-license-plate_ee687a2f".new."license_plate_new" := ("substring"((license_plate)::text, 1, 10)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."license_plate_new" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'narrow-license-plate'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.vehicles', 'license_plate_new', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'narrow-license-plate'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_narrow-license-plate_ee687a2f"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_narrow-license-plate_ee687a2f"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_narrow-license-plate_ee687a2f"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_narrow-license-plate_ee687a2f', 'public.vehicles');
CREATE OR REPLACE TRIGGER "zz_crossfade_narrow-license-plate_u" BEFORE UPDATE ON public.vehicles FOR EACH ROW
  WHEN ((new."license_plate")::text IS DISTINCT FROM (old."license_plate")::text
    OR (new."license_plate_new")::text IS DISTINCT FROM (old."license_plate_new")::text
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_narrow-license-plate_ee687a2f"();
-- undo:
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_narrow-license-plate_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_narrow-license-plate_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_columns:public.vehicles
SELECT crossfade.keep_function('sync_narrow-license-plate_ee687a2f', 'public.vehicles');
CREATE OR REPLACE TRIGGER "zz_crossfade_narrow-license-plate_u" BEFORE UPDATE ON public.vehicles FOR EACH ROW
  WHEN ((new."license_plate")::text IS DISTINCT FROM (old."license_plate")::text
    OR (new."license_plate_new")::text IS DISTINCT FROM (old."license_plate_new")::text
    OR (new."license_plate_new" IS NULL AND (new."license_plate" IS NOT NULL))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_narrow-license-plate_ee687a2f"();


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.vehicles
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE CASE
  WHEN (license_plate_new IS NULL
    AND (SELECT EXISTS (SELECT
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.vehicles'
      AND crossfade_q.column_name = 'license_plate_new'))
    AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('license_plate', license_plate)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.vehicles'
      AND crossfade_q.column_name = 'license_plate_new'))
  THEN false
  ELSE NOT ((NOT ((license_plate_new)::text IS DISTINCT FROM (("substring"((license_plate)::text, 1, 10)
          )::character varying(10))::text)) OR (NOT ((license_plate)::text IS DISTINCT FROM ((license_plate_new
          )::character varying(20))::text))) END)
            FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, id AS id, license_plate AS license_plate, license_plate_new AS license_plate_new
              FROM ONLY public.vehicles
              WHERE ctid >= ($1::text)::tid
              AND ctid < ($2::text)::tid) AS "vehicles";

-- query:vehicles_license_plate_key stays unique
SELECT license_plate_new
  FROM public.vehicles
  WHERE license_plate_new IS NOT NULL GROUP BY license_plate_new HAVING count(*) > 1
  LIMIT 1;


-- ======== enforce
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== switch_reads
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== retire
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.vehicles.license_plate

-- retire_column:public.vehicles.license_plate
ALTER TABLE public.vehicles RENAME COLUMN license_plate TO license_plate_crossfade_retired;
ALTER TABLE public.vehicles RENAME COLUMN license_plate_new TO license_plate;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_narrow-license-plate_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_narrow-license-plate_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run narrow-license-plate, table public.vehicles; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_narrow-license-plate_ee687a2f', 'public.vehicles', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_narrow-license-plate_ee687a2f" is for the table public.vehicles only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('narrow-license-plate') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'narrow-license-plate'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'narrow-license-plate'
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
      WHEN new."license_plate" IS NOT NULL
      THEN 'new'
      WHEN new."license_plate_crossfade_retired" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."license_plate_crossfade_retired" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'license_plate') = 0 OR NOT (current_query() ~* E'\\mlicense_plate\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['license_plate']::text[], ARRAY['license_plate_crossfade_retired']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'license_plate') = 0 OR NOT (current_query() ~* E'\\mlicense_plate\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['license_plate']::text[], ARRAY['license_plate_crossfade_retired']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."license_plate_crossfade_retired" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF (new."license_plate")::text IS DISTINCT FROM (old."license_plate")::text THEN
    crossfade_side := 'new';
  ELSIF (new."license_plate_crossfade_retired")::text IS DISTINCT FROM (old."license_plate_crossfade_retired")::text THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."license_plate_crossfade_retired" := new."license_plate";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."license_plate_crossfade_retired" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\mlicense_plate_crossfade_retired\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"vehicles">>
      DECLARE
        "license_plate" character varying(20) := "sync_narrow-license-plate_ee687a2f".new."license_plate_crossfade_retired";
      BEGIN
        "sync_narrow-license-plate_ee687a2f".new."license_plate" := ("substring"((license_plate)::text, 1, 10)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."license_plate" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'narrow-license-plate'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles', 'license_plate_new', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'narrow-license-plate'
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
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'license_plate') = 0 OR NOT (current_query() ~* E'\\mlicense_plate\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['license_plate']::text[], ARRAY['license_plate_crossfade_retired']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"vehicles">>
          DECLARE
            "license_plate" character varying(20) := "sync_narrow-license-plate_ee687a2f".new."license_plate_crossfade_retired";
          BEGIN
            "sync_narrow-license-plate_ee687a2f".new."license_plate" := ("substring"((license_plate)::text, 1, 10)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."license_plate" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'narrow-license-plate'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.vehicles', 'license_plate_new', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'narrow-license-plate'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_narrow-license-plate_ee687a2f"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_narrow-license-plate_ee687a2f"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_narrow-license-plate_ee687a2f"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
-- undo:
ALTER TABLE public.vehicles RENAME COLUMN license_plate TO license_plate_new;
ALTER TABLE public.vehicles RENAME COLUMN license_plate_crossfade_retired TO license_plate;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_narrow-license-plate_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_narrow-license-plate_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in backfill, fill:public.vehicles

-- create_index:vehicles_license_plate_key_crossfade
CREATE UNIQUE INDEX CONCURRENTLY vehicles_license_plate_key_crossfade ON public.vehicles USING btree (license_plate);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.vehicles_license_plate_key_crossfade;

-- add_constraint:public.vehicles.vehicles_license_plate_key_crossfade
ALTER TABLE public.vehicles ADD CONSTRAINT vehicles_license_plate_key_crossfade UNIQUE
  USING INDEX vehicles_license_plate_key_crossfade;
-- undo:
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS vehicles_license_plate_key_crossfade;

-- set_not_null:public.vehicles.license_plate
ALTER TABLE public.vehicles ADD CONSTRAINT license_plate_crossfade_not_null CHECK (license_plate IS NOT NULL) NOT VALID;
ALTER TABLE public.vehicles VALIDATE CONSTRAINT license_plate_crossfade_not_null;
ALTER TABLE public.vehicles ALTER COLUMN license_plate SET NOT NULL;
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS license_plate_crossfade_not_null;
-- undo:
ALTER TABLE public.vehicles ALTER COLUMN license_plate DROP NOT NULL;
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS license_plate_crossfade_not_null;


-- ======== contract, one transaction
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.vehicles.license_plate

-- drop_sync:public.vehicles
DROP TRIGGER IF EXISTS "zz_crossfade_narrow-license-plate_i" ON public.vehicles;
DROP TRIGGER IF EXISTS "zz_crossfade_narrow-license-plate_u" ON public.vehicles;
DROP FUNCTION IF EXISTS crossfade."sync_narrow-license-plate_ee687a2f"();
DROP SEQUENCE IF EXISTS crossfade."old_narrow-license-plate_ee687a2f";
DROP SEQUENCE IF EXISTS crossfade."new_narrow-license-plate_ee687a2f";
DROP SEQUENCE IF EXISTS crossfade."untold_narrow-license-plate_ee687a2f";
-- cannot be undone

-- drop_column:public.vehicles.license_plate
ALTER TABLE public.vehicles DROP COLUMN license_plate_crossfade_retired;
-- cannot be undone

-- rename_object:public.vehicles.vehicles_license_plate_key_crossfade
ALTER TABLE public.vehicles RENAME CONSTRAINT vehicles_license_plate_key_crossfade TO vehicles_license_plate_key;
-- cannot be undone
