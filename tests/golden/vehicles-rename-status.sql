-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.vehicles.vehicle_status
ALTER TABLE public.vehicles ADD COLUMN vehicle_status character varying(50);
-- undo:
ALTER TABLE public.vehicles DROP COLUMN vehicle_status;


-- ======== dual_write

-- sync_columns:public.vehicles
CREATE SEQUENCE IF NOT EXISTS crossfade."old_rename-vehicle-status_ee687a2f";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_rename-vehicle-status_ee687a2f";
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_rename-vehicle-status_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_rename-vehicle-status_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
-- crossfade: run rename-vehicle-status, table public.vehicles; keeps both sides of a change in step, filling rows as they move
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
    AND NOT crossfade.is_made_for('sync_rename-vehicle-status_ee687a2f', 'public.vehicles', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_rename-vehicle-status_ee687a2f" is for the table public.vehicles only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('rename-vehicle-status') THEN
    RETURN new;
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
    crossfade_count := nextval('crossfade."new_rename-vehicle-status_ee687a2f"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_rename-vehicle-status_ee687a2f"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_rename-vehicle-status_ee687a2f"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_rename-vehicle-status_ee687a2f', 'public.vehicles');
CREATE OR REPLACE TRIGGER "zz_crossfade_rename-vehicle-status_u" BEFORE UPDATE ON public.vehicles FOR EACH ROW
  WHEN ((new."vehicle_status")::text IS DISTINCT FROM (new."status")::text) EXECUTE FUNCTION crossfade."sync_rename-vehicle-status_ee687a2f"();
CREATE OR REPLACE TRIGGER "zz_crossfade_rename-vehicle-status_i" BEFORE INSERT ON public.vehicles FOR EACH ROW EXECUTE FUNCTION crossfade."sync_rename-vehicle-status_ee687a2f"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_rename-vehicle-status_i" ON public.vehicles;
DROP TRIGGER IF EXISTS "zz_crossfade_rename-vehicle-status_u" ON public.vehicles;
DROP FUNCTION IF EXISTS crossfade."sync_rename-vehicle-status_ee687a2f"();
DROP SEQUENCE IF EXISTS crossfade."old_rename-vehicle-status_ee687a2f";
DROP SEQUENCE IF EXISTS crossfade."new_rename-vehicle-status_ee687a2f";
DROP SEQUENCE IF EXISTS crossfade."untold_rename-vehicle-status_ee687a2f";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.vehicles
UPDATE ONLY public.vehicles AS "vehicles"
  SET vehicle_status = status
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND (vehicle_status IS NULL AND status IS NOT NULL);
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_rename-vehicle-status_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_rename-vehicle-status_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
-- crossfade: run rename-vehicle-status, table public.vehicles; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_rename-vehicle-status_ee687a2f', 'public.vehicles', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_rename-vehicle-status_ee687a2f" is for the table public.vehicles only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('rename-vehicle-status') THEN
    RETURN new;
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
    crossfade_count := nextval('crossfade."new_rename-vehicle-status_ee687a2f"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_rename-vehicle-status_ee687a2f"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_rename-vehicle-status_ee687a2f"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_rename-vehicle-status_ee687a2f', 'public.vehicles');
CREATE OR REPLACE TRIGGER "zz_crossfade_rename-vehicle-status_u" BEFORE UPDATE ON public.vehicles FOR EACH ROW
  WHEN ((new."vehicle_status")::text IS DISTINCT FROM (new."status")::text) EXECUTE FUNCTION crossfade."sync_rename-vehicle-status_ee687a2f"();
-- undo:
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_rename-vehicle-status_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_rename-vehicle-status_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
  -- … the same as in dual_write, sync_columns:public.vehicles
SELECT crossfade.keep_function('sync_rename-vehicle-status_ee687a2f', 'public.vehicles');
CREATE OR REPLACE TRIGGER "zz_crossfade_rename-vehicle-status_u" BEFORE UPDATE ON public.vehicles FOR EACH ROW
  WHEN ((new."vehicle_status")::text IS DISTINCT FROM (new."status")::text) EXECUTE FUNCTION crossfade."sync_rename-vehicle-status_ee687a2f"();


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.vehicles
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE NOT (NOT ((vehicle_status)::text IS DISTINCT FROM (status)::text)))
  FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, id AS id, status AS status, vehicle_status AS vehicle_status
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


-- ======== switch_reads
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== retire
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.vehicles.status

-- retire_column:public.vehicles.status
ALTER TABLE public.vehicles RENAME COLUMN status TO status_crossfade_retired;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_rename-vehicle-status_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_rename-vehicle-status_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
-- crossfade: run rename-vehicle-status, table public.vehicles; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_rename-vehicle-status_ee687a2f', 'public.vehicles', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_rename-vehicle-status_ee687a2f" is for the table public.vehicles only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('rename-vehicle-status') THEN
    RETURN new;
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
    crossfade_count := nextval('crossfade."new_rename-vehicle-status_ee687a2f"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_rename-vehicle-status_ee687a2f"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_rename-vehicle-status_ee687a2f"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
-- undo:
ALTER TABLE public.vehicles RENAME COLUMN status_crossfade_retired TO status;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_rename-vehicle-status_ee687a2f";
CREATE OR REPLACE FUNCTION crossfade."sync_rename-vehicle-status_ee687a2f"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
  -- … the same as in backfill, fill:public.vehicles


-- ======== contract, one transaction
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.vehicles.status

-- drop_sync:public.vehicles
DROP TRIGGER IF EXISTS "zz_crossfade_rename-vehicle-status_i" ON public.vehicles;
DROP TRIGGER IF EXISTS "zz_crossfade_rename-vehicle-status_u" ON public.vehicles;
DROP FUNCTION IF EXISTS crossfade."sync_rename-vehicle-status_ee687a2f"();
DROP SEQUENCE IF EXISTS crossfade."old_rename-vehicle-status_ee687a2f";
DROP SEQUENCE IF EXISTS crossfade."new_rename-vehicle-status_ee687a2f";
DROP SEQUENCE IF EXISTS crossfade."untold_rename-vehicle-status_ee687a2f";
-- cannot be undone

-- set_default:public.vehicles.vehicle_status
ALTER TABLE public.vehicles ALTER COLUMN vehicle_status SET DEFAULT 'active'::character varying;
-- undo:
ALTER TABLE public.vehicles ALTER COLUMN vehicle_status DROP DEFAULT;

-- drop_column:public.vehicles.status
ALTER TABLE public.vehicles DROP COLUMN status_crossfade_retired;
-- cannot be undone

-- rename_object:public.vehicles_color_crossfade
ALTER INDEX public.vehicles_color_crossfade RENAME TO vehicles_color;
COMMENT ON INDEX public.vehicles_color IS 'for the paint shop';
ALTER TABLE public.vehicles CLUSTER ON vehicles_color;
-- cannot be undone

-- rename_object:public.vehicles_status_idx_crossfade
ALTER INDEX public.vehicles_status_idx_crossfade RENAME TO vehicles_status_idx;
-- cannot be undone

-- rename_object:public.vehicles.vehicles_status_check_crossfade
ALTER TABLE public.vehicles RENAME CONSTRAINT vehicles_status_check_crossfade TO vehicles_status_check;
-- cannot be undone
