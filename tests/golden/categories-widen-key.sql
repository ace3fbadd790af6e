-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.categories.id_new
ALTER TABLE public.categories ADD COLUMN id_new bigint;
-- undo:
ALTER TABLE public.categories DROP COLUMN id_new;

-- add_column:public.categories.parent_id_new
ALTER TABLE public.categories ADD COLUMN parent_id_new bigint;
-- undo:
ALTER TABLE public.categories DROP COLUMN parent_id_new;

-- add_column:public.categories.moved_to_new
ALTER TABLE public.categories ADD COLUMN moved_to_new bigint;
-- undo:
ALTER TABLE public.categories DROP COLUMN moved_to_new;

-- add_column:public.categories.checked_by_new
ALTER TABLE public.categories ADD COLUMN checked_by_new bigint;
-- undo:
ALTER TABLE public.categories DROP COLUMN checked_by_new;


-- ======== dual_write

-- sync_columns:public.categories
CREATE SEQUENCE IF NOT EXISTS crossfade."old_widen-category-id_75743972";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_widen-category-id_75743972";
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_widen-category-id_75743972";
CREATE OR REPLACE FUNCTION crossfade."sync_widen-category-id_75743972"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run widen-category-id, table public.categories; keeps both sides of a change in step, filling rows as they move
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
  IF (tg_table_name <> 'categories' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.categories')
    AND NOT crossfade.is_made_for('sync_widen-category-id_75743972', 'public.categories', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_widen-category-id_75743972" is for the table public.categories only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('widen-category-id') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'widen-category-id'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'widen-category-id'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.categories'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."checked_by_new" IS NOT NULL
      THEN 'new'
      WHEN new."checked_by" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."checked_by" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'categories') > 0
        AND (strpos(lower(current_query()), 'checked_by_new') = 0 OR NOT (current_query() ~* E'\\mchecked_by_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'categories'], ARRAY['checked_by_new']::text[], ARRAY['checked_by']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'categories') > 0
        AND (strpos(lower(current_query()), 'checked_by_new') = 0 OR NOT (current_query() ~* E'\\mchecked_by_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'categories'], ARRAY['checked_by_new']::text[], ARRAY['checked_by']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."checked_by" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."checked_by_new" IS DISTINCT FROM old."checked_by_new" THEN
    crossfade_side := 'new';
  ELSIF new."checked_by" IS DISTINCT FROM old."checked_by" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"categories">>
      DECLARE
        "checked_by_new" bigint := "sync_widen-category-id_75743972".new."checked_by_new";
      BEGIN
        "sync_widen-category-id_75743972".new."checked_by" := (checked_by_new
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'widen-category-id'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.categories', 'checked_by', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('checked_by_new', new."checked_by_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'widen-category-id'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."checked_by" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mchecked_by\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."checked_by_new" := new."checked_by";
  ELSE
    IF (new."checked_by_new" IS NULL AND (new."checked_by" IS NOT NULL)) THEN
      new."checked_by_new" := new."checked_by";
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
        AND strpos(lower(current_query()), 'categories') > 0
        AND (strpos(lower(current_query()), 'id_new') = 0 OR NOT (current_query() ~* E'\\mid_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'categories'], ARRAY['id_new']::text[], ARRAY['id']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_side = 'old' OR crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'categories') > 0
        AND (strpos(lower(current_query()), 'id_new') = 0 OR NOT (current_query() ~* E'\\mid_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'categories'], ARRAY['id_new']::text[], ARRAY['id']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (false);
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
      <<"categories">>
      DECLARE
        "id_new" bigint := "sync_widen-category-id_75743972".new."id_new";
      BEGIN
        "sync_widen-category-id_75743972".new."id" := (id_new
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'widen-category-id'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.categories', 'id', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('id_new', new."id_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'widen-category-id'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (false OR left(current_query(), 10000) ~* E'\\mid\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."id_new" := new."id";
  ELSE
    IF (new."id_new" IS NULL AND (new."id" IS NOT NULL)) THEN
      new."id_new" := new."id";
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."moved_to_new" IS NOT NULL
      THEN 'new'
      WHEN new."moved_to" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."moved_to" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'categories') > 0
        AND (strpos(lower(current_query()), 'moved_to_new') = 0 OR NOT (current_query() ~* E'\\mmoved_to_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'categories'], ARRAY['moved_to_new']::text[], ARRAY['moved_to']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'categories') > 0
        AND (strpos(lower(current_query()), 'moved_to_new') = 0 OR NOT (current_query() ~* E'\\mmoved_to_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'categories'], ARRAY['moved_to_new']::text[], ARRAY['moved_to']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."moved_to" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."moved_to_new" IS DISTINCT FROM old."moved_to_new" THEN
    crossfade_side := 'new';
  ELSIF new."moved_to" IS DISTINCT FROM old."moved_to" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"categories">>
      DECLARE
        "moved_to_new" bigint := "sync_widen-category-id_75743972".new."moved_to_new";
      BEGIN
        "sync_widen-category-id_75743972".new."moved_to" := (moved_to_new
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'widen-category-id'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.categories', 'moved_to', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('moved_to_new', new."moved_to_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'widen-category-id'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."moved_to" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mmoved_to\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."moved_to_new" := new."moved_to";
  ELSE
    IF (new."moved_to_new" IS NULL AND (new."moved_to" IS NOT NULL)) THEN
      new."moved_to_new" := new."moved_to";
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."parent_id_new" IS NOT NULL
      THEN 'new'
      WHEN new."parent_id" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."parent_id" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'categories') > 0
        AND (strpos(lower(current_query()), 'parent_id_new') = 0 OR NOT (current_query() ~* E'\\mparent_id_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'categories'], ARRAY['parent_id_new']::text[], ARRAY['parent_id']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'categories') > 0
        AND (strpos(lower(current_query()), 'parent_id_new') = 0 OR NOT (current_query() ~* E'\\mparent_id_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'categories'], ARRAY['parent_id_new']::text[], ARRAY['parent_id']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."parent_id" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."parent_id_new" IS DISTINCT FROM old."parent_id_new" THEN
    crossfade_side := 'new';
  ELSIF new."parent_id" IS DISTINCT FROM old."parent_id" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"categories">>
      DECLARE
        "parent_id_new" bigint := "sync_widen-category-id_75743972".new."parent_id_new";
      BEGIN
        "sync_widen-category-id_75743972".new."parent_id" := (parent_id_new
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'widen-category-id'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.categories', 'parent_id', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('parent_id_new', new."parent_id_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'widen-category-id'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."parent_id" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mparent_id\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."parent_id_new" := new."parent_id";
  ELSE
    IF (new."parent_id_new" IS NULL AND (new."parent_id" IS NOT NULL)) THEN
      new."parent_id_new" := new."parent_id";
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_widen-category-id_75743972"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_widen-category-id_75743972"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_widen-category-id_75743972"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_widen-category-id_75743972', 'public.categories');
CREATE OR REPLACE TRIGGER "zz_crossfade_widen-category-id_u" BEFORE UPDATE ON public.categories FOR EACH ROW
  WHEN (new."checked_by" IS DISTINCT FROM old."checked_by"
    OR new."checked_by_new" IS DISTINCT FROM old."checked_by_new"
    OR (new."checked_by_new" IS NULL AND (new."checked_by" IS NOT NULL))
    OR new."id" IS DISTINCT FROM old."id"
    OR new."id_new" IS DISTINCT FROM old."id_new"
    OR (new."id_new" IS NULL AND (new."id" IS NOT NULL))
    OR new."moved_to" IS DISTINCT FROM old."moved_to"
    OR new."moved_to_new" IS DISTINCT FROM old."moved_to_new"
    OR (new."moved_to_new" IS NULL AND (new."moved_to" IS NOT NULL))
    OR new."parent_id" IS DISTINCT FROM old."parent_id"
    OR new."parent_id_new" IS DISTINCT FROM old."parent_id_new"
    OR (new."parent_id_new" IS NULL AND (new."parent_id" IS NOT NULL))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_widen-category-id_75743972"();
CREATE OR REPLACE TRIGGER "zz_crossfade_widen-category-id_i" BEFORE INSERT ON public.categories FOR EACH ROW EXECUTE FUNCTION crossfade."sync_widen-category-id_75743972"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_widen-category-id_i" ON public.categories;
DROP TRIGGER IF EXISTS "zz_crossfade_widen-category-id_u" ON public.categories;
DROP FUNCTION IF EXISTS crossfade."sync_widen-category-id_75743972"();
DROP SEQUENCE IF EXISTS crossfade."old_widen-category-id_75743972";
DROP SEQUENCE IF EXISTS crossfade."new_widen-category-id_75743972";
DROP SEQUENCE IF EXISTS crossfade."untold_widen-category-id_75743972";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.categories
UPDATE ONLY public.categories AS "categories"
  SET checked_by_new = CASE
  WHEN (checked_by_new IS NULL AND checked_by IS NOT NULL)
  THEN checked_by
  ELSE checked_by_new END, id_new = CASE
  WHEN (id_new IS NULL AND id IS NOT NULL)
  THEN id
  ELSE id_new END, moved_to_new = CASE
  WHEN (moved_to_new IS NULL AND moved_to IS NOT NULL)
  THEN moved_to
  ELSE moved_to_new END, parent_id_new = CASE
  WHEN (parent_id_new IS NULL AND parent_id IS NOT NULL)
  THEN parent_id
  ELSE parent_id_new END
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND ((checked_by_new IS NULL AND checked_by IS NOT NULL)
    OR (id_new IS NULL AND id IS NOT NULL)
    OR (moved_to_new IS NULL AND moved_to IS NOT NULL)
    OR (parent_id_new IS NULL AND parent_id IS NOT NULL));
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_widen-category-id_75743972";
CREATE OR REPLACE FUNCTION crossfade."sync_widen-category-id_75743972"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run widen-category-id, table public.categories; keeps both sides of a change in step, not filling
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
  IF (tg_table_name <> 'categories' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.categories')
    AND NOT crossfade.is_made_for('sync_widen-category-id_75743972', 'public.categories', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_widen-category-id_75743972" is for the table public.categories only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('widen-category-id') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'widen-category-id'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'widen-category-id'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.categories'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."checked_by_new" IS NOT NULL
      THEN 'new'
      WHEN new."checked_by" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."checked_by" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'categories') > 0
        AND (strpos(lower(current_query()), 'checked_by_new') = 0 OR NOT (current_query() ~* E'\\mchecked_by_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'categories'], ARRAY['checked_by_new']::text[], ARRAY['checked_by']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'categories') > 0
        AND (strpos(lower(current_query()), 'checked_by_new') = 0 OR NOT (current_query() ~* E'\\mchecked_by_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'categories'], ARRAY['checked_by_new']::text[], ARRAY['checked_by']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."checked_by" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."checked_by_new" IS DISTINCT FROM old."checked_by_new" THEN
    crossfade_side := 'new';
  ELSIF new."checked_by" IS DISTINCT FROM old."checked_by" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"categories">>
      DECLARE
        "checked_by_new" bigint := "sync_widen-category-id_75743972".new."checked_by_new";
      BEGIN
        "sync_widen-category-id_75743972".new."checked_by" := (checked_by_new
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'widen-category-id'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.categories', 'checked_by', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('checked_by_new', new."checked_by_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'widen-category-id'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."checked_by" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mchecked_by\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."checked_by_new" := new."checked_by";
  ELSE
    NULL;
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
        AND strpos(lower(current_query()), 'categories') > 0
        AND (strpos(lower(current_query()), 'id_new') = 0 OR NOT (current_query() ~* E'\\mid_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'categories'], ARRAY['id_new']::text[], ARRAY['id']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_side = 'old' OR crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'categories') > 0
        AND (strpos(lower(current_query()), 'id_new') = 0 OR NOT (current_query() ~* E'\\mid_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'categories'], ARRAY['id_new']::text[], ARRAY['id']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (false);
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
      <<"categories">>
      DECLARE
        "id_new" bigint := "sync_widen-category-id_75743972".new."id_new";
      BEGIN
        "sync_widen-category-id_75743972".new."id" := (id_new
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'widen-category-id'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.categories', 'id', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('id_new', new."id_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'widen-category-id'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (false OR left(current_query(), 10000) ~* E'\\mid\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."id_new" := new."id";
  ELSE
    NULL;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."moved_to_new" IS NOT NULL
      THEN 'new'
      WHEN new."moved_to" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."moved_to" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'categories') > 0
        AND (strpos(lower(current_query()), 'moved_to_new') = 0 OR NOT (current_query() ~* E'\\mmoved_to_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'categories'], ARRAY['moved_to_new']::text[], ARRAY['moved_to']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'categories') > 0
        AND (strpos(lower(current_query()), 'moved_to_new') = 0 OR NOT (current_query() ~* E'\\mmoved_to_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'categories'], ARRAY['moved_to_new']::text[], ARRAY['moved_to']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."moved_to" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."moved_to_new" IS DISTINCT FROM old."moved_to_new" THEN
    crossfade_side := 'new';
  ELSIF new."moved_to" IS DISTINCT FROM old."moved_to" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"categories">>
      DECLARE
        "moved_to_new" bigint := "sync_widen-category-id_75743972".new."moved_to_new";
      BEGIN
        "sync_widen-category-id_75743972".new."moved_to" := (moved_to_new
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'widen-category-id'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.categories', 'moved_to', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('moved_to_new', new."moved_to_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'widen-category-id'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."moved_to" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mmoved_to\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."moved_to_new" := new."moved_to";
  ELSE
    NULL;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."parent_id_new" IS NOT NULL
      THEN 'new'
      WHEN new."parent_id" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."parent_id" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'categories') > 0
        AND (strpos(lower(current_query()), 'parent_id_new') = 0 OR NOT (current_query() ~* E'\\mparent_id_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'categories'], ARRAY['parent_id_new']::text[], ARRAY['parent_id']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'categories') > 0
        AND (strpos(lower(current_query()), 'parent_id_new') = 0 OR NOT (current_query() ~* E'\\mparent_id_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'categories'], ARRAY['parent_id_new']::text[], ARRAY['parent_id']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."parent_id" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."parent_id_new" IS DISTINCT FROM old."parent_id_new" THEN
    crossfade_side := 'new';
  ELSIF new."parent_id" IS DISTINCT FROM old."parent_id" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"categories">>
      DECLARE
        "parent_id_new" bigint := "sync_widen-category-id_75743972".new."parent_id_new";
      BEGIN
        "sync_widen-category-id_75743972".new."parent_id" := (parent_id_new
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'widen-category-id'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.categories', 'parent_id', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('parent_id_new', new."parent_id_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'widen-category-id'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."parent_id" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mparent_id\\M') THEN
      crossfade_old_write := true;
    END IF;
    new."parent_id_new" := new."parent_id";
  ELSE
    NULL;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_widen-category-id_75743972"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_widen-category-id_75743972"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_widen-category-id_75743972"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_widen-category-id_75743972', 'public.categories');
CREATE OR REPLACE TRIGGER "zz_crossfade_widen-category-id_u" BEFORE UPDATE ON public.categories FOR EACH ROW
  WHEN (new."checked_by" IS DISTINCT FROM old."checked_by"
    OR new."checked_by_new" IS DISTINCT FROM old."checked_by_new"
    OR new."id" IS DISTINCT FROM old."id"
    OR new."id_new" IS DISTINCT FROM old."id_new"
    OR new."moved_to" IS DISTINCT FROM old."moved_to"
    OR new."moved_to_new" IS DISTINCT FROM old."moved_to_new"
    OR new."parent_id" IS DISTINCT FROM old."parent_id"
    OR new."parent_id_new" IS DISTINCT FROM old."parent_id_new"
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_widen-category-id_75743972"();
-- undo:
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_widen-category-id_75743972";
CREATE OR REPLACE FUNCTION crossfade."sync_widen-category-id_75743972"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_columns:public.categories
SELECT crossfade.keep_function('sync_widen-category-id_75743972', 'public.categories');
CREATE OR REPLACE TRIGGER "zz_crossfade_widen-category-id_u" BEFORE UPDATE ON public.categories FOR EACH ROW
  WHEN (new."checked_by" IS DISTINCT FROM old."checked_by"
    OR new."checked_by_new" IS DISTINCT FROM old."checked_by_new"
    OR (new."checked_by_new" IS NULL AND (new."checked_by" IS NOT NULL))
    OR new."id" IS DISTINCT FROM old."id"
    OR new."id_new" IS DISTINCT FROM old."id_new"
    OR (new."id_new" IS NULL AND (new."id" IS NOT NULL))
    OR new."moved_to" IS DISTINCT FROM old."moved_to"
    OR new."moved_to_new" IS DISTINCT FROM old."moved_to_new"
    OR (new."moved_to_new" IS NULL AND (new."moved_to" IS NOT NULL))
    OR new."parent_id" IS DISTINCT FROM old."parent_id"
    OR new."parent_id_new" IS DISTINCT FROM old."parent_id_new"
    OR (new."parent_id_new" IS NULL AND (new."parent_id" IS NOT NULL))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_widen-category-id_75743972"();


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.categories
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE (CASE
    WHEN ((SELECT EXISTS (SELECT
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'backward'
      AND crossfade_q.table_name = 'public.categories'
      AND crossfade_q.column_name = 'checked_by'))
      AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('checked_by_new', checked_by_new)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
        FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
        WHERE crossfade_r.state = 'active'
        AND crossfade_q.accepted_at IS NOT NULL
        AND crossfade_q.direction = 'backward'
        AND crossfade_q.table_name = 'public.categories'
        AND crossfade_q.column_name = 'checked_by'))
    THEN false
    ELSE NOT ((NOT (checked_by_new IS DISTINCT FROM (checked_by
          )::bigint)) OR (NOT (checked_by IS DISTINCT FROM (checked_by_new
          )::integer))) END
            OR CASE
            WHEN ((SELECT EXISTS (SELECT
              FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
              WHERE crossfade_r.state = 'active'
              AND crossfade_q.accepted_at IS NOT NULL
              AND crossfade_q.direction = 'backward'
              AND crossfade_q.table_name = 'public.categories'
              AND crossfade_q.column_name = 'id'))
              AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('id_new', id_new)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
                FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
                WHERE crossfade_r.state = 'active'
                AND crossfade_q.accepted_at IS NOT NULL
                AND crossfade_q.direction = 'backward'
                AND crossfade_q.table_name = 'public.categories'
                AND crossfade_q.column_name = 'id'))
            THEN false
            ELSE NOT ((NOT (id_new IS DISTINCT FROM (id
          )::bigint)) OR (NOT (id IS DISTINCT FROM (id_new
          )::integer))) END
            OR CASE
            WHEN ((SELECT EXISTS (SELECT
              FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
              WHERE crossfade_r.state = 'active'
              AND crossfade_q.accepted_at IS NOT NULL
              AND crossfade_q.direction = 'backward'
              AND crossfade_q.table_name = 'public.categories'
              AND crossfade_q.column_name = 'moved_to'))
              AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('moved_to_new', moved_to_new)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
                FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
                WHERE crossfade_r.state = 'active'
                AND crossfade_q.accepted_at IS NOT NULL
                AND crossfade_q.direction = 'backward'
                AND crossfade_q.table_name = 'public.categories'
                AND crossfade_q.column_name = 'moved_to'))
            THEN false
            ELSE NOT ((NOT (moved_to_new IS DISTINCT FROM (moved_to
          )::bigint)) OR (NOT (moved_to IS DISTINCT FROM (moved_to_new
          )::integer))) END
            OR CASE
            WHEN ((SELECT EXISTS (SELECT
              FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
              WHERE crossfade_r.state = 'active'
              AND crossfade_q.accepted_at IS NOT NULL
              AND crossfade_q.direction = 'backward'
              AND crossfade_q.table_name = 'public.categories'
              AND crossfade_q.column_name = 'parent_id'))
              AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('parent_id_new', parent_id_new)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
                FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
                WHERE crossfade_r.state = 'active'
                AND crossfade_q.accepted_at IS NOT NULL
                AND crossfade_q.direction = 'backward'
                AND crossfade_q.table_name = 'public.categories'
                AND crossfade_q.column_name = 'parent_id'))
            THEN false
            ELSE NOT ((NOT (parent_id_new IS DISTINCT FROM (parent_id
          )::bigint)) OR (NOT (parent_id IS DISTINCT FROM (parent_id_new
          )::integer))) END))
            FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, checked_by AS checked_by, checked_by_new AS checked_by_new, id AS id, id_new AS id_new, moved_to AS moved_to, moved_to_new AS moved_to_new, parent_id AS parent_id, parent_id_new AS parent_id_new
              FROM ONLY public.categories
              WHERE ctid >= ($1::text)::tid
              AND ctid < ($2::text)::tid) AS "categories";


-- ======== enforce
-- gate: no row in quarantine
-- gate: the triggers are in place

-- create_index:categories_moved_to_crossfade
CREATE INDEX CONCURRENTLY categories_moved_to_crossfade ON public.categories USING btree (moved_to_new);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.categories_moved_to_crossfade;

-- create_index:categories_parent_id_crossfade
CREATE INDEX CONCURRENTLY categories_parent_id_crossfade ON public.categories USING btree (parent_id_new);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.categories_parent_id_crossfade;

-- create_index:categories_pkey_crossfade
CREATE UNIQUE INDEX CONCURRENTLY categories_pkey_crossfade ON public.categories USING btree (id_new);
-- undo:
DROP INDEX CONCURRENTLY IF EXISTS public.categories_pkey_crossfade;

-- add_constraint:public.categories.categories_parent_crossfade
ALTER TABLE public.categories ADD CONSTRAINT categories_parent_crossfade FOREIGN KEY (parent_id_new) REFERENCES public.categories(id_new) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED NOT VALID;
ALTER TABLE public.categories VALIDATE CONSTRAINT categories_parent_crossfade;
-- undo:
ALTER TABLE public.categories DROP CONSTRAINT IF EXISTS categories_parent_crossfade;

-- add_constraint:public.categories.categories_moved_crossfade
ALTER TABLE public.categories ADD CONSTRAINT categories_moved_crossfade FOREIGN KEY (moved_to_new) REFERENCES public.categories(id_new) ON DELETE
  SET NULL DEFERRABLE INITIALLY DEFERRED NOT VALID;
ALTER TABLE public.categories VALIDATE CONSTRAINT categories_moved_crossfade;
-- undo:
ALTER TABLE public.categories DROP CONSTRAINT IF EXISTS categories_moved_crossfade;

-- add_constraint:public.categories.categories_checked_crossfade
ALTER TABLE public.categories ADD CONSTRAINT categories_checked_crossfade FOREIGN KEY (checked_by_new) REFERENCES public.categories(id_new) DEFERRABLE INITIALLY DEFERRED NOT VALID;
-- undo:
ALTER TABLE public.categories DROP CONSTRAINT IF EXISTS categories_checked_crossfade;

-- set_not_null:public.categories.id_new
ALTER TABLE public.categories ADD CONSTRAINT id_new_crossfade_not_null CHECK (id_new IS NOT NULL) NOT VALID;
ALTER TABLE public.categories VALIDATE CONSTRAINT id_new_crossfade_not_null;
ALTER TABLE public.categories ALTER COLUMN id_new SET NOT NULL;
ALTER TABLE public.categories DROP CONSTRAINT IF EXISTS id_new_crossfade_not_null;
-- undo:
ALTER TABLE public.categories ALTER COLUMN id_new DROP NOT NULL;
ALTER TABLE public.categories DROP CONSTRAINT IF EXISTS id_new_crossfade_not_null;


-- ======== switch_reads
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== contract, one transaction
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.categories.id, public.categories.parent_id, public.categories.moved_to, public.categories.checked_by

-- drop_sync:public.categories
DROP TRIGGER IF EXISTS "zz_crossfade_widen-category-id_i" ON public.categories;
DROP TRIGGER IF EXISTS "zz_crossfade_widen-category-id_u" ON public.categories;
DROP FUNCTION IF EXISTS crossfade."sync_widen-category-id_75743972"();
DROP SEQUENCE IF EXISTS crossfade."old_widen-category-id_75743972";
DROP SEQUENCE IF EXISTS crossfade."new_widen-category-id_75743972";
DROP SEQUENCE IF EXISTS crossfade."untold_widen-category-id_75743972";
-- cannot be undone

-- drop_constraint:public.categories.categories_parent
ALTER TABLE public.categories DROP CONSTRAINT IF EXISTS categories_parent;
-- cannot be undone

-- drop_constraint:public.categories.categories_moved
ALTER TABLE public.categories DROP CONSTRAINT IF EXISTS categories_moved;
-- cannot be undone

-- drop_constraint:public.categories.categories_checked
ALTER TABLE public.categories DROP CONSTRAINT IF EXISTS categories_checked;
-- cannot be undone

-- swap_primary_key:public.categories.categories_pkey
ALTER TABLE public.categories DROP CONSTRAINT categories_pkey;
ALTER TABLE public.categories ADD CONSTRAINT categories_pkey PRIMARY KEY USING INDEX categories_pkey_crossfade;
-- cannot be undone

-- own_sequence:public.categories_id_seq
ALTER SEQUENCE public.categories_id_seq OWNED BY public.categories.id_new;
-- cannot be undone

-- set_default:public.categories.id_new
ALTER TABLE public.categories ALTER COLUMN id_new SET DEFAULT nextval('public.categories_id_seq'::regclass);
-- undo:
ALTER TABLE public.categories ALTER COLUMN id_new DROP DEFAULT;

-- take_place:public.categories.id
ALTER TABLE public.categories DROP COLUMN id;
ALTER TABLE public.categories RENAME COLUMN id_new TO id;
-- cannot be undone

-- take_place:public.categories.parent_id
ALTER TABLE public.categories DROP COLUMN parent_id;
ALTER TABLE public.categories RENAME COLUMN parent_id_new TO parent_id;
-- cannot be undone

-- take_place:public.categories.moved_to
ALTER TABLE public.categories DROP COLUMN moved_to;
ALTER TABLE public.categories RENAME COLUMN moved_to_new TO moved_to;
-- cannot be undone

-- take_place:public.categories.checked_by
ALTER TABLE public.categories DROP COLUMN checked_by;
ALTER TABLE public.categories RENAME COLUMN checked_by_new TO checked_by;
-- cannot be undone

-- widen_sequence:public.categories_id_seq
ALTER SEQUENCE public.categories_id_seq AS bigint MAXVALUE 9223372036854775807;
-- cannot be undone

-- rename_object:public.categories_moved_to_crossfade
ALTER INDEX public.categories_moved_to_crossfade RENAME TO categories_moved_to;
-- cannot be undone

-- rename_object:public.categories_parent_id_crossfade
ALTER INDEX public.categories_parent_id_crossfade RENAME TO categories_parent_id;
-- cannot be undone

-- rename_object:public.categories.categories_parent_crossfade
ALTER TABLE public.categories RENAME CONSTRAINT categories_parent_crossfade TO categories_parent;
ALTER TABLE public.categories ALTER CONSTRAINT categories_parent NOT DEFERRABLE;
-- cannot be undone

-- rename_object:public.categories.categories_moved_crossfade
ALTER TABLE public.categories RENAME CONSTRAINT categories_moved_crossfade TO categories_moved;
ALTER TABLE public.categories ALTER CONSTRAINT categories_moved DEFERRABLE INITIALLY IMMEDIATE;
-- cannot be undone

-- rename_object:public.categories.categories_checked_crossfade
ALTER TABLE public.categories RENAME CONSTRAINT categories_checked_crossfade TO categories_checked;
ALTER TABLE public.categories ALTER CONSTRAINT categories_checked NOT DEFERRABLE;
-- cannot be undone
