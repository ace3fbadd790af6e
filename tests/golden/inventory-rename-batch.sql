-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.inventory_items.batch_number
ALTER TABLE public.inventory_items ADD COLUMN batch_number text;
-- undo:
ALTER TABLE public.inventory_items DROP COLUMN batch_number;


-- ======== dual_write

-- sync_columns:public.inventory_items
CREATE SEQUENCE IF NOT EXISTS crossfade."old_rename-inventory-batch_bfe31ca5";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_rename-inventory-batch_bfe31ca5";
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_rename-inventory-batch_bfe31ca5";
CREATE OR REPLACE FUNCTION crossfade."sync_rename-inventory-batch_bfe31ca5"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
-- crossfade: run rename-inventory-batch, table public.inventory_items; keeps both sides of a change in step, filling rows as they move
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
  IF (tg_table_name <> 'inventory_items' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.inventory_items')
    AND NOT crossfade.is_made_for('sync_rename-inventory-batch_bfe31ca5', 'public.inventory_items', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_rename-inventory-batch_bfe31ca5" is for the table public.inventory_items only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('rename-inventory-batch') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."batch_number" IS NOT NULL
      THEN 'new'
      WHEN new."batch" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."batch" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'inventory_items') > 0
        AND (strpos(lower(current_query()), 'batch_number') = 0 OR NOT (current_query() ~* E'\\mbatch_number\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'inventory_items'], ARRAY['batch_number']::text[], ARRAY['batch']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'inventory_items') > 0
        AND (strpos(lower(current_query()), 'batch_number') = 0 OR NOT (current_query() ~* E'\\mbatch_number\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'inventory_items'], ARRAY['batch_number']::text[], ARRAY['batch']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."batch" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."batch_number" IS DISTINCT FROM old."batch_number" THEN
    crossfade_side := 'new';
  ELSIF new."batch" IS DISTINCT FROM old."batch" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."batch" := new."batch_number";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."batch" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mbatch\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."batch_number" := new."batch";
  ELSE
    IF (new."batch_number" IS NULL AND (new."batch" IS NOT NULL)) THEN
      new."batch_number" := new."batch";
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_rename-inventory-batch_bfe31ca5"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_rename-inventory-batch_bfe31ca5"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_rename-inventory-batch_bfe31ca5"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_rename-inventory-batch_bfe31ca5', 'public.inventory_items');
CREATE OR REPLACE TRIGGER "zz_crossfade_rename-inventory-batch_u" BEFORE UPDATE ON public.inventory_items FOR EACH ROW
  WHEN (new."batch_number" IS DISTINCT FROM new."batch") EXECUTE FUNCTION crossfade."sync_rename-inventory-batch_bfe31ca5"();
CREATE OR REPLACE TRIGGER "zz_crossfade_rename-inventory-batch_i" BEFORE INSERT ON public.inventory_items FOR EACH ROW EXECUTE FUNCTION crossfade."sync_rename-inventory-batch_bfe31ca5"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_rename-inventory-batch_i" ON public.inventory_items;
DROP TRIGGER IF EXISTS "zz_crossfade_rename-inventory-batch_u" ON public.inventory_items;
DROP FUNCTION IF EXISTS crossfade."sync_rename-inventory-batch_bfe31ca5"();
DROP SEQUENCE IF EXISTS crossfade."old_rename-inventory-batch_bfe31ca5";
DROP SEQUENCE IF EXISTS crossfade."new_rename-inventory-batch_bfe31ca5";
DROP SEQUENCE IF EXISTS crossfade."untold_rename-inventory-batch_bfe31ca5";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.inventory_items
UPDATE ONLY public.inventory_items AS "inventory_items"
  SET batch_number = batch
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND (batch_number IS NULL AND batch IS NOT NULL);
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_rename-inventory-batch_bfe31ca5";
CREATE OR REPLACE FUNCTION crossfade."sync_rename-inventory-batch_bfe31ca5"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
-- crossfade: run rename-inventory-batch, table public.inventory_items; keeps both sides of a change in step, not filling
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
  IF (tg_table_name <> 'inventory_items' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.inventory_items')
    AND NOT crossfade.is_made_for('sync_rename-inventory-batch_bfe31ca5', 'public.inventory_items', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_rename-inventory-batch_bfe31ca5" is for the table public.inventory_items only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('rename-inventory-batch') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."batch_number" IS NOT NULL
      THEN 'new'
      WHEN new."batch" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."batch" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'inventory_items') > 0
        AND (strpos(lower(current_query()), 'batch_number') = 0 OR NOT (current_query() ~* E'\\mbatch_number\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'inventory_items'], ARRAY['batch_number']::text[], ARRAY['batch']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'inventory_items') > 0
        AND (strpos(lower(current_query()), 'batch_number') = 0 OR NOT (current_query() ~* E'\\mbatch_number\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'inventory_items'], ARRAY['batch_number']::text[], ARRAY['batch']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."batch" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."batch_number" IS DISTINCT FROM old."batch_number" THEN
    crossfade_side := 'new';
  ELSIF new."batch" IS DISTINCT FROM old."batch" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."batch" := new."batch_number";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."batch" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mbatch\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."batch_number" := new."batch";
  ELSE
    NULL;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_rename-inventory-batch_bfe31ca5"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_rename-inventory-batch_bfe31ca5"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_rename-inventory-batch_bfe31ca5"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_rename-inventory-batch_bfe31ca5', 'public.inventory_items');
CREATE OR REPLACE TRIGGER "zz_crossfade_rename-inventory-batch_u" BEFORE UPDATE ON public.inventory_items FOR EACH ROW
  WHEN (new."batch_number" IS DISTINCT FROM new."batch") EXECUTE FUNCTION crossfade."sync_rename-inventory-batch_bfe31ca5"();
-- undo:
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_rename-inventory-batch_bfe31ca5";
CREATE OR REPLACE FUNCTION crossfade."sync_rename-inventory-batch_bfe31ca5"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
  -- … the same as in dual_write, sync_columns:public.inventory_items
SELECT crossfade.keep_function('sync_rename-inventory-batch_bfe31ca5', 'public.inventory_items');
CREATE OR REPLACE TRIGGER "zz_crossfade_rename-inventory-batch_u" BEFORE UPDATE ON public.inventory_items FOR EACH ROW
  WHEN (new."batch_number" IS DISTINCT FROM new."batch") EXECUTE FUNCTION crossfade."sync_rename-inventory-batch_bfe31ca5"();


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.inventory_items
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE NOT (NOT (batch_number IS DISTINCT FROM batch)))
  FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, batch AS batch, batch_number AS batch_number, id AS id
    FROM ONLY public.inventory_items
    WHERE ctid >= ($1::text)::tid
    AND ctid < ($2::text)::tid) AS "inventory_items";


-- ======== enforce
-- gate: no row in quarantine
-- gate: the triggers are in place

-- create_index:inventory_items_batch_crossfade
CREATE INDEX CONCURRENTLY inventory_items_batch_crossfade ON public.inventory_items USING btree (batch_number);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.inventory_items_batch_crossfade;


-- ======== switch_reads
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== retire
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.inventory_items.batch

-- retire_column:public.inventory_items.batch
ALTER TABLE public.inventory_items RENAME COLUMN batch TO batch_crossfade_retired;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_rename-inventory-batch_bfe31ca5";
CREATE OR REPLACE FUNCTION crossfade."sync_rename-inventory-batch_bfe31ca5"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
-- crossfade: run rename-inventory-batch, table public.inventory_items; keeps both sides of a change in step, not filling
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
  IF (tg_table_name <> 'inventory_items' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.inventory_items')
    AND NOT crossfade.is_made_for('sync_rename-inventory-batch_bfe31ca5', 'public.inventory_items', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_rename-inventory-batch_bfe31ca5" is for the table public.inventory_items only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('rename-inventory-batch') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."batch_number" IS NOT NULL
      THEN 'new'
      WHEN new."batch_crossfade_retired" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."batch_crossfade_retired" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'inventory_items') > 0
        AND (strpos(lower(current_query()), 'batch_number') = 0 OR NOT (current_query() ~* E'\\mbatch_number\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'inventory_items'], ARRAY['batch_number']::text[], ARRAY['batch_crossfade_retired']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'inventory_items') > 0
        AND (strpos(lower(current_query()), 'batch_number') = 0 OR NOT (current_query() ~* E'\\mbatch_number\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'inventory_items'], ARRAY['batch_number']::text[], ARRAY['batch_crossfade_retired']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."batch_crossfade_retired" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."batch_number" IS DISTINCT FROM old."batch_number" THEN
    crossfade_side := 'new';
  ELSIF new."batch_crossfade_retired" IS DISTINCT FROM old."batch_crossfade_retired" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    new."batch_crossfade_retired" := new."batch_number";
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."batch_crossfade_retired" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\mbatch_crossfade_retired\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."batch_number" := new."batch_crossfade_retired";
  ELSE
    NULL;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_rename-inventory-batch_bfe31ca5"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_rename-inventory-batch_bfe31ca5"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_rename-inventory-batch_bfe31ca5"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
-- undo:
ALTER TABLE public.inventory_items RENAME COLUMN batch_crossfade_retired TO batch;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_rename-inventory-batch_bfe31ca5";
CREATE OR REPLACE FUNCTION crossfade."sync_rename-inventory-batch_bfe31ca5"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $crossfade$
  -- … the same as in backfill, fill:public.inventory_items


-- ======== contract, one transaction
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.inventory_items.batch

-- drop_sync:public.inventory_items
DROP TRIGGER IF EXISTS "zz_crossfade_rename-inventory-batch_i" ON public.inventory_items;
DROP TRIGGER IF EXISTS "zz_crossfade_rename-inventory-batch_u" ON public.inventory_items;
DROP FUNCTION IF EXISTS crossfade."sync_rename-inventory-batch_bfe31ca5"();
DROP SEQUENCE IF EXISTS crossfade."old_rename-inventory-batch_bfe31ca5";
DROP SEQUENCE IF EXISTS crossfade."new_rename-inventory-batch_bfe31ca5";
DROP SEQUENCE IF EXISTS crossfade."untold_rename-inventory-batch_bfe31ca5";
-- cannot be undone

-- drop_column:public.inventory_items.batch
ALTER TABLE public.inventory_items DROP COLUMN batch_crossfade_retired;
-- cannot be undone

-- rename_object:public.inventory_items_batch_crossfade
ALTER INDEX public.inventory_items_batch_crossfade RENAME TO inventory_items_batch;
-- cannot be undone
