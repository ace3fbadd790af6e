-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.orders.id_new
ALTER TABLE public.orders ADD COLUMN id_new bigint;
-- undo:
ALTER TABLE public.orders DROP COLUMN id_new;

-- add_column:public.order_lines.order_id_new
ALTER TABLE public.order_lines ADD COLUMN order_id_new bigint;
-- undo:
ALTER TABLE public.order_lines DROP COLUMN order_id_new;


-- ======== dual_write

-- sync_columns:public.orders
CREATE SEQUENCE IF NOT EXISTS crossfade."old_widen-order-id_81854963";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_widen-order-id_81854963";
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_widen-order-id_81854963";
CREATE OR REPLACE FUNCTION crossfade."sync_widen-order-id_81854963"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run widen-order-id, table public.orders; keeps both sides of a change in step, filling rows as they move
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
  IF (tg_table_name <> 'orders' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.orders')
    AND NOT crossfade.is_made_for('sync_widen-order-id_81854963', 'public.orders', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_widen-order-id_81854963" is for the table public.orders only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('widen-order-id') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'widen-order-id'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'widen-order-id'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.orders'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."id_new" IS NOT NULL
      THEN 'new'
      WHEN new."id" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."id" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'orders') > 0
        AND (strpos(lower(current_query()), 'id_new') = 0 OR NOT (current_query() ~* E'\\mid_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'orders'], ARRAY['id_new']::text[], ARRAY['id']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'orders') > 0
        AND (strpos(lower(current_query()), 'id_new') = 0 OR NOT (current_query() ~* E'\\mid_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'orders'], ARRAY['id_new']::text[], ARRAY['id']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."id" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."id_new" IS DISTINCT FROM old."id_new" THEN
    crossfade_side := 'new';
  ELSIF new."id" IS DISTINCT FROM old."id" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"orders">>
      DECLARE
        "id_new" bigint := "sync_widen-order-id_81854963".new."id_new";
      BEGIN
        "sync_widen-order-id_81854963".new."id" := (id_new
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'widen-order-id'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.orders', 'id', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('id_new', new."id_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'widen-order-id' AND r.state = 'active' AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."id" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mid\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."id_new" := new."id";
  ELSE
    IF (new."id_new" IS NULL AND (new."id" IS NOT NULL)) THEN
      new."id_new" := new."id";
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_widen-order-id_81854963"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_widen-order-id_81854963"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_widen-order-id_81854963"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_widen-order-id_81854963', 'public.orders');
CREATE OR REPLACE TRIGGER "zz_crossfade_widen-order-id_u" BEFORE UPDATE ON public.orders FOR EACH ROW
  WHEN (new."id" IS DISTINCT FROM old."id"
    OR new."id_new" IS DISTINCT FROM old."id_new"
    OR (new."id_new" IS NULL AND (new."id" IS NOT NULL))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_widen-order-id_81854963"();
CREATE OR REPLACE TRIGGER "zz_crossfade_widen-order-id_i" BEFORE INSERT ON public.orders FOR EACH ROW EXECUTE FUNCTION crossfade."sync_widen-order-id_81854963"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_widen-order-id_i" ON public.orders;
DROP TRIGGER IF EXISTS "zz_crossfade_widen-order-id_u" ON public.orders;
DROP FUNCTION IF EXISTS crossfade."sync_widen-order-id_81854963"();
DROP SEQUENCE IF EXISTS crossfade."old_widen-order-id_81854963";
DROP SEQUENCE IF EXISTS crossfade."new_widen-order-id_81854963";
DROP SEQUENCE IF EXISTS crossfade."untold_widen-order-id_81854963";

-- sync_columns:public.order_lines
CREATE SEQUENCE IF NOT EXISTS crossfade."old_widen-order-id_10b30e72";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_widen-order-id_10b30e72";
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_widen-order-id_10b30e72";
CREATE OR REPLACE FUNCTION crossfade."sync_widen-order-id_10b30e72"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run widen-order-id, table public.order_lines; keeps both sides of a change in step, filling rows as they move
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
  IF (tg_table_name <> 'order_lines' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.order_lines')
    AND NOT crossfade.is_made_for('sync_widen-order-id_10b30e72', 'public.order_lines', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_widen-order-id_10b30e72" is for the table public.order_lines only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('widen-order-id') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."order_id_new" IS NOT NULL
      THEN 'new'
      WHEN new."order_id" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."order_id" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'order_lines') > 0
        AND (strpos(lower(current_query()), 'order_id_new') = 0 OR NOT (current_query() ~* E'\\morder_id_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'order_lines'], ARRAY['order_id_new']::text[], ARRAY['order_id']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'order_lines') > 0
        AND (strpos(lower(current_query()), 'order_id_new') = 0 OR NOT (current_query() ~* E'\\morder_id_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'order_lines'], ARRAY['order_id_new']::text[], ARRAY['order_id']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."order_id" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."order_id_new" IS DISTINCT FROM old."order_id_new" THEN
    crossfade_side := 'new';
  ELSIF new."order_id" IS DISTINCT FROM old."order_id" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"order_lines">>
      DECLARE
        "order_id_new" bigint := "sync_widen-order-id_10b30e72".new."order_id_new";
      BEGIN
        "sync_widen-order-id_10b30e72".new."order_id" := (order_id_new
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'widen-order-id'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.order_lines', 'order_id', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('order_id_new', new."order_id_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'widen-order-id' AND r.state = 'active' AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."order_id" IS NOT NULL OR left(current_query(), 10000) ~* E'\\morder_id\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."order_id_new" := new."order_id";
  ELSE
    IF (new."order_id_new" IS NULL AND (new."order_id" IS NOT NULL)) THEN
      new."order_id_new" := new."order_id";
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_widen-order-id_10b30e72"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_widen-order-id_10b30e72"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_widen-order-id_10b30e72"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_widen-order-id_10b30e72', 'public.order_lines');
CREATE OR REPLACE TRIGGER "zz_crossfade_widen-order-id_u" BEFORE UPDATE ON public.order_lines FOR EACH ROW
  WHEN (new."order_id" IS DISTINCT FROM old."order_id"
    OR new."order_id_new" IS DISTINCT FROM old."order_id_new"
    OR (new."order_id_new" IS NULL
      AND (new."order_id" IS NOT NULL))) EXECUTE FUNCTION crossfade."sync_widen-order-id_10b30e72"();
CREATE OR REPLACE TRIGGER "zz_crossfade_widen-order-id_i" BEFORE INSERT ON public.order_lines FOR EACH ROW EXECUTE FUNCTION crossfade."sync_widen-order-id_10b30e72"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_widen-order-id_i" ON public.order_lines;
DROP TRIGGER IF EXISTS "zz_crossfade_widen-order-id_u" ON public.order_lines;
DROP FUNCTION IF EXISTS crossfade."sync_widen-order-id_10b30e72"();
DROP SEQUENCE IF EXISTS crossfade."old_widen-order-id_10b30e72";
DROP SEQUENCE IF EXISTS crossfade."new_widen-order-id_10b30e72";
DROP SEQUENCE IF EXISTS crossfade."untold_widen-order-id_10b30e72";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.orders
UPDATE ONLY public.orders AS "orders"
  SET id_new = id
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND (id_new IS NULL AND id IS NOT NULL);
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_widen-order-id_81854963";
CREATE OR REPLACE FUNCTION crossfade."sync_widen-order-id_81854963"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run widen-order-id, table public.orders; keeps both sides of a change in step, not filling
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
  IF (tg_table_name <> 'orders' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.orders')
    AND NOT crossfade.is_made_for('sync_widen-order-id_81854963', 'public.orders', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_widen-order-id_81854963" is for the table public.orders only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('widen-order-id') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'widen-order-id'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'widen-order-id'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.orders'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."id_new" IS NOT NULL
      THEN 'new'
      WHEN new."id" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."id" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'orders') > 0
        AND (strpos(lower(current_query()), 'id_new') = 0 OR NOT (current_query() ~* E'\\mid_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'orders'], ARRAY['id_new']::text[], ARRAY['id']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'orders') > 0
        AND (strpos(lower(current_query()), 'id_new') = 0 OR NOT (current_query() ~* E'\\mid_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'orders'], ARRAY['id_new']::text[], ARRAY['id']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."id" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."id_new" IS DISTINCT FROM old."id_new" THEN
    crossfade_side := 'new';
  ELSIF new."id" IS DISTINCT FROM old."id" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"orders">>
      DECLARE
        "id_new" bigint := "sync_widen-order-id_81854963".new."id_new";
      BEGIN
        "sync_widen-order-id_81854963".new."id" := (id_new
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'widen-order-id'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.orders', 'id', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('id_new', new."id_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'widen-order-id' AND r.state = 'active' AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."id" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mid\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."id_new" := new."id";
  ELSE
    NULL;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_widen-order-id_81854963"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_widen-order-id_81854963"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_widen-order-id_81854963"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_widen-order-id_81854963', 'public.orders');
CREATE OR REPLACE TRIGGER "zz_crossfade_widen-order-id_u" BEFORE UPDATE ON public.orders FOR EACH ROW
  WHEN (new."id" IS DISTINCT FROM old."id"
    OR new."id_new" IS DISTINCT FROM old."id_new"
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_widen-order-id_81854963"();
-- undo:
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_widen-order-id_81854963";
CREATE OR REPLACE FUNCTION crossfade."sync_widen-order-id_81854963"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_columns:public.orders
SELECT crossfade.keep_function('sync_widen-order-id_81854963', 'public.orders');
CREATE OR REPLACE TRIGGER "zz_crossfade_widen-order-id_u" BEFORE UPDATE ON public.orders FOR EACH ROW
  WHEN (new."id" IS DISTINCT FROM old."id"
    OR new."id_new" IS DISTINCT FROM old."id_new"
    OR (new."id_new" IS NULL AND (new."id" IS NOT NULL))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_widen-order-id_81854963"();

-- fill:public.order_lines
UPDATE ONLY public.order_lines AS "order_lines"
  SET order_id_new = order_id
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND (order_id_new IS NULL AND order_id IS NOT NULL);
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_widen-order-id_10b30e72";
CREATE OR REPLACE FUNCTION crossfade."sync_widen-order-id_10b30e72"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run widen-order-id, table public.order_lines; keeps both sides of a change in step, not filling
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
  IF (tg_table_name <> 'order_lines' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.order_lines')
    AND NOT crossfade.is_made_for('sync_widen-order-id_10b30e72', 'public.order_lines', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_widen-order-id_10b30e72" is for the table public.order_lines only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('widen-order-id') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."order_id_new" IS NOT NULL
      THEN 'new'
      WHEN new."order_id" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."order_id" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'order_lines') > 0
        AND (strpos(lower(current_query()), 'order_id_new') = 0 OR NOT (current_query() ~* E'\\morder_id_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'order_lines'], ARRAY['order_id_new']::text[], ARRAY['order_id']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'order_lines') > 0
        AND (strpos(lower(current_query()), 'order_id_new') = 0 OR NOT (current_query() ~* E'\\morder_id_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'order_lines'], ARRAY['order_id_new']::text[], ARRAY['order_id']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."order_id" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."order_id_new" IS DISTINCT FROM old."order_id_new" THEN
    crossfade_side := 'new';
  ELSIF new."order_id" IS DISTINCT FROM old."order_id" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"order_lines">>
      DECLARE
        "order_id_new" bigint := "sync_widen-order-id_10b30e72".new."order_id_new";
      BEGIN
        "sync_widen-order-id_10b30e72".new."order_id" := (order_id_new
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'widen-order-id'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.order_lines', 'order_id', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('order_id_new', new."order_id_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'widen-order-id' AND r.state = 'active' AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."order_id" IS NOT NULL OR left(current_query(), 10000) ~* E'\\morder_id\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."order_id_new" := new."order_id";
  ELSE
    NULL;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_widen-order-id_10b30e72"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_widen-order-id_10b30e72"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_widen-order-id_10b30e72"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_widen-order-id_10b30e72', 'public.order_lines');
CREATE OR REPLACE TRIGGER "zz_crossfade_widen-order-id_u" BEFORE UPDATE ON public.order_lines FOR EACH ROW
  WHEN (new."order_id" IS DISTINCT FROM old."order_id"
    OR new."order_id_new" IS DISTINCT FROM old."order_id_new") EXECUTE FUNCTION crossfade."sync_widen-order-id_10b30e72"();
-- undo:
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_widen-order-id_10b30e72";
CREATE OR REPLACE FUNCTION crossfade."sync_widen-order-id_10b30e72"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_columns:public.order_lines
SELECT crossfade.keep_function('sync_widen-order-id_10b30e72', 'public.order_lines');
CREATE OR REPLACE TRIGGER "zz_crossfade_widen-order-id_u" BEFORE UPDATE ON public.order_lines FOR EACH ROW
  WHEN (new."order_id" IS DISTINCT FROM old."order_id"
    OR new."order_id_new" IS DISTINCT FROM old."order_id_new"
    OR (new."order_id_new" IS NULL
      AND (new."order_id" IS NOT NULL))) EXECUTE FUNCTION crossfade."sync_widen-order-id_10b30e72"();


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.orders
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE CASE
  WHEN ((SELECT EXISTS (SELECT
    FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
    WHERE crossfade_r.state = 'active'
    AND crossfade_q.accepted_at IS NOT NULL
    AND crossfade_q.direction = 'backward'
    AND crossfade_q.table_name = 'public.orders'
    AND crossfade_q.column_name = 'id'))
    AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('id_new', id_new)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'backward'
      AND crossfade_q.table_name = 'public.orders'
      AND crossfade_q.column_name = 'id'))
  THEN false
  ELSE NOT ((NOT (id_new IS DISTINCT FROM (id
        )::bigint)) OR (NOT (id IS DISTINCT FROM (id_new
        )::integer))) END)
          FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, id AS id, id_new AS id_new
            FROM ONLY public.orders
            WHERE ctid >= ($1::text)::tid
            AND ctid < ($2::text)::tid) AS "orders";

-- match:public.order_lines
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE CASE
  WHEN ((SELECT EXISTS (SELECT
    FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
    WHERE crossfade_r.state = 'active'
    AND crossfade_q.accepted_at IS NOT NULL
    AND crossfade_q.direction = 'backward'
    AND crossfade_q.table_name = 'public.order_lines'
    AND crossfade_q.column_name = 'order_id'))
    AND (pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('order_id_new', order_id_new)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'backward'
      AND crossfade_q.table_name = 'public.order_lines'
      AND crossfade_q.column_name = 'order_id'))
  THEN false
  ELSE NOT ((NOT (order_id_new IS DISTINCT FROM (order_id
        )::bigint)) OR (NOT (order_id IS DISTINCT FROM (order_id_new
        )::integer))) END)
          FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, order_id AS order_id, order_id_new AS order_id_new
            FROM ONLY public.order_lines
            WHERE ctid >= ($1::text)::tid
            AND ctid < ($2::text)::tid) AS "order_lines";


-- ======== enforce
-- gate: no row in quarantine
-- gate: the triggers are in place

-- create_index:orders_pkey_crossfade
CREATE UNIQUE INDEX CONCURRENTLY orders_pkey_crossfade ON public.orders USING btree (id_new);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.orders_pkey_crossfade;

-- set_not_null:public.orders.id_new
ALTER TABLE public.orders ADD CONSTRAINT id_new_crossfade_not_null CHECK (id_new IS NOT NULL) NOT VALID;
ALTER TABLE public.orders VALIDATE CONSTRAINT id_new_crossfade_not_null;
ALTER TABLE public.orders ALTER COLUMN id_new SET NOT NULL;
ALTER TABLE public.orders DROP CONSTRAINT IF EXISTS id_new_crossfade_not_null;
-- undo:
ALTER TABLE public.orders ALTER COLUMN id_new DROP NOT NULL;
ALTER TABLE public.orders DROP CONSTRAINT IF EXISTS id_new_crossfade_not_null;

-- add_constraint:public.order_lines.order_lines_order_id_fkey_crossfade
ALTER TABLE public.order_lines ADD CONSTRAINT order_lines_order_id_fkey_crossfade FOREIGN KEY (order_id_new) REFERENCES public.orders(id_new) NOT VALID;
ALTER TABLE public.order_lines VALIDATE CONSTRAINT order_lines_order_id_fkey_crossfade;
-- undo:
ALTER TABLE public.order_lines DROP CONSTRAINT IF EXISTS order_lines_order_id_fkey_crossfade;

-- set_not_null:public.order_lines.order_id_new
ALTER TABLE public.order_lines ADD CONSTRAINT order_id_new_crossfade_not_null CHECK (order_id_new IS NOT NULL) NOT VALID;
ALTER TABLE public.order_lines VALIDATE CONSTRAINT order_id_new_crossfade_not_null;
ALTER TABLE public.order_lines ALTER COLUMN order_id_new SET NOT NULL;
ALTER TABLE public.order_lines DROP CONSTRAINT IF EXISTS order_id_new_crossfade_not_null;
-- undo:
ALTER TABLE public.order_lines ALTER COLUMN order_id_new DROP NOT NULL;
ALTER TABLE public.order_lines DROP CONSTRAINT IF EXISTS order_id_new_crossfade_not_null;


-- ======== switch_reads
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== contract, one transaction
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.orders.id, public.order_lines.order_id

-- drop_sync:public.orders
DROP TRIGGER IF EXISTS "zz_crossfade_widen-order-id_i" ON public.orders;
DROP TRIGGER IF EXISTS "zz_crossfade_widen-order-id_u" ON public.orders;
DROP FUNCTION IF EXISTS crossfade."sync_widen-order-id_81854963"();
DROP SEQUENCE IF EXISTS crossfade."old_widen-order-id_81854963";
DROP SEQUENCE IF EXISTS crossfade."new_widen-order-id_81854963";
DROP SEQUENCE IF EXISTS crossfade."untold_widen-order-id_81854963";
-- cannot be undone

-- drop_sync:public.order_lines
DROP TRIGGER IF EXISTS "zz_crossfade_widen-order-id_i" ON public.order_lines;
DROP TRIGGER IF EXISTS "zz_crossfade_widen-order-id_u" ON public.order_lines;
DROP FUNCTION IF EXISTS crossfade."sync_widen-order-id_10b30e72"();
DROP SEQUENCE IF EXISTS crossfade."old_widen-order-id_10b30e72";
DROP SEQUENCE IF EXISTS crossfade."new_widen-order-id_10b30e72";
DROP SEQUENCE IF EXISTS crossfade."untold_widen-order-id_10b30e72";
-- cannot be undone

-- drop_constraint:public.order_lines.order_lines_order_id_fkey
ALTER TABLE public.order_lines DROP CONSTRAINT IF EXISTS order_lines_order_id_fkey;
-- cannot be undone

-- swap_primary_key:public.orders.orders_pkey
ALTER TABLE public.orders DROP CONSTRAINT orders_pkey;
ALTER TABLE public.orders ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_pkey_crossfade;
-- cannot be undone

-- move_identity:public.orders.id_new
ALTER SEQUENCE public.orders_id_seq RENAME TO orders_id_seq_crossfade;
ALTER TABLE public.orders ALTER COLUMN id_new ADD GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME public.orders_id_seq START WITH 1 INCREMENT BY 1 NO MINVALUE NO MAXVALUE CACHE 1);
SELECT setval('public.orders_id_seq'::regclass, last_value, is_called) FROM public.orders_id_seq_crossfade;
-- cannot be undone

-- take_place:public.orders.id
ALTER TABLE public.orders DROP COLUMN id;
ALTER TABLE public.orders RENAME COLUMN id_new TO id;
-- cannot be undone

-- take_place:public.order_lines.order_id
ALTER TABLE public.order_lines DROP COLUMN order_id;
ALTER TABLE public.order_lines RENAME COLUMN order_id_new TO order_id;
-- cannot be undone

-- rename_object:public.order_lines.order_lines_order_id_fkey_crossfade
ALTER TABLE public.order_lines RENAME CONSTRAINT order_lines_order_id_fkey_crossfade TO order_lines_order_id_fkey;
-- cannot be undone
