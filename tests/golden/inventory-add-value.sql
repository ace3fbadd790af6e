-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.inventory_items.label
ALTER TABLE public.inventory_items ADD COLUMN label text;
-- undo:
ALTER TABLE public.inventory_items DROP COLUMN label;


-- ======== dual_write

-- sync_columns:public.inventory_items
CREATE SEQUENCE IF NOT EXISTS crossfade."old_add-inventory-label_bfe31ca5";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_add-inventory-label_bfe31ca5";
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_add-inventory-label_bfe31ca5";
CREATE OR REPLACE FUNCTION crossfade."sync_add-inventory-label_bfe31ca5"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run add-inventory-label, table public.inventory_items; keeps both sides of a change in step, filling rows as they move
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
    AND NOT crossfade.is_made_for('sync_add-inventory-label_bfe31ca5', 'public.inventory_items', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_add-inventory-label_bfe31ca5" is for the table public.inventory_items only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('add-inventory-label') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'add-inventory-label'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        DELETE FROM crossfade.overtaken AS o USING crossfade.runs AS r
          WHERE r.name = 'add-inventory-label'
            AND r.state = 'active'
            AND o.run_id = r.id
            AND o.table_name = 'public.inventory_items.label'
            AND o.row_key = pg_catalog.jsonb_build_object('id', new."id");
        UPDATE crossfade.overtaken AS o
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'add-inventory-label'
            AND r.state = 'active'
            AND o.run_id = r.id
            AND o.table_name = 'public.inventory_items.label'
            AND o.row_key = pg_catalog.jsonb_build_object('id', old."id");
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'add-inventory-label'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.inventory_items'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."label" IS NOT NULL
      THEN 'new'
      WHEN new."item_name" IS NOT NULL
      OR new."batch" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old'
      AND crossfade_side = 'new'
      AND (new."item_name" IS NOT NULL OR new."batch" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'inventory_items') > 0
        AND (strpos(lower(current_query()), 'label') = 0 OR NOT (current_query() ~* E'\\mlabel\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'inventory_items'], ARRAY['label']::text[], ARRAY['item_name', 'batch']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'inventory_items') > 0
        AND (strpos(lower(current_query()), 'label') = 0 OR NOT (current_query() ~* E'\\mlabel\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'inventory_items'], ARRAY['label']::text[], ARRAY['item_name', 'batch']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT (new."item_name" IS NOT NULL OR new."batch" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."label" IS DISTINCT FROM old."label" THEN
    crossfade_side := 'new';
  ELSIF new."item_name" IS DISTINCT FROM old."item_name" OR new."batch" IS DISTINCT FROM old."batch" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    NULL;
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'add-inventory-label'
      AND crossfade_active.state = 'active') THEN
      INSERT INTO crossfade.overtaken (run_id, table_name, row_key) SELECT r.id, q.table_name, q.row_key
        FROM crossfade.runs AS r, (
          VALUES ('public.inventory_items.label', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
          WHERE r.name = 'add-inventory-label'
          AND r.state = 'active'
        AND (tg_op <> 'INSERT'
          OR NOT EXISTS (SELECT 1
            FROM public.inventory_items AS crossfade_row
            WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id")) ON CONFLICT DO NOTHING;
    END IF;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."item_name" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\mitem_name\\M'
      OR new."batch" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\mbatch\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"inventory_items">>
      DECLARE
        "item_name" text := "sync_add-inventory-label_bfe31ca5".new."item_name";
        "batch" text := "sync_add-inventory-label_bfe31ca5".new."batch";
      BEGIN
        "sync_add-inventory-label_bfe31ca5".new."label" := ((((item_name || ' ('::text) || batch) || ')'::text)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."label" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'add-inventory-label'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.inventory_items', 'label', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('item_name', new."item_name", 'batch', new."batch"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'add-inventory-label'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'add-inventory-label'
      AND crossfade_active.state = 'active') THEN
      DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
          FROM crossfade.runs AS r, (
            VALUES ('public.inventory_items.label', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
            WHERE r.name = 'add-inventory-label'
            AND r.state = 'active'
          AND (tg_op <> 'INSERT'
            OR NOT EXISTS (SELECT 1
              FROM public.inventory_items AS crossfade_row
              WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id"))) AS gone
            WHERE (o.run_id, o.table_name, o.row_key) = (gone.id, gone.table_name, gone.row_key);
    END IF;
  ELSE
    IF (new."label" IS NULL AND (new."item_name" IS NOT NULL OR new."batch" IS NOT NULL)) THEN
      BEGIN
        <<"inventory_items">>
        DECLARE
          "item_name" text := "sync_add-inventory-label_bfe31ca5".new."item_name";
          "batch" text := "sync_add-inventory-label_bfe31ca5".new."batch";
        BEGIN
          "sync_add-inventory-label_bfe31ca5".new."label" := ((((item_name || ' ('::text) || batch) || ')'::text)
          );
        END;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        new."label" := NULL;
        IF EXISTS (SELECT 1
          FROM crossfade.runs AS crossfade_active
          WHERE crossfade_active.name = 'add-inventory-label'
          AND crossfade_active.state = 'active') THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.inventory_items', 'label', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('item_name', new."item_name", 'batch', new."batch"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'add-inventory-label'
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
        AND strpos(lower(current_query()), 'inventory_items') > 0
        AND (strpos(lower(current_query()), 'label') = 0 OR NOT (current_query() ~* E'\\mlabel\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'inventory_items'], ARRAY['label']::text[], ARRAY['item_name', 'batch']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"inventory_items">>
          DECLARE
            "item_name" text := "sync_add-inventory-label_bfe31ca5".new."item_name";
            "batch" text := "sync_add-inventory-label_bfe31ca5".new."batch";
          BEGIN
            "sync_add-inventory-label_bfe31ca5".new."label" := ((((item_name || ' ('::text) || batch) || ')'::text)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."label" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'add-inventory-label'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.inventory_items', 'label', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('item_name', new."item_name", 'batch', new."batch"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'add-inventory-label'
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
        WHERE crossfade_active.name = 'add-inventory-label'
        AND crossfade_active.state = 'active') THEN
        DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
            FROM crossfade.runs AS r, (
              VALUES ('public.inventory_items.label', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
              WHERE r.name = 'add-inventory-label'
              AND r.state = 'active'
            AND (tg_op <> 'INSERT'
              OR NOT EXISTS (SELECT 1
                FROM public.inventory_items AS crossfade_row
                WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id"))) AS gone
              WHERE (o.run_id, o.table_name, o.row_key) = (gone.id, gone.table_name, gone.row_key);
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_add-inventory-label_bfe31ca5"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_add-inventory-label_bfe31ca5"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_add-inventory-label_bfe31ca5"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_add-inventory-label_bfe31ca5', 'public.inventory_items');
CREATE OR REPLACE TRIGGER "zz_crossfade_add-inventory-label_u" BEFORE UPDATE ON public.inventory_items FOR EACH ROW
  WHEN (new."item_name" IS DISTINCT FROM old."item_name"
    OR new."batch" IS DISTINCT FROM old."batch"
    OR new."label" IS DISTINCT FROM old."label"
    OR (new."label" IS NULL AND (new."item_name" IS NOT NULL OR new."batch" IS NOT NULL))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_add-inventory-label_bfe31ca5"();
CREATE OR REPLACE TRIGGER "zz_crossfade_add-inventory-label_i" BEFORE INSERT ON public.inventory_items FOR EACH ROW EXECUTE FUNCTION crossfade."sync_add-inventory-label_bfe31ca5"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_add-inventory-label_i" ON public.inventory_items;
DROP TRIGGER IF EXISTS "zz_crossfade_add-inventory-label_u" ON public.inventory_items;
DROP FUNCTION IF EXISTS crossfade."sync_add-inventory-label_bfe31ca5"();
DROP SEQUENCE IF EXISTS crossfade."old_add-inventory-label_bfe31ca5";
DROP SEQUENCE IF EXISTS crossfade."new_add-inventory-label_bfe31ca5";
DROP SEQUENCE IF EXISTS crossfade."untold_add-inventory-label_bfe31ca5";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.inventory_items
UPDATE ONLY public.inventory_items AS "inventory_items" SET label = ((((item_name || ' ('::text) || batch) || ')'::text)
)
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND CASE
  WHEN ctid >= (SELECT ($1::text)::tid)
  AND ctid < (SELECT ($2::text)::tid)
  THEN (label IS NULL AND ((((item_name || ' ('::text) || batch) || ')'::text)
  ) IS NOT NULL) ELSE false END;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_add-inventory-label_bfe31ca5";
CREATE OR REPLACE FUNCTION crossfade."sync_add-inventory-label_bfe31ca5"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run add-inventory-label, table public.inventory_items; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_add-inventory-label_bfe31ca5', 'public.inventory_items', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_add-inventory-label_bfe31ca5" is for the table public.inventory_items only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('add-inventory-label') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'add-inventory-label'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        DELETE FROM crossfade.overtaken AS o USING crossfade.runs AS r
          WHERE r.name = 'add-inventory-label'
            AND r.state = 'active'
            AND o.run_id = r.id
            AND o.table_name = 'public.inventory_items.label'
            AND o.row_key = pg_catalog.jsonb_build_object('id', new."id");
        UPDATE crossfade.overtaken AS o
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'add-inventory-label'
            AND r.state = 'active'
            AND o.run_id = r.id
            AND o.table_name = 'public.inventory_items.label'
            AND o.row_key = pg_catalog.jsonb_build_object('id', old."id");
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'add-inventory-label'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.inventory_items'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."label" IS NOT NULL
      THEN 'new'
      WHEN new."item_name" IS NOT NULL
      OR new."batch" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old'
      AND crossfade_side = 'new'
      AND (new."item_name" IS NOT NULL OR new."batch" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'inventory_items') > 0
        AND (strpos(lower(current_query()), 'label') = 0 OR NOT (current_query() ~* E'\\mlabel\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'inventory_items'], ARRAY['label']::text[], ARRAY['item_name', 'batch']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'inventory_items') > 0
        AND (strpos(lower(current_query()), 'label') = 0 OR NOT (current_query() ~* E'\\mlabel\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'inventory_items'], ARRAY['label']::text[], ARRAY['item_name', 'batch']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT (new."item_name" IS NOT NULL OR new."batch" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."label" IS DISTINCT FROM old."label" THEN
    crossfade_side := 'new';
  ELSIF new."item_name" IS DISTINCT FROM old."item_name" OR new."batch" IS DISTINCT FROM old."batch" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    NULL;
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'add-inventory-label'
      AND crossfade_active.state = 'active') THEN
      INSERT INTO crossfade.overtaken (run_id, table_name, row_key) SELECT r.id, q.table_name, q.row_key
        FROM crossfade.runs AS r, (
          VALUES ('public.inventory_items.label', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
          WHERE r.name = 'add-inventory-label'
          AND r.state = 'active'
        AND (tg_op <> 'INSERT'
          OR NOT EXISTS (SELECT 1
            FROM public.inventory_items AS crossfade_row
            WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id")) ON CONFLICT DO NOTHING;
    END IF;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."item_name" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\mitem_name\\M'
      OR new."batch" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\mbatch\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"inventory_items">>
      DECLARE
        "item_name" text := "sync_add-inventory-label_bfe31ca5".new."item_name";
        "batch" text := "sync_add-inventory-label_bfe31ca5".new."batch";
      BEGIN
        "sync_add-inventory-label_bfe31ca5".new."label" := ((((item_name || ' ('::text) || batch) || ')'::text)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."label" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'add-inventory-label'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.inventory_items', 'label', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('item_name', new."item_name", 'batch', new."batch"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'add-inventory-label'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'add-inventory-label'
      AND crossfade_active.state = 'active') THEN
      DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
          FROM crossfade.runs AS r, (
            VALUES ('public.inventory_items.label', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
            WHERE r.name = 'add-inventory-label'
            AND r.state = 'active'
          AND (tg_op <> 'INSERT'
            OR NOT EXISTS (SELECT 1
              FROM public.inventory_items AS crossfade_row
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
        AND strpos(lower(current_query()), 'inventory_items') > 0
        AND (strpos(lower(current_query()), 'label') = 0 OR NOT (current_query() ~* E'\\mlabel\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'inventory_items'], ARRAY['label']::text[], ARRAY['item_name', 'batch']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"inventory_items">>
          DECLARE
            "item_name" text := "sync_add-inventory-label_bfe31ca5".new."item_name";
            "batch" text := "sync_add-inventory-label_bfe31ca5".new."batch";
          BEGIN
            "sync_add-inventory-label_bfe31ca5".new."label" := ((((item_name || ' ('::text) || batch) || ')'::text)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."label" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'add-inventory-label'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.inventory_items', 'label', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('item_name', new."item_name", 'batch', new."batch"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'add-inventory-label'
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
        WHERE crossfade_active.name = 'add-inventory-label'
        AND crossfade_active.state = 'active') THEN
        DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
            FROM crossfade.runs AS r, (
              VALUES ('public.inventory_items.label', pg_catalog.jsonb_build_object('id', new."id"))) AS q (table_name, row_key)
              WHERE r.name = 'add-inventory-label'
              AND r.state = 'active'
            AND (tg_op <> 'INSERT'
              OR NOT EXISTS (SELECT 1
                FROM public.inventory_items AS crossfade_row
                WHERE crossfade_row."id" OPERATOR(pg_catalog.=) new."id"))) AS gone
              WHERE (o.run_id, o.table_name, o.row_key) = (gone.id, gone.table_name, gone.row_key);
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_add-inventory-label_bfe31ca5"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_add-inventory-label_bfe31ca5"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_add-inventory-label_bfe31ca5"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_add-inventory-label_bfe31ca5', 'public.inventory_items');
CREATE OR REPLACE TRIGGER "zz_crossfade_add-inventory-label_u" BEFORE UPDATE ON public.inventory_items FOR EACH ROW
  WHEN (new."item_name" IS DISTINCT FROM old."item_name"
    OR new."batch" IS DISTINCT FROM old."batch"
    OR new."label" IS DISTINCT FROM old."label"
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_add-inventory-label_bfe31ca5"();
-- undo:
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_add-inventory-label_bfe31ca5";
CREATE OR REPLACE FUNCTION crossfade."sync_add-inventory-label_bfe31ca5"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_columns:public.inventory_items
SELECT crossfade.keep_function('sync_add-inventory-label_bfe31ca5', 'public.inventory_items');
CREATE OR REPLACE TRIGGER "zz_crossfade_add-inventory-label_u" BEFORE UPDATE ON public.inventory_items FOR EACH ROW
  WHEN (new."item_name" IS DISTINCT FROM old."item_name"
    OR new."batch" IS DISTINCT FROM old."batch"
    OR new."label" IS DISTINCT FROM old."label"
    OR (new."label" IS NULL AND (new."item_name" IS NOT NULL OR new."batch" IS NOT NULL))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_add-inventory-label_bfe31ca5"();


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.inventory_items
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE CASE
  WHEN (label IS NULL
    AND (SELECT EXISTS (SELECT
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.inventory_items'
      AND crossfade_q.column_name = 'label'))
    AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('item_name', item_name, 'batch', batch)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.inventory_items'
      AND crossfade_q.column_name = 'label'))
  OR ((SELECT EXISTS (SELECT
    FROM crossfade.overtaken AS crossfade_o JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_o.run_id
    WHERE crossfade_r.state = 'active'
    AND crossfade_o.table_name = 'public.inventory_items.label'))
    AND pg_catalog.jsonb_build_object('id', id) IN (SELECT crossfade_o.row_key
      FROM crossfade.overtaken AS crossfade_o JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_o.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_o.table_name = 'public.inventory_items.label'))
  THEN false
  ELSE NOT (NOT (label IS DISTINCT FROM ((((item_name || ' ('::text) || batch) || ')'::text)
      )::text)) END)
        FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, batch AS batch, id AS id, item_name AS item_name, label AS label
          FROM ONLY public.inventory_items
          WHERE ctid >= ($1::text)::tid
          AND ctid < ($2::text)::tid) AS "inventory_items";
