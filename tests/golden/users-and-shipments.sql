-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.users.display_name
ALTER TABLE public.users ADD COLUMN display_name text;
-- undo:
ALTER TABLE public.users DROP COLUMN display_name;

-- add_column:public.shipments.carrier_code
ALTER TABLE public.shipments ADD COLUMN carrier_code character varying(10);
-- undo:
ALTER TABLE public.shipments DROP COLUMN carrier_code;

-- create_index:shipments_vehicle_id_idx
CREATE INDEX CONCURRENTLY shipments_vehicle_id_idx ON public.shipments USING btree (vehicle_id);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.shipments_vehicle_id_idx;


-- ======== dual_write

-- sync_columns:public.users
CREATE SEQUENCE IF NOT EXISTS crossfade."old_users-and-shipments_8f8c271a";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_users-and-shipments_8f8c271a";
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_users-and-shipments_8f8c271a";
CREATE OR REPLACE FUNCTION crossfade."sync_users-and-shipments_8f8c271a"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
-- crossfade: run users-and-shipments, table public.users; keeps both sides of a change in step, filling rows as they move
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
    AND NOT crossfade.is_made_for('sync_users-and-shipments_8f8c271a', 'public.users', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_users-and-shipments_8f8c271a" is for the table public.users only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('users-and-shipments') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."display_name" IS NOT NULL
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
        AND (strpos(lower(current_query()), 'display_name') = 0 OR NOT (current_query() ~* E'\\mdisplay_name\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['display_name']::text[], ARRAY['full_name']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'display_name') = 0 OR NOT (current_query() ~* E'\\mdisplay_name\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['display_name']::text[], ARRAY['full_name']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."full_name" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."display_name" IS DISTINCT FROM old."display_name" THEN
    crossfade_side := 'new';
  ELSIF new."full_name" IS DISTINCT FROM old."full_name" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."full_name" := new."display_name";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."full_name" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mfull_name\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."display_name" := new."full_name";
  ELSE
    IF (new."display_name" IS NULL AND (new."full_name" IS NOT NULL)) THEN
      new."display_name" := new."full_name";
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_users-and-shipments_8f8c271a"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_users-and-shipments_8f8c271a"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_users-and-shipments_8f8c271a"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_users-and-shipments_8f8c271a', 'public.users');
CREATE OR REPLACE TRIGGER "zz_crossfade_users-and-shipments_u" BEFORE UPDATE ON public.users FOR EACH ROW
  WHEN (new."display_name" IS DISTINCT FROM new."full_name") EXECUTE FUNCTION crossfade."sync_users-and-shipments_8f8c271a"();
CREATE OR REPLACE TRIGGER "zz_crossfade_users-and-shipments_i" BEFORE INSERT ON public.users FOR EACH ROW EXECUTE FUNCTION crossfade."sync_users-and-shipments_8f8c271a"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_users-and-shipments_i" ON public.users;
DROP TRIGGER IF EXISTS "zz_crossfade_users-and-shipments_u" ON public.users;
DROP FUNCTION IF EXISTS crossfade."sync_users-and-shipments_8f8c271a"();
DROP SEQUENCE IF EXISTS crossfade."old_users-and-shipments_8f8c271a";
DROP SEQUENCE IF EXISTS crossfade."new_users-and-shipments_8f8c271a";
DROP SEQUENCE IF EXISTS crossfade."untold_users-and-shipments_8f8c271a";

-- sync_columns:public.shipments
CREATE SEQUENCE IF NOT EXISTS crossfade."old_users-and-shipments_ab204d15";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_users-and-shipments_ab204d15";
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_users-and-shipments_ab204d15";
CREATE OR REPLACE FUNCTION crossfade."sync_users-and-shipments_ab204d15"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
-- crossfade: run users-and-shipments, table public.shipments; keeps both sides of a change in step, filling rows as they move
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
  IF (tg_table_name <> 'shipments' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.shipments')
    AND NOT crossfade.is_made_for('sync_users-and-shipments_ab204d15', 'public.shipments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_users-and-shipments_ab204d15" is for the table public.shipments only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('users-and-shipments') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."carrier_code" IS NOT NULL
      THEN 'new'
      WHEN new."carrier" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."carrier" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'carrier_code') = 0 OR NOT (current_query() ~* E'\\mcarrier_code\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['carrier_code']::text[], ARRAY['carrier']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'carrier_code') = 0 OR NOT (current_query() ~* E'\\mcarrier_code\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['carrier_code']::text[], ARRAY['carrier']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."carrier" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF (new."carrier_code")::text IS DISTINCT FROM (old."carrier_code")::text THEN
    crossfade_side := 'new';
  ELSIF (new."carrier")::text IS DISTINCT FROM (old."carrier")::text THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."carrier" := new."carrier_code";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."carrier" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mcarrier\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."carrier_code" := new."carrier";
  ELSE
    IF (new."carrier_code" IS NULL AND (new."carrier" IS NOT NULL)) THEN
      new."carrier_code" := new."carrier";
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_users-and-shipments_ab204d15"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_users-and-shipments_ab204d15"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_users-and-shipments_ab204d15"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_users-and-shipments_ab204d15', 'public.shipments');
CREATE OR REPLACE TRIGGER "zz_crossfade_users-and-shipments_u" BEFORE UPDATE ON public.shipments FOR EACH ROW
  WHEN ((new."carrier_code")::text IS DISTINCT FROM (new."carrier")::text) EXECUTE FUNCTION crossfade."sync_users-and-shipments_ab204d15"();
CREATE OR REPLACE TRIGGER "zz_crossfade_users-and-shipments_i" BEFORE INSERT ON public.shipments FOR EACH ROW EXECUTE FUNCTION crossfade."sync_users-and-shipments_ab204d15"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_users-and-shipments_i" ON public.shipments;
DROP TRIGGER IF EXISTS "zz_crossfade_users-and-shipments_u" ON public.shipments;
DROP FUNCTION IF EXISTS crossfade."sync_users-and-shipments_ab204d15"();
DROP SEQUENCE IF EXISTS crossfade."old_users-and-shipments_ab204d15";
DROP SEQUENCE IF EXISTS crossfade."new_users-and-shipments_ab204d15";
DROP SEQUENCE IF EXISTS crossfade."untold_users-and-shipments_ab204d15";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.users
UPDATE ONLY public.users AS "users"
  SET display_name = full_name
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND (display_name IS NULL AND full_name IS NOT NULL);
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_users-and-shipments_8f8c271a";
CREATE OR REPLACE FUNCTION crossfade."sync_users-and-shipments_8f8c271a"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
-- crossfade: run users-and-shipments, table public.users; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_users-and-shipments_8f8c271a', 'public.users', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_users-and-shipments_8f8c271a" is for the table public.users only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('users-and-shipments') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."display_name" IS NOT NULL
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
        AND (strpos(lower(current_query()), 'display_name') = 0 OR NOT (current_query() ~* E'\\mdisplay_name\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['display_name']::text[], ARRAY['full_name']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'display_name') = 0 OR NOT (current_query() ~* E'\\mdisplay_name\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['display_name']::text[], ARRAY['full_name']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."full_name" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."display_name" IS DISTINCT FROM old."display_name" THEN
    crossfade_side := 'new';
  ELSIF new."full_name" IS DISTINCT FROM old."full_name" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."full_name" := new."display_name";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."full_name" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mfull_name\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."display_name" := new."full_name";
  ELSE
    NULL;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_users-and-shipments_8f8c271a"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_users-and-shipments_8f8c271a"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_users-and-shipments_8f8c271a"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_users-and-shipments_8f8c271a', 'public.users');
CREATE OR REPLACE TRIGGER "zz_crossfade_users-and-shipments_u" BEFORE UPDATE ON public.users FOR EACH ROW
  WHEN (new."display_name" IS DISTINCT FROM new."full_name") EXECUTE FUNCTION crossfade."sync_users-and-shipments_8f8c271a"();
-- undo:
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_users-and-shipments_8f8c271a";
CREATE OR REPLACE FUNCTION crossfade."sync_users-and-shipments_8f8c271a"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
  -- … the same as in dual_write, sync_columns:public.users
SELECT crossfade.keep_function('sync_users-and-shipments_8f8c271a', 'public.users');
CREATE OR REPLACE TRIGGER "zz_crossfade_users-and-shipments_u" BEFORE UPDATE ON public.users FOR EACH ROW
  WHEN (new."display_name" IS DISTINCT FROM new."full_name") EXECUTE FUNCTION crossfade."sync_users-and-shipments_8f8c271a"();

-- fill:public.shipments
UPDATE ONLY public.shipments AS "shipments"
  SET carrier_code = carrier
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND (carrier_code IS NULL AND carrier IS NOT NULL);
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_users-and-shipments_ab204d15";
CREATE OR REPLACE FUNCTION crossfade."sync_users-and-shipments_ab204d15"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
-- crossfade: run users-and-shipments, table public.shipments; keeps both sides of a change in step, not filling
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
  IF (tg_table_name <> 'shipments' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.shipments')
    AND NOT crossfade.is_made_for('sync_users-and-shipments_ab204d15', 'public.shipments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_users-and-shipments_ab204d15" is for the table public.shipments only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('users-and-shipments') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."carrier_code" IS NOT NULL
      THEN 'new'
      WHEN new."carrier" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."carrier" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'carrier_code') = 0 OR NOT (current_query() ~* E'\\mcarrier_code\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['carrier_code']::text[], ARRAY['carrier']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'carrier_code') = 0 OR NOT (current_query() ~* E'\\mcarrier_code\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['carrier_code']::text[], ARRAY['carrier']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."carrier" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF (new."carrier_code")::text IS DISTINCT FROM (old."carrier_code")::text THEN
    crossfade_side := 'new';
  ELSIF (new."carrier")::text IS DISTINCT FROM (old."carrier")::text THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."carrier" := new."carrier_code";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."carrier" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mcarrier\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."carrier_code" := new."carrier";
  ELSE
    NULL;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_users-and-shipments_ab204d15"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_users-and-shipments_ab204d15"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_users-and-shipments_ab204d15"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_users-and-shipments_ab204d15', 'public.shipments');
CREATE OR REPLACE TRIGGER "zz_crossfade_users-and-shipments_u" BEFORE UPDATE ON public.shipments FOR EACH ROW
  WHEN ((new."carrier_code")::text IS DISTINCT FROM (new."carrier")::text) EXECUTE FUNCTION crossfade."sync_users-and-shipments_ab204d15"();
-- undo:
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_users-and-shipments_ab204d15";
CREATE OR REPLACE FUNCTION crossfade."sync_users-and-shipments_ab204d15"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
  -- … the same as in dual_write, sync_columns:public.shipments
SELECT crossfade.keep_function('sync_users-and-shipments_ab204d15', 'public.shipments');
CREATE OR REPLACE TRIGGER "zz_crossfade_users-and-shipments_u" BEFORE UPDATE ON public.shipments FOR EACH ROW
  WHEN ((new."carrier_code")::text IS DISTINCT FROM (new."carrier")::text) EXECUTE FUNCTION crossfade."sync_users-and-shipments_ab204d15"();


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.users
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE NOT (NOT (display_name IS DISTINCT FROM full_name)))
  FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, display_name AS display_name, full_name AS full_name, id AS id
    FROM ONLY public.users
    WHERE ctid >= ($1::text)::tid
    AND ctid < ($2::text)::tid) AS "users";

-- query:every row has email
SELECT id FROM public.users WHERE email IS NULL LIMIT 1;

-- match:public.shipments
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE NOT (NOT ((carrier_code)::text IS DISTINCT FROM (carrier)::text)))
  FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, carrier AS carrier, carrier_code AS carrier_code, id AS id
    FROM ONLY public.shipments
    WHERE ctid >= ($1::text)::tid
    AND ctid < ($2::text)::tid) AS "shipments";

-- query:every row of shipments_vehicle_id_fkey refers to one that is there
SELECT own.id, own.vehicle_id
  FROM public.shipments AS own
  WHERE own.vehicle_id IS NOT NULL
  AND NOT EXISTS (SELECT 1 FROM public.vehicles AS other WHERE other.id = own.vehicle_id)
  LIMIT 1;


-- ======== enforce
-- gate: no row in quarantine
-- gate: the triggers are in place

-- set_not_null:public.users.email
ALTER TABLE public.users ADD CONSTRAINT email_crossfade_not_null CHECK (email IS NOT NULL) NOT VALID;
ALTER TABLE public.users VALIDATE CONSTRAINT email_crossfade_not_null;
ALTER TABLE public.users ALTER COLUMN email SET NOT NULL;
ALTER TABLE public.users DROP CONSTRAINT IF EXISTS email_crossfade_not_null;
-- undo:
ALTER TABLE public.users ALTER COLUMN email DROP NOT NULL;
ALTER TABLE public.users DROP CONSTRAINT IF EXISTS email_crossfade_not_null;

-- add_constraint:public.shipments.shipments_vehicle_id_fkey
ALTER TABLE public.shipments ADD CONSTRAINT shipments_vehicle_id_fkey FOREIGN KEY (vehicle_id) REFERENCES public.vehicles(id) NOT VALID;
ALTER TABLE public.shipments VALIDATE CONSTRAINT shipments_vehicle_id_fkey;
-- undo:
ALTER TABLE public.shipments DROP CONSTRAINT IF EXISTS shipments_vehicle_id_fkey;


-- ======== switch_reads
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== retire
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.users.full_name, public.shipments.carrier

-- retire_column:public.users.full_name
ALTER TABLE public.users RENAME COLUMN full_name TO full_name_crossfade_retired;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_users-and-shipments_8f8c271a";
CREATE OR REPLACE FUNCTION crossfade."sync_users-and-shipments_8f8c271a"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
-- crossfade: run users-and-shipments, table public.users; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_users-and-shipments_8f8c271a', 'public.users', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_users-and-shipments_8f8c271a" is for the table public.users only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('users-and-shipments') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."display_name" IS NOT NULL
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
        AND (strpos(lower(current_query()), 'display_name') = 0 OR NOT (current_query() ~* E'\\mdisplay_name\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['display_name']::text[], ARRAY['full_name_crossfade_retired']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'users') > 0
        AND (strpos(lower(current_query()), 'display_name') = 0 OR NOT (current_query() ~* E'\\mdisplay_name\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'users'], ARRAY['display_name']::text[], ARRAY['full_name_crossfade_retired']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."full_name_crossfade_retired" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."display_name" IS DISTINCT FROM old."display_name" THEN
    crossfade_side := 'new';
  ELSIF new."full_name_crossfade_retired" IS DISTINCT FROM old."full_name_crossfade_retired" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."full_name_crossfade_retired" := new."display_name";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."full_name_crossfade_retired" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\mfull_name_crossfade_retired\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."display_name" := new."full_name_crossfade_retired";
  ELSE
    NULL;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_users-and-shipments_8f8c271a"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_users-and-shipments_8f8c271a"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_users-and-shipments_8f8c271a"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
-- undo:
ALTER TABLE public.users RENAME COLUMN full_name_crossfade_retired TO full_name;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_users-and-shipments_8f8c271a";
CREATE OR REPLACE FUNCTION crossfade."sync_users-and-shipments_8f8c271a"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
  -- … the same as in backfill, fill:public.users

-- retire_column:public.shipments.carrier
ALTER TABLE public.shipments RENAME COLUMN carrier TO carrier_crossfade_retired;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_users-and-shipments_ab204d15";
CREATE OR REPLACE FUNCTION crossfade."sync_users-and-shipments_ab204d15"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
-- crossfade: run users-and-shipments, table public.shipments; keeps both sides of a change in step, not filling
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
  IF (tg_table_name <> 'shipments' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.shipments')
    AND NOT crossfade.is_made_for('sync_users-and-shipments_ab204d15', 'public.shipments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_users-and-shipments_ab204d15" is for the table public.shipments only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('users-and-shipments') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."carrier_code" IS NOT NULL
      THEN 'new'
      WHEN new."carrier_crossfade_retired" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."carrier_crossfade_retired" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'carrier_code') = 0 OR NOT (current_query() ~* E'\\mcarrier_code\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['carrier_code']::text[], ARRAY['carrier_crossfade_retired']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'carrier_code') = 0 OR NOT (current_query() ~* E'\\mcarrier_code\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['carrier_code']::text[], ARRAY['carrier_crossfade_retired']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."carrier_crossfade_retired" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF (new."carrier_code")::text IS DISTINCT FROM (old."carrier_code")::text THEN
    crossfade_side := 'new';
  ELSIF (new."carrier_crossfade_retired")::text IS DISTINCT FROM (old."carrier_crossfade_retired")::text THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."carrier_crossfade_retired" := new."carrier_code";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."carrier_crossfade_retired" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\mcarrier_crossfade_retired\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."carrier_code" := new."carrier_crossfade_retired";
  ELSE
    NULL;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_users-and-shipments_ab204d15"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_users-and-shipments_ab204d15"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_users-and-shipments_ab204d15"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
-- undo:
ALTER TABLE public.shipments RENAME COLUMN carrier_crossfade_retired TO carrier;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_users-and-shipments_ab204d15";
CREATE OR REPLACE FUNCTION crossfade."sync_users-and-shipments_ab204d15"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
  -- … the same as in backfill, fill:public.shipments


-- ======== contract, one transaction
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.users.full_name, public.shipments.carrier

-- drop_sync:public.users
DROP TRIGGER IF EXISTS "zz_crossfade_users-and-shipments_i" ON public.users;
DROP TRIGGER IF EXISTS "zz_crossfade_users-and-shipments_u" ON public.users;
DROP FUNCTION IF EXISTS crossfade."sync_users-and-shipments_8f8c271a"();
DROP SEQUENCE IF EXISTS crossfade."old_users-and-shipments_8f8c271a";
DROP SEQUENCE IF EXISTS crossfade."new_users-and-shipments_8f8c271a";
DROP SEQUENCE IF EXISTS crossfade."untold_users-and-shipments_8f8c271a";
-- cannot be undone

-- drop_sync:public.shipments
DROP TRIGGER IF EXISTS "zz_crossfade_users-and-shipments_i" ON public.shipments;
DROP TRIGGER IF EXISTS "zz_crossfade_users-and-shipments_u" ON public.shipments;
DROP FUNCTION IF EXISTS crossfade."sync_users-and-shipments_ab204d15"();
DROP SEQUENCE IF EXISTS crossfade."old_users-and-shipments_ab204d15";
DROP SEQUENCE IF EXISTS crossfade."new_users-and-shipments_ab204d15";
DROP SEQUENCE IF EXISTS crossfade."untold_users-and-shipments_ab204d15";
-- cannot be undone

-- drop_column:public.users.full_name
ALTER TABLE public.users DROP COLUMN full_name_crossfade_retired;
-- cannot be undone

-- drop_column:public.shipments.carrier
ALTER TABLE public.shipments DROP COLUMN carrier_crossfade_retired;
-- cannot be undone
