-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.vehicles.fuel
ALTER TABLE public.vehicles ADD COLUMN fuel text DEFAULT 'diesel' NOT NULL;
-- undo:
ALTER TABLE public.vehicles DROP COLUMN fuel;

-- add_column:public.vehicles.vehicle_status
ALTER TABLE public.vehicles ADD COLUMN vehicle_status character varying(50);
-- undo:
ALTER TABLE public.vehicles DROP COLUMN vehicle_status;

-- add_column:public.vehicles.mileage_new
ALTER TABLE public.vehicles ADD COLUMN mileage_new bigint;
COMMENT ON COLUMN public.vehicles.mileage_new IS 'in km';
-- undo:
ALTER TABLE public.vehicles DROP COLUMN mileage_new;

-- add_column:public.vehicles.plate_key
ALTER TABLE public.vehicles ADD COLUMN plate_key text;
-- undo:
ALTER TABLE public.vehicles DROP COLUMN plate_key;

-- drop_not_null:public.vehicles.radio_code
ALTER TABLE public.vehicles ALTER COLUMN radio_code DROP NOT NULL;
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS radio_code_crossfade_not_null;
-- undo:
ALTER TABLE public.vehicles ADD CONSTRAINT radio_code_crossfade_not_null CHECK (radio_code IS NOT NULL) NOT VALID;
ALTER TABLE public.vehicles VALIDATE CONSTRAINT radio_code_crossfade_not_null;
ALTER TABLE public.vehicles ALTER COLUMN radio_code SET NOT NULL;
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS radio_code_crossfade_not_null;

-- create_index:vehicles_fuel_idx
CREATE INDEX CONCURRENTLY vehicles_fuel_idx ON public.vehicles USING btree (fuel);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.vehicles_fuel_idx;


-- ======== dual_write

-- sync_columns:public.vehicles
CREATE SEQUENCE IF NOT EXISTS crossfade."old_vehicles-cleanup_ee687a2f";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_vehicles-cleanup_ee687a2f";
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_vehicles-cleanup_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_vehicles-cleanup_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run vehicles-cleanup, table public.vehicles; keeps both sides of a change in step, filling rows as they move
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
    AND NOT crossfade.is_made_for('sync_vehicles-cleanup_ee687a2f', 'public.vehicles', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_vehicles-cleanup_ee687a2f" is for the table public.vehicles only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('vehicles-cleanup') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'vehicles-cleanup'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        DELETE FROM crossfade.overtaken AS o USING crossfade.runs AS r
          WHERE r.name = 'vehicles-cleanup'
            AND r.state = 'active'
            AND o.run_id = r.id
            AND o.table_name = 'public.vehicles.plate_key'
            AND o.row_key = pg_catalog.jsonb_build_object('id', new."id");
        UPDATE crossfade.overtaken AS o
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'vehicles-cleanup'
            AND r.state = 'active'
            AND o.run_id = r.id
            AND o.table_name = 'public.vehicles.plate_key'
            AND o.row_key = pg_catalog.jsonb_build_object('id', old."id");
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'vehicles-cleanup'
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
      WHEN new."mileage_new" IS NOT NULL
      THEN 'new'
      WHEN new."mileage" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."mileage" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'mileage_new') = 0 OR NOT (current_query() ~* E'\\mmileage_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['mileage_new']::text[], ARRAY['mileage']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_side = 'old' OR crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'mileage_new') = 0 OR NOT (current_query() ~* E'\\mmileage_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['mileage_new']::text[], ARRAY['mileage']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."mileage" IS DISTINCT FROM (0)::integer);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."mileage_new" IS DISTINCT FROM old."mileage_new" THEN
    crossfade_side := 'new';
  ELSIF new."mileage" IS DISTINCT FROM old."mileage" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"vehicles">>
      DECLARE
        "mileage_new" bigint := "sync_vehicles-cleanup_ee687a2f".new."mileage_new";
      BEGIN
        "sync_vehicles-cleanup_ee687a2f".new."mileage" := (mileage_new
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'vehicles-cleanup'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles', 'mileage', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('mileage_new', new."mileage_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'vehicles-cleanup'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."mileage" IS DISTINCT FROM (0)::integer OR left(current_query(), 10000) ~* E'\\mmileage\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."mileage_new" := new."mileage";
  ELSE
    IF (new."mileage_new" IS NULL AND (new."mileage" IS NOT NULL)) THEN
      new."mileage_new" := new."mileage";
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
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY[]::text[]) END;
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
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY[]::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (false);
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
      WHERE crossfade_active.name = 'vehicles-cleanup'
      AND crossfade_active.state = 'active') THEN
      INSERT INTO crossfade.overtaken (run_id, table_name, row_key) SELECT r.id, q.table_name, q.row_key
        FROM crossfade.runs AS r, (
          VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
          WHERE r.name = 'vehicles-cleanup'
          AND r.state = 'active'
        AND (tg_op <> 'INSERT'
          OR NOT EXISTS (SELECT 1
            FROM public.vehicles AS crossfade_row
            WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id")) ON CONFLICT DO NOTHING;
    END IF;
  ELSIF crossfade_side = 'old' THEN
    BEGIN
      <<"vehicles">>
      DECLARE
        "license_plate" character varying(20) := "sync_vehicles-cleanup_ee687a2f".new."license_plate";
      BEGIN
        "sync_vehicles-cleanup_ee687a2f".new."plate_key" := (upper((license_plate)::text)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."plate_key" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'vehicles-cleanup'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles', 'plate_key', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'vehicles-cleanup'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'vehicles-cleanup'
      AND crossfade_active.state = 'active') THEN
      DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
            WHERE r.name = 'vehicles-cleanup'
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
          "license_plate" character varying(20) := "sync_vehicles-cleanup_ee687a2f".new."license_plate";
        BEGIN
          "sync_vehicles-cleanup_ee687a2f".new."plate_key" := (upper((license_plate)::text)
          );
        END;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        new."plate_key" := NULL;
        IF EXISTS (SELECT 1
          FROM crossfade.runs AS crossfade_active
          WHERE crossfade_active.name = 'vehicles-cleanup'
          AND crossfade_active.state = 'active') THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.vehicles', 'plate_key', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'vehicles-cleanup'
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
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY[]::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"vehicles">>
          DECLARE
            "license_plate" character varying(20) := "sync_vehicles-cleanup_ee687a2f".new."license_plate";
          BEGIN
            "sync_vehicles-cleanup_ee687a2f".new."plate_key" := (upper((license_plate)::text)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."plate_key" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'vehicles-cleanup'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.vehicles', 'plate_key', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'vehicles-cleanup'
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
        WHERE crossfade_active.name = 'vehicles-cleanup'
        AND crossfade_active.state = 'active') THEN
        DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
            FROM crossfade.runs AS r, (
              VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
              WHERE r.name = 'vehicles-cleanup'
              AND r.state = 'active'
            AND (tg_op <> 'INSERT'
              OR NOT EXISTS (SELECT 1
                FROM public.vehicles AS crossfade_row
                WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id"))) AS gone
              WHERE (o.run_id, o.table_name, o.row_key) = (gone.id, gone.table_name, gone.row_key);
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."vehicle_status" IS NOT NULL
      THEN 'new'
      WHEN new."status" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."status" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'vehicle_status') = 0 OR NOT (current_query() ~* E'\\mvehicle_status\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['vehicle_status']::text[], ARRAY['status']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_side = 'old' OR crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'vehicle_status') = 0 OR NOT (current_query() ~* E'\\mvehicle_status\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['vehicle_status']::text[], ARRAY['status']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT ((new."status")::text IS DISTINCT FROM (('active'::character varying)::character varying(50))::text);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF (new."vehicle_status")::text IS DISTINCT FROM (old."vehicle_status")::text THEN
    crossfade_side := 'new';
  ELSIF (new."status")::text IS DISTINCT FROM (old."status")::text THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."status" := new."vehicle_status";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF ((new."status")::text IS DISTINCT FROM (('active'::character varying)::character varying(50))::text
      OR left(current_query(), 10000) ~* E'\\mstatus\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."vehicle_status" := new."status";
  ELSE
    IF (new."vehicle_status" IS NULL AND (new."status" IS NOT NULL)) THEN
      new."vehicle_status" := new."status";
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_vehicles-cleanup_ee687a2f"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_vehicles-cleanup_ee687a2f"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_vehicles-cleanup_ee687a2f"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_vehicles-cleanup_ee687a2f', 'public.vehicles');
CREATE OR REPLACE TRIGGER "zz_crossfade_vehicles-cleanup_u" BEFORE UPDATE ON public.vehicles FOR EACH ROW
  WHEN (new."mileage" IS DISTINCT FROM old."mileage"
    OR new."mileage_new" IS DISTINCT FROM old."mileage_new"
    OR (new."mileage_new" IS NULL AND (new."mileage" IS NOT NULL))
    OR (new."license_plate")::text IS DISTINCT FROM (old."license_plate")::text
    OR new."plate_key" IS DISTINCT FROM old."plate_key"
    OR (new."plate_key" IS NULL AND (new."license_plate" IS NOT NULL))
    OR (new."vehicle_status")::text IS DISTINCT FROM (new."status")::text
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_vehicles-cleanup_ee687a2f"();
CREATE OR REPLACE TRIGGER "zz_crossfade_vehicles-cleanup_i" BEFORE INSERT ON public.vehicles FOR EACH ROW EXECUTE FUNCTION crossfade."sync_vehicles-cleanup_ee687a2f"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_vehicles-cleanup_i" ON public.vehicles;
DROP TRIGGER IF EXISTS "zz_crossfade_vehicles-cleanup_u" ON public.vehicles;
DROP FUNCTION IF EXISTS crossfade."sync_vehicles-cleanup_ee687a2f"();
DROP SEQUENCE IF EXISTS crossfade."old_vehicles-cleanup_ee687a2f";
DROP SEQUENCE IF EXISTS crossfade."new_vehicles-cleanup_ee687a2f";
DROP SEQUENCE IF EXISTS crossfade."untold_vehicles-cleanup_ee687a2f";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.vehicles
UPDATE ONLY public.vehicles AS "vehicles"
  SET mileage_new = CASE
  WHEN (mileage_new IS NULL AND mileage IS NOT NULL)
  THEN mileage
  ELSE mileage_new END, plate_key = CASE
  WHEN (plate_key IS NULL AND (upper((license_plate)::text)
  ) IS NOT NULL) THEN (upper((license_plate)::text)
)
  ELSE plate_key END, vehicle_status = CASE
  WHEN (vehicle_status IS NULL AND status IS NOT NULL)
  THEN status
  ELSE vehicle_status END
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND CASE
  WHEN ctid >= (SELECT ($1::text)::tid)
  AND ctid < (SELECT ($2::text)::tid)
  THEN ((mileage_new IS NULL AND mileage IS NOT NULL) OR (plate_key IS NULL AND (upper((license_plate)::text)
    ) IS NOT NULL) OR (vehicle_status IS NULL AND status IS NOT NULL)) ELSE false END;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_vehicles-cleanup_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_vehicles-cleanup_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run vehicles-cleanup, table public.vehicles; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_vehicles-cleanup_ee687a2f', 'public.vehicles', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_vehicles-cleanup_ee687a2f" is for the table public.vehicles only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('vehicles-cleanup') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'vehicles-cleanup'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        DELETE FROM crossfade.overtaken AS o USING crossfade.runs AS r
          WHERE r.name = 'vehicles-cleanup'
            AND r.state = 'active'
            AND o.run_id = r.id
            AND o.table_name = 'public.vehicles.plate_key'
            AND o.row_key = pg_catalog.jsonb_build_object('id', new."id");
        UPDATE crossfade.overtaken AS o
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'vehicles-cleanup'
            AND r.state = 'active'
            AND o.run_id = r.id
            AND o.table_name = 'public.vehicles.plate_key'
            AND o.row_key = pg_catalog.jsonb_build_object('id', old."id");
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'vehicles-cleanup'
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
      WHEN new."mileage_new" IS NOT NULL
      THEN 'new'
      WHEN new."mileage" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."mileage" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'mileage_new') = 0 OR NOT (current_query() ~* E'\\mmileage_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['mileage_new']::text[], ARRAY['mileage']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_side = 'old' OR crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'mileage_new') = 0 OR NOT (current_query() ~* E'\\mmileage_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['mileage_new']::text[], ARRAY['mileage']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."mileage" IS DISTINCT FROM (0)::integer);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."mileage_new" IS DISTINCT FROM old."mileage_new" THEN
    crossfade_side := 'new';
  ELSIF new."mileage" IS DISTINCT FROM old."mileage" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"vehicles">>
      DECLARE
        "mileage_new" bigint := "sync_vehicles-cleanup_ee687a2f".new."mileage_new";
      BEGIN
        "sync_vehicles-cleanup_ee687a2f".new."mileage" := (mileage_new
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'vehicles-cleanup'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles', 'mileage', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('mileage_new', new."mileage_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'vehicles-cleanup'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."mileage" IS DISTINCT FROM (0)::integer OR left(current_query(), 10000) ~* E'\\mmileage\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."mileage_new" := new."mileage";
  ELSE
    NULL;
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
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY[]::text[]) END;
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
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY[]::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (false);
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
      WHERE crossfade_active.name = 'vehicles-cleanup'
      AND crossfade_active.state = 'active') THEN
      INSERT INTO crossfade.overtaken (run_id, table_name, row_key) SELECT r.id, q.table_name, q.row_key
        FROM crossfade.runs AS r, (
          VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
          WHERE r.name = 'vehicles-cleanup'
          AND r.state = 'active'
        AND (tg_op <> 'INSERT'
          OR NOT EXISTS (SELECT 1
            FROM public.vehicles AS crossfade_row
            WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id")) ON CONFLICT DO NOTHING;
    END IF;
  ELSIF crossfade_side = 'old' THEN
    BEGIN
      <<"vehicles">>
      DECLARE
        "license_plate" character varying(20) := "sync_vehicles-cleanup_ee687a2f".new."license_plate";
      BEGIN
        "sync_vehicles-cleanup_ee687a2f".new."plate_key" := (upper((license_plate)::text)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."plate_key" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'vehicles-cleanup'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles', 'plate_key', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'vehicles-cleanup'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'vehicles-cleanup'
      AND crossfade_active.state = 'active') THEN
      DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
            WHERE r.name = 'vehicles-cleanup'
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
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY[]::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"vehicles">>
          DECLARE
            "license_plate" character varying(20) := "sync_vehicles-cleanup_ee687a2f".new."license_plate";
          BEGIN
            "sync_vehicles-cleanup_ee687a2f".new."plate_key" := (upper((license_plate)::text)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."plate_key" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'vehicles-cleanup'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.vehicles', 'plate_key', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'vehicles-cleanup'
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
        WHERE crossfade_active.name = 'vehicles-cleanup'
        AND crossfade_active.state = 'active') THEN
        DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
            FROM crossfade.runs AS r, (
              VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
              WHERE r.name = 'vehicles-cleanup'
              AND r.state = 'active'
            AND (tg_op <> 'INSERT'
              OR NOT EXISTS (SELECT 1
                FROM public.vehicles AS crossfade_row
                WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id"))) AS gone
              WHERE (o.run_id, o.table_name, o.row_key) = (gone.id, gone.table_name, gone.row_key);
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."vehicle_status" IS NOT NULL
      THEN 'new'
      WHEN new."status" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."status" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'vehicle_status') = 0 OR NOT (current_query() ~* E'\\mvehicle_status\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['vehicle_status']::text[], ARRAY['status']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_side = 'old' OR crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'vehicle_status') = 0 OR NOT (current_query() ~* E'\\mvehicle_status\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['vehicle_status']::text[], ARRAY['status']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT ((new."status")::text IS DISTINCT FROM (('active'::character varying)::character varying(50))::text);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF (new."vehicle_status")::text IS DISTINCT FROM (old."vehicle_status")::text THEN
    crossfade_side := 'new';
  ELSIF (new."status")::text IS DISTINCT FROM (old."status")::text THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."status" := new."vehicle_status";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF ((new."status")::text IS DISTINCT FROM (('active'::character varying)::character varying(50))::text
      OR left(current_query(), 10000) ~* E'\\mstatus\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."vehicle_status" := new."status";
  ELSE
    NULL;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_vehicles-cleanup_ee687a2f"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_vehicles-cleanup_ee687a2f"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_vehicles-cleanup_ee687a2f"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_vehicles-cleanup_ee687a2f', 'public.vehicles');
CREATE OR REPLACE TRIGGER "zz_crossfade_vehicles-cleanup_u" BEFORE UPDATE ON public.vehicles FOR EACH ROW
  WHEN (new."mileage" IS DISTINCT FROM old."mileage"
    OR new."mileage_new" IS DISTINCT FROM old."mileage_new"
    OR (new."license_plate")::text IS DISTINCT FROM (old."license_plate")::text
    OR new."plate_key" IS DISTINCT FROM old."plate_key"
    OR (new."vehicle_status")::text IS DISTINCT FROM (new."status")::text
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_vehicles-cleanup_ee687a2f"();
-- undo:
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_vehicles-cleanup_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_vehicles-cleanup_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_columns:public.vehicles
SELECT crossfade.keep_function('sync_vehicles-cleanup_ee687a2f', 'public.vehicles');
CREATE OR REPLACE TRIGGER "zz_crossfade_vehicles-cleanup_u" BEFORE UPDATE ON public.vehicles FOR EACH ROW
  WHEN (new."mileage" IS DISTINCT FROM old."mileage"
    OR new."mileage_new" IS DISTINCT FROM old."mileage_new"
    OR (new."mileage_new" IS NULL AND (new."mileage" IS NOT NULL))
    OR (new."license_plate")::text IS DISTINCT FROM (old."license_plate")::text
    OR new."plate_key" IS DISTINCT FROM old."plate_key"
    OR (new."plate_key" IS NULL AND (new."license_plate" IS NOT NULL))
    OR (new."vehicle_status")::text IS DISTINCT FROM (new."status")::text
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_vehicles-cleanup_ee687a2f"();


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.vehicles
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE (CASE
    WHEN ((SELECT EXISTS (SELECT
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'backward'
      AND crossfade_q.table_name = 'public.vehicles'
      AND crossfade_q.column_name = 'mileage'))
      AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('mileage_new', mileage_new)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
        FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
        WHERE crossfade_r.state = 'active'
        AND crossfade_q.accepted_at IS NOT NULL
        AND crossfade_q.direction = 'backward'
        AND crossfade_q.table_name = 'public.vehicles'
        AND crossfade_q.column_name = 'mileage'))
    THEN false
    ELSE NOT ((NOT (mileage_new IS DISTINCT FROM (mileage
          )::bigint)) OR (NOT (mileage IS DISTINCT FROM (mileage_new
          )::integer))) END
            OR CASE
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
            ELSE NOT (NOT (plate_key IS DISTINCT FROM (upper((license_plate)::text)
        )::text)) END
          OR NOT (NOT ((vehicle_status)::text IS DISTINCT FROM (status)::text))))
          FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, id AS id, license_plate AS license_plate, mileage AS mileage, mileage_new AS mileage_new, plate_key AS plate_key, status AS status, vehicle_status AS vehicle_status
            FROM ONLY public.vehicles
            WHERE ctid >= ($1::text)::tid
            AND ctid < ($2::text)::tid) AS "vehicles";


-- ======== enforce
-- gate: no row in quarantine
-- gate: the triggers are in place

-- create_index:vehicles_color_crossfade
CREATE INDEX CONCURRENTLY vehicles_color_crossfade ON public.vehicles
  USING btree (lower((color)::text) DESC) INCLUDE (vehicle_status) WITH (fillfactor='80');
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.vehicles_color_crossfade;

-- create_index:vehicles_status_idx_crossfade
CREATE INDEX CONCURRENTLY vehicles_status_idx_crossfade ON public.vehicles USING btree (vehicle_status);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.vehicles_status_idx_crossfade;

-- add_constraint:public.vehicles.vehicles_mileage_low_crossfade
ALTER TABLE public.vehicles ADD CONSTRAINT vehicles_mileage_low_crossfade CHECK ((mileage_new < 5000000)) NOT VALID;
ALTER TABLE public.vehicles VALIDATE CONSTRAINT vehicles_mileage_low_crossfade;
-- undo:
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS vehicles_mileage_low_crossfade;

-- add_constraint:public.vehicles.vehicles_status_check_crossfade
ALTER TABLE public.vehicles ADD CONSTRAINT vehicles_status_check_crossfade CHECK (((vehicle_status)::text <> ''::text)) NOT VALID;
ALTER TABLE public.vehicles VALIDATE CONSTRAINT vehicles_status_check_crossfade;
-- undo:
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS vehicles_status_check_crossfade;

-- set_not_null:public.vehicles.vehicle_status
ALTER TABLE public.vehicles ADD CONSTRAINT vehicle_status_crossfade_not_null CHECK (vehicle_status IS NOT NULL) NOT VALID;
ALTER TABLE public.vehicles VALIDATE CONSTRAINT vehicle_status_crossfade_not_null;
ALTER TABLE public.vehicles ALTER COLUMN vehicle_status SET NOT NULL;
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS vehicle_status_crossfade_not_null;
-- undo:
ALTER TABLE public.vehicles ALTER COLUMN vehicle_status DROP NOT NULL;
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS vehicle_status_crossfade_not_null;

-- set_not_null:public.vehicles.mileage_new
ALTER TABLE public.vehicles ADD CONSTRAINT mileage_new_crossfade_not_null CHECK (mileage_new IS NOT NULL) NOT VALID;
ALTER TABLE public.vehicles VALIDATE CONSTRAINT mileage_new_crossfade_not_null;
ALTER TABLE public.vehicles ALTER COLUMN mileage_new SET NOT NULL;
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS mileage_new_crossfade_not_null;
-- undo:
ALTER TABLE public.vehicles ALTER COLUMN mileage_new DROP NOT NULL;
ALTER TABLE public.vehicles DROP CONSTRAINT IF EXISTS mileage_new_crossfade_not_null;


-- ======== switch_reads
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== retire
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.vehicles.status, public.vehicles.mileage

-- retire_column:public.vehicles.status
ALTER TABLE public.vehicles RENAME COLUMN status TO status_crossfade_retired;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_vehicles-cleanup_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_vehicles-cleanup_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run vehicles-cleanup, table public.vehicles; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_vehicles-cleanup_ee687a2f', 'public.vehicles', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_vehicles-cleanup_ee687a2f" is for the table public.vehicles only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('vehicles-cleanup') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'vehicles-cleanup'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        DELETE FROM crossfade.overtaken AS o USING crossfade.runs AS r
          WHERE r.name = 'vehicles-cleanup'
            AND r.state = 'active'
            AND o.run_id = r.id
            AND o.table_name = 'public.vehicles.plate_key'
            AND o.row_key = pg_catalog.jsonb_build_object('id', new."id");
        UPDATE crossfade.overtaken AS o
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'vehicles-cleanup'
            AND r.state = 'active'
            AND o.run_id = r.id
            AND o.table_name = 'public.vehicles.plate_key'
            AND o.row_key = pg_catalog.jsonb_build_object('id', old."id");
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'vehicles-cleanup'
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
      WHEN new."mileage_new" IS NOT NULL
      THEN 'new'
      WHEN new."mileage" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."mileage" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'mileage_new') = 0 OR NOT (current_query() ~* E'\\mmileage_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['mileage_new']::text[], ARRAY['mileage']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_side = 'old' OR crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'mileage_new') = 0 OR NOT (current_query() ~* E'\\mmileage_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['mileage_new']::text[], ARRAY['mileage']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."mileage" IS DISTINCT FROM (0)::integer);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."mileage_new" IS DISTINCT FROM old."mileage_new" THEN
    crossfade_side := 'new';
  ELSIF new."mileage" IS DISTINCT FROM old."mileage" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"vehicles">>
      DECLARE
        "mileage_new" bigint := "sync_vehicles-cleanup_ee687a2f".new."mileage_new";
      BEGIN
        "sync_vehicles-cleanup_ee687a2f".new."mileage" := (mileage_new
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'vehicles-cleanup'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles', 'mileage', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('mileage_new', new."mileage_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'vehicles-cleanup'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."mileage" IS DISTINCT FROM (0)::integer OR left(current_query(), 10000) ~* E'\\mmileage\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."mileage_new" := new."mileage";
  ELSE
    NULL;
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
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY[]::text[]) END;
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
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY[]::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (false);
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
      WHERE crossfade_active.name = 'vehicles-cleanup'
      AND crossfade_active.state = 'active') THEN
      INSERT INTO crossfade.overtaken (run_id, table_name, row_key) SELECT r.id, q.table_name, q.row_key
        FROM crossfade.runs AS r, (
          VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
          WHERE r.name = 'vehicles-cleanup'
          AND r.state = 'active'
        AND (tg_op <> 'INSERT'
          OR NOT EXISTS (SELECT 1
            FROM public.vehicles AS crossfade_row
            WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id")) ON CONFLICT DO NOTHING;
    END IF;
  ELSIF crossfade_side = 'old' THEN
    BEGIN
      <<"vehicles">>
      DECLARE
        "license_plate" character varying(20) := "sync_vehicles-cleanup_ee687a2f".new."license_plate";
      BEGIN
        "sync_vehicles-cleanup_ee687a2f".new."plate_key" := (upper((license_plate)::text)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."plate_key" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'vehicles-cleanup'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles', 'plate_key', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'vehicles-cleanup'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'vehicles-cleanup'
      AND crossfade_active.state = 'active') THEN
      DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
            WHERE r.name = 'vehicles-cleanup'
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
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY[]::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"vehicles">>
          DECLARE
            "license_plate" character varying(20) := "sync_vehicles-cleanup_ee687a2f".new."license_plate";
          BEGIN
            "sync_vehicles-cleanup_ee687a2f".new."plate_key" := (upper((license_plate)::text)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."plate_key" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'vehicles-cleanup'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.vehicles', 'plate_key', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'vehicles-cleanup'
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
        WHERE crossfade_active.name = 'vehicles-cleanup'
        AND crossfade_active.state = 'active') THEN
        DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
            FROM crossfade.runs AS r, (
              VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
              WHERE r.name = 'vehicles-cleanup'
              AND r.state = 'active'
            AND (tg_op <> 'INSERT'
              OR NOT EXISTS (SELECT 1
                FROM public.vehicles AS crossfade_row
                WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id"))) AS gone
              WHERE (o.run_id, o.table_name, o.row_key) = (gone.id, gone.table_name, gone.row_key);
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."vehicle_status" IS NOT NULL
      THEN 'new'
      WHEN new."status_crossfade_retired" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."status_crossfade_retired" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'vehicle_status') = 0 OR NOT (current_query() ~* E'\\mvehicle_status\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['vehicle_status']::text[], ARRAY['status_crossfade_retired']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_side = 'old' OR crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'vehicle_status') = 0 OR NOT (current_query() ~* E'\\mvehicle_status\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['vehicle_status']::text[], ARRAY['status_crossfade_retired']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT ((new."status_crossfade_retired")::text IS DISTINCT FROM (('active'::character varying)::character varying(50))::text);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF (new."vehicle_status")::text IS DISTINCT FROM (old."vehicle_status")::text THEN
    crossfade_side := 'new';
  ELSIF (new."status_crossfade_retired")::text IS DISTINCT FROM (old."status_crossfade_retired")::text THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."status_crossfade_retired" := new."vehicle_status";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF ((new."status_crossfade_retired")::text IS DISTINCT FROM (('active'::character varying)::character varying(50))::text
      OR left(current_query(), 10000) ~* E'\\mstatus_crossfade_retired\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."vehicle_status" := new."status_crossfade_retired";
  ELSE
    NULL;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_vehicles-cleanup_ee687a2f"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_vehicles-cleanup_ee687a2f"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_vehicles-cleanup_ee687a2f"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
-- undo:
ALTER TABLE public.vehicles RENAME COLUMN status_crossfade_retired TO status;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_vehicles-cleanup_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_vehicles-cleanup_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in backfill, fill:public.vehicles

-- retire_column:public.vehicles.mileage
ALTER TABLE public.vehicles RENAME COLUMN mileage TO mileage_crossfade_retired;
ALTER TABLE public.vehicles RENAME COLUMN mileage_new TO mileage;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_vehicles-cleanup_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_vehicles-cleanup_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run vehicles-cleanup, table public.vehicles; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_vehicles-cleanup_ee687a2f', 'public.vehicles', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_vehicles-cleanup_ee687a2f" is for the table public.vehicles only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('vehicles-cleanup') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'vehicles-cleanup'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        DELETE FROM crossfade.overtaken AS o USING crossfade.runs AS r
          WHERE r.name = 'vehicles-cleanup'
            AND r.state = 'active'
            AND o.run_id = r.id
            AND o.table_name = 'public.vehicles.plate_key'
            AND o.row_key = pg_catalog.jsonb_build_object('id', new."id");
        UPDATE crossfade.overtaken AS o
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'vehicles-cleanup'
            AND r.state = 'active'
            AND o.run_id = r.id
            AND o.table_name = 'public.vehicles.plate_key'
            AND o.row_key = pg_catalog.jsonb_build_object('id', old."id");
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'vehicles-cleanup'
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
      WHEN new."mileage" IS NOT NULL
      THEN 'new'
      WHEN new."mileage_crossfade_retired" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."mileage_crossfade_retired" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'mileage') = 0 OR NOT (current_query() ~* E'\\mmileage\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['mileage']::text[], ARRAY['mileage_crossfade_retired']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_side = 'old' OR crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'mileage') = 0 OR NOT (current_query() ~* E'\\mmileage\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['mileage']::text[], ARRAY['mileage_crossfade_retired']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT (new."mileage_crossfade_retired" IS DISTINCT FROM (0)::integer);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."mileage" IS DISTINCT FROM old."mileage" THEN
    crossfade_side := 'new';
  ELSIF new."mileage_crossfade_retired" IS DISTINCT FROM old."mileage_crossfade_retired" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"vehicles">>
      DECLARE
        "mileage_new" bigint := "sync_vehicles-cleanup_ee687a2f".new."mileage";
      BEGIN
        "sync_vehicles-cleanup_ee687a2f".new."mileage_crossfade_retired" := (mileage_new
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'vehicles-cleanup'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles', 'mileage', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('mileage_new', new."mileage"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'vehicles-cleanup'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."mileage_crossfade_retired" IS DISTINCT FROM (0)::integer
      OR left(current_query(), 10000) ~* E'\\mmileage_crossfade_retired\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."mileage" := new."mileage_crossfade_retired";
  ELSE
    NULL;
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
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY[]::text[]) END;
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
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY[]::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (false);
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
      WHERE crossfade_active.name = 'vehicles-cleanup'
      AND crossfade_active.state = 'active') THEN
      INSERT INTO crossfade.overtaken (run_id, table_name, row_key) SELECT r.id, q.table_name, q.row_key
        FROM crossfade.runs AS r, (
          VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
          WHERE r.name = 'vehicles-cleanup'
          AND r.state = 'active'
        AND (tg_op <> 'INSERT'
          OR NOT EXISTS (SELECT 1
            FROM public.vehicles AS crossfade_row
            WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id")) ON CONFLICT DO NOTHING;
    END IF;
  ELSIF crossfade_side = 'old' THEN
    BEGIN
      <<"vehicles">>
      DECLARE
        "license_plate" character varying(20) := "sync_vehicles-cleanup_ee687a2f".new."license_plate";
      BEGIN
        "sync_vehicles-cleanup_ee687a2f".new."plate_key" := (upper((license_plate)::text)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."plate_key" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'vehicles-cleanup'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles', 'plate_key', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'vehicles-cleanup'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'vehicles-cleanup'
      AND crossfade_active.state = 'active') THEN
      DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
          FROM crossfade.runs AS r, (
            VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
            WHERE r.name = 'vehicles-cleanup'
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
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['plate_key']::text[], ARRAY[]::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"vehicles">>
          DECLARE
            "license_plate" character varying(20) := "sync_vehicles-cleanup_ee687a2f".new."license_plate";
          BEGIN
            "sync_vehicles-cleanup_ee687a2f".new."plate_key" := (upper((license_plate)::text)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."plate_key" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'vehicles-cleanup'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.vehicles', 'plate_key', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('license_plate', new."license_plate"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'vehicles-cleanup'
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
        WHERE crossfade_active.name = 'vehicles-cleanup'
        AND crossfade_active.state = 'active') THEN
        DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
            FROM crossfade.runs AS r, (
              VALUES ('public.vehicles.plate_key', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
              WHERE r.name = 'vehicles-cleanup'
              AND r.state = 'active'
            AND (tg_op <> 'INSERT'
              OR NOT EXISTS (SELECT 1
                FROM public.vehicles AS crossfade_row
                WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id"))) AS gone
              WHERE (o.run_id, o.table_name, o.row_key) = (gone.id, gone.table_name, gone.row_key);
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."vehicle_status" IS NOT NULL
      THEN 'new'
      WHEN new."status_crossfade_retired" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."status_crossfade_retired" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'vehicle_status') = 0 OR NOT (current_query() ~* E'\\mvehicle_status\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['vehicle_status']::text[], ARRAY['status_crossfade_retired']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_side = 'old' OR crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'vehicles') > 0
        AND (strpos(lower(current_query()), 'vehicle_status') = 0 OR NOT (current_query() ~* E'\\mvehicle_status\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'vehicles'], ARRAY['vehicle_status']::text[], ARRAY['status_crossfade_retired']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT ((new."status_crossfade_retired")::text IS DISTINCT FROM (('active'::character varying)::character varying(50))::text);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF (new."vehicle_status")::text IS DISTINCT FROM (old."vehicle_status")::text THEN
    crossfade_side := 'new';
  ELSIF (new."status_crossfade_retired")::text IS DISTINCT FROM (old."status_crossfade_retired")::text THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."status_crossfade_retired" := new."vehicle_status";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF ((new."status_crossfade_retired")::text IS DISTINCT FROM (('active'::character varying)::character varying(50))::text
      OR left(current_query(), 10000) ~* E'\\mstatus_crossfade_retired\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."vehicle_status" := new."status_crossfade_retired";
  ELSE
    NULL;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_vehicles-cleanup_ee687a2f"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_vehicles-cleanup_ee687a2f"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_vehicles-cleanup_ee687a2f"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
-- undo:
ALTER TABLE public.vehicles RENAME COLUMN mileage TO mileage_new;
ALTER TABLE public.vehicles RENAME COLUMN mileage_crossfade_retired TO mileage;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_vehicles-cleanup_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_vehicles-cleanup_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in retire, retire_column:public.vehicles.status


-- ======== contract, one transaction
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.vehicles.status, public.vehicles.mileage

-- drop_sync:public.vehicles
DROP TRIGGER IF EXISTS "zz_crossfade_vehicles-cleanup_i" ON public.vehicles;
DROP TRIGGER IF EXISTS "zz_crossfade_vehicles-cleanup_u" ON public.vehicles;
DROP FUNCTION IF EXISTS crossfade."sync_vehicles-cleanup_ee687a2f"();
DROP SEQUENCE IF EXISTS crossfade."old_vehicles-cleanup_ee687a2f";
DROP SEQUENCE IF EXISTS crossfade."new_vehicles-cleanup_ee687a2f";
DROP SEQUENCE IF EXISTS crossfade."untold_vehicles-cleanup_ee687a2f";
-- cannot be undone

-- set_default:public.vehicles.vehicle_status
ALTER TABLE public.vehicles ALTER COLUMN vehicle_status SET DEFAULT 'active'::character varying;
-- undo:
ALTER TABLE public.vehicles ALTER COLUMN vehicle_status DROP DEFAULT;

-- set_default:public.vehicles.mileage
ALTER TABLE public.vehicles ALTER COLUMN mileage SET DEFAULT 0;
-- undo:
ALTER TABLE public.vehicles ALTER COLUMN mileage DROP DEFAULT;

-- drop_column:public.vehicles.status
ALTER TABLE public.vehicles DROP COLUMN status_crossfade_retired;
-- cannot be undone

-- drop_column:public.vehicles.mileage
ALTER TABLE public.vehicles DROP COLUMN mileage_crossfade_retired;
-- cannot be undone

-- rename_object:public.vehicles_color_crossfade
ALTER INDEX public.vehicles_color_crossfade RENAME TO vehicles_color;
COMMENT ON INDEX public.vehicles_color IS 'for the paint shop';
ALTER TABLE public.vehicles CLUSTER ON vehicles_color;
-- cannot be undone

-- rename_object:public.vehicles_status_idx_crossfade
ALTER INDEX public.vehicles_status_idx_crossfade RENAME TO vehicles_status_idx;
-- cannot be undone

-- rename_object:public.vehicles.vehicles_mileage_low_crossfade
ALTER TABLE public.vehicles RENAME CONSTRAINT vehicles_mileage_low_crossfade TO vehicles_mileage_low;
-- cannot be undone

-- rename_object:public.vehicles.vehicles_status_check_crossfade
ALTER TABLE public.vehicles RENAME CONSTRAINT vehicles_status_check_crossfade TO vehicles_status_check;
-- cannot be undone
