-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.shipments.captured_at
ALTER TABLE public.shipments ADD COLUMN captured_at timestamp with time zone;
-- undo:
ALTER TABLE public.shipments DROP COLUMN captured_at;

-- add_column:public.shipments.photo_url
ALTER TABLE public.shipments ADD COLUMN photo_url text;
-- undo:
ALTER TABLE public.shipments DROP COLUMN photo_url;

-- add_column:public.shipments.signature_url
ALTER TABLE public.shipments ADD COLUMN signature_url text;
-- undo:
ALTER TABLE public.shipments DROP COLUMN signature_url;


-- ======== dual_write

-- sync_tables:public.acknowledgments->public.shipments
CREATE SEQUENCE IF NOT EXISTS crossfade."old_fold-acknowledgments_804d46d4";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_fold-acknowledgments_804d46d4";
CREATE SEQUENCE IF NOT EXISTS crossfade."guard_fold-acknowledgments_804d46d4";
CREATE OR REPLACE FUNCTION crossfade."parent_fold-acknowledgments_804d46d4"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
#variable_conflict use_column
-- crossfade: run fold-acknowledgments; keeps public.shipments and public.acknowledgments in step
<<crossfade_body>>
DECLARE
  crossfade_guard text := coalesce(current_setting('crossfade.link', true), '');
  crossfade_parent record;
  crossfade_child record;
  crossfade_held boolean := false;
  crossfade_there boolean;
  crossfade_apply boolean;
  crossfade_context text;
  crossfade_names_new boolean;
  crossfade_count bigint;
  crossfade_state text;
  crossfade_error text;
  crossfade_k0 bigint;
  crossfade_v0 timestamp with time zone;
  crossfade_v1 text;
  crossfade_v2 text;
  crossfade_w0 timestamp with time zone;
  crossfade_w1 text;
  crossfade_w2 text;
  crossfade_apply0 boolean;
  crossfade_fits0 boolean;
  crossfade_apply1 boolean;
  crossfade_fits1 boolean;
  crossfade_apply2 boolean;
  crossfade_fits2 boolean;
BEGIN
  IF (tg_table_name <> 'shipments' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.shipments')
    AND NOT crossfade.is_made_for('parent_fold-acknowledgments_804d46d4', 'public.shipments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "parent_fold-acknowledgments_804d46d4" is for the table public.shipments only';
  END IF;
  IF starts_with(crossfade_guard, 'fold-acknowledgments_804d46d4 to parent')
    OR starts_with(crossfade_guard, 'fold-acknowledgments_804d46d4 to child') THEN
    IF pg_trigger_depth() = 1 THEN
      crossfade_guard := '';
    ELSIF crossfade_guard = 'fold-acknowledgments_804d46d4 to parent' || ' ' || currval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass) THEN
      RETURN new;
    ELSIF crossfade_guard = 'fold-acknowledgments_804d46d4 to child' || ' ' || currval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass) THEN
      crossfade_held := true;
    ELSE
      crossfade_guard := '';
    END IF;
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('fold-acknowledgments') THEN
    RETURN new;
  END IF;
  IF tg_op = 'DELETE' THEN
    crossfade_k0 := old."id";
    crossfade_count := nextval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass);
    PERFORM set_config('crossfade.link', 'fold-acknowledgments_804d46d4 to child' || ' ' || crossfade_count, true);
    DELETE
      FROM public.acknowledgments AS crossfade_c
      WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id";
    crossfade_count := nextval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass);
    PERFORM set_config('crossfade.link', CASE
      WHEN crossfade_held
      THEN 'fold-acknowledgments_804d46d4 to child' || ' ' || crossfade_count
      ELSE crossfade_guard END, true);
    RETURN NULL;
  END IF;
  crossfade_k0 := new."id";
  IF tg_when = 'BEFORE' THEN
    IF new."captured_at" IS NULL AND new."photo_url" IS NULL AND new."signature_url" IS NULL THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'captured_at') = 0 OR NOT (current_query() ~* E'\\mcaptured_at\\M'))
        AND (strpos(lower(current_query()), 'photo_url') = 0 OR NOT (current_query() ~* E'\\mphoto_url\\M'))
        AND (strpos(lower(current_query()), 'signature_url') = 0 OR NOT (current_query() ~* E'\\msignature_url\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['captured_at', 'photo_url', 'signature_url']::text[], ARRAY[]::text[]) END;
      IF crossfade_names_new THEN
        RETURN new;
      END IF;
      SELECT "acknowledgments".* INTO crossfade_child
        FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."captured_at" AS "captured_at", crossfade_c."photo_url" AS "photo_url", crossfade_c."signature_url" AS "signature_url"
          FROM public.acknowledgments AS crossfade_c
          WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "acknowledgments"
        LIMIT 1;
      crossfade_there := FOUND;
      SELECT new."id" AS "id", new."captured_at" AS "captured_at", new."photo_url" AS "photo_url", new."signature_url" AS "signature_url" INTO crossfade_parent;
      crossfade_fits0 := true;
      crossfade_fits1 := true;
      crossfade_fits2 := true;
      crossfade_v0 := crossfade_child."captured_at";
      crossfade_v1 := crossfade_child."photo_url";
      crossfade_v2 := crossfade_child."signature_url";
      new."captured_at" := crossfade_v0;
      new."photo_url" := crossfade_v1;
      new."signature_url" := crossfade_v2;
    END IF;
    RETURN new;
  END IF;
  SELECT crossfade_p."id" AS "id", crossfade_p."captured_at" AS "captured_at", crossfade_p."photo_url" AS "photo_url", crossfade_p."signature_url" AS "signature_url" INTO crossfade_parent
    FROM public.shipments AS crossfade_p
    WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0 FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  crossfade_fits0 := true;
  crossfade_fits1 := true;
  crossfade_fits2 := true;
  IF tg_op = 'INSERT' THEN
    SELECT crossfade_c."shipment_id" AS "shipment_id", crossfade_c."captured_at" AS "captured_at", crossfade_c."photo_url" AS "photo_url", crossfade_c."signature_url" AS "signature_url" INTO crossfade_child
      FROM public.acknowledgments AS crossfade_c
      WHERE false;
    crossfade_v0 := crossfade_child."captured_at";
    crossfade_v1 := crossfade_child."photo_url";
    crossfade_v2 := crossfade_child."signature_url";
    IF NOT (crossfade_parent."captured_at" IS DISTINCT FROM crossfade_v0)
      AND NOT (crossfade_parent."photo_url" IS DISTINCT FROM crossfade_v1)
      AND NOT (crossfade_parent."signature_url" IS DISTINCT FROM crossfade_v2) THEN
      RETURN NULL;
    END IF;
    crossfade_fits0 := true;
    crossfade_fits1 := true;
    crossfade_fits2 := true;
  END IF;
  SELECT "acknowledgments".* INTO crossfade_child
    FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."captured_at" AS "captured_at", crossfade_c."photo_url" AS "photo_url", crossfade_c."signature_url" AS "signature_url"
      FROM public.acknowledgments AS crossfade_c
      WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id" FOR UPDATE) AS "acknowledgments"
    LIMIT 1;
  crossfade_there := FOUND;
  crossfade_v0 := crossfade_child."captured_at";
  crossfade_v1 := crossfade_child."photo_url";
  crossfade_v2 := crossfade_child."signature_url";
  crossfade_w0 := crossfade_parent."captured_at";
  crossfade_w1 := crossfade_parent."photo_url";
  crossfade_w2 := crossfade_parent."signature_url";
  crossfade_apply := false;
  crossfade_apply0 := NOT ((crossfade_fits0 AND NOT (crossfade_parent."captured_at" IS DISTINCT FROM crossfade_v0)));
  crossfade_apply := crossfade_apply OR crossfade_apply0;
  crossfade_apply1 := NOT ((crossfade_fits1 AND NOT (crossfade_parent."photo_url" IS DISTINCT FROM crossfade_v1)));
  crossfade_apply := crossfade_apply OR crossfade_apply1;
  crossfade_apply2 := NOT ((crossfade_fits2 AND NOT (crossfade_parent."signature_url" IS DISTINCT FROM crossfade_v2)));
  crossfade_apply := crossfade_apply OR crossfade_apply2;
  IF crossfade_apply THEN
    crossfade_count := nextval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass);
    PERFORM set_config('crossfade.link', 'fold-acknowledgments_804d46d4 to child' || ' ' || crossfade_count, true);
    BEGIN
      IF crossfade_there THEN
        UPDATE public.acknowledgments AS crossfade_c
          SET "captured_at" = CASE
          WHEN crossfade_apply0
          THEN crossfade_w0
          ELSE crossfade_c."captured_at" END, "photo_url" = CASE
          WHEN crossfade_apply1
          THEN crossfade_w1
          ELSE crossfade_c."photo_url" END, "signature_url" = CASE
          WHEN crossfade_apply2
          THEN crossfade_w2
          ELSE crossfade_c."signature_url" END
          WHERE crossfade_c.ctid = crossfade_child.crossfade_tid;
      ELSE
        INSERT INTO public.acknowledgments ("shipment_id", "captured_at", "photo_url", "signature_url")
          VALUES (crossfade_k0, crossfade_w0, crossfade_w1, crossfade_w2);
      END IF;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF crossfade_apply0 THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'captured_at', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('captured_at', crossfade_parent."captured_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'fold-acknowledgments'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
      IF crossfade_apply1 THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'photo_url', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('photo_url', crossfade_parent."photo_url"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'fold-acknowledgments'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
      IF crossfade_apply2 THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'signature_url', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('signature_url', crossfade_parent."signature_url"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'fold-acknowledgments'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    crossfade_count := nextval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass);
    PERFORM set_config('crossfade.link', CASE
      WHEN crossfade_held
      THEN 'fold-acknowledgments_804d46d4 to child' || ' ' || crossfade_count
      ELSE crossfade_guard END, true);
    crossfade_count := nextval('crossfade."new_fold-acknowledgments_804d46d4"'::regclass);
  END IF;
  RETURN NULL;
END;
$crossfade$;
CREATE OR REPLACE FUNCTION crossfade."child_fold-acknowledgments_804d46d4"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
#variable_conflict use_column
-- crossfade: run fold-acknowledgments; keeps public.shipments and public.acknowledgments in step
<<crossfade_body>>
DECLARE
  crossfade_guard text := coalesce(current_setting('crossfade.link', true), '');
  crossfade_parent record;
  crossfade_child record;
  crossfade_held boolean := false;
  crossfade_there boolean;
  crossfade_apply boolean;
  crossfade_context text;
  crossfade_names_new boolean;
  crossfade_count bigint;
  crossfade_state text;
  crossfade_error text;
  crossfade_k0 bigint;
  crossfade_v0 timestamp with time zone;
  crossfade_v1 text;
  crossfade_v2 text;
  crossfade_w0 timestamp with time zone;
  crossfade_w1 text;
  crossfade_w2 text;
  crossfade_apply0 boolean;
  crossfade_fits0 boolean;
  crossfade_apply1 boolean;
  crossfade_fits1 boolean;
  crossfade_apply2 boolean;
  crossfade_fits2 boolean;
BEGIN
  IF (tg_table_name <> 'acknowledgments' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.acknowledgments')
    AND NOT crossfade.is_made_for('child_fold-acknowledgments_804d46d4', 'public.acknowledgments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "child_fold-acknowledgments_804d46d4" is for the table public.acknowledgments only';
  END IF;
  IF starts_with(crossfade_guard, 'fold-acknowledgments_804d46d4 to child')
    OR starts_with(crossfade_guard, 'fold-acknowledgments_804d46d4 to parent') THEN
    IF pg_trigger_depth() = 1 THEN
      crossfade_guard := '';
    ELSIF crossfade_guard = 'fold-acknowledgments_804d46d4 to child' || ' ' || currval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass) THEN
      RETURN new;
    ELSIF crossfade_guard = 'fold-acknowledgments_804d46d4 to parent' || ' ' || currval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass) THEN
      crossfade_held := true;
    ELSE
      crossfade_guard := '';
    END IF;
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('fold-acknowledgments') THEN
    RETURN new;
  END IF;
  IF tg_when = 'BEFORE' THEN
    crossfade_k0 := new."shipment_id";
    PERFORM
      FROM public.shipments AS crossfade_p
      WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0 FOR NO KEY UPDATE;
    RETURN new;
  END IF;
  FOR crossfade_turn IN 1..2 LOOP
    IF crossfade_turn = 1 THEN
      CONTINUE WHEN tg_op = 'DELETE';
      crossfade_k0 := new."shipment_id";
    ELSE
      CONTINUE WHEN tg_op = 'INSERT';
      IF tg_op = 'UPDATE' THEN
        CONTINUE WHEN NOT (new."shipment_id" IS DISTINCT FROM old."shipment_id");
      END IF;
      crossfade_k0 := old."shipment_id";
    END IF;
    SELECT crossfade_p."id" AS "id", crossfade_p."captured_at" AS "captured_at", crossfade_p."photo_url" AS "photo_url", crossfade_p."signature_url" AS "signature_url" INTO crossfade_parent
      FROM public.shipments AS crossfade_p
      WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0 FOR NO KEY UPDATE;
    CONTINUE WHEN NOT FOUND;
    SELECT "acknowledgments".* INTO crossfade_child
      FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."captured_at" AS "captured_at", crossfade_c."photo_url" AS "photo_url", crossfade_c."signature_url" AS "signature_url"
        FROM public.acknowledgments AS crossfade_c
        WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "acknowledgments"
      LIMIT 1;
    crossfade_there := FOUND;
    crossfade_fits0 := true;
    crossfade_fits1 := true;
    crossfade_fits2 := true;
    crossfade_v0 := crossfade_child."captured_at";
    crossfade_v1 := crossfade_child."photo_url";
    crossfade_v2 := crossfade_child."signature_url";
    crossfade_w0 := crossfade_parent."captured_at";
    crossfade_w1 := crossfade_parent."photo_url";
    crossfade_w2 := crossfade_parent."signature_url";
    crossfade_apply := false;
    crossfade_apply0 := NOT ((NOT (crossfade_parent."captured_at" IS DISTINCT FROM crossfade_v0)));
    crossfade_apply := crossfade_apply OR crossfade_apply0;
    crossfade_apply1 := NOT ((NOT (crossfade_parent."photo_url" IS DISTINCT FROM crossfade_v1)));
    crossfade_apply := crossfade_apply OR crossfade_apply1;
    crossfade_apply2 := NOT ((NOT (crossfade_parent."signature_url" IS DISTINCT FROM crossfade_v2)));
    crossfade_apply := crossfade_apply OR crossfade_apply2;
    IF crossfade_apply THEN
      crossfade_count := nextval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass);
      PERFORM set_config('crossfade.link', 'fold-acknowledgments_804d46d4 to parent' || ' ' || crossfade_count, true);
      BEGIN
        UPDATE public.shipments AS crossfade_p
          SET "captured_at" = CASE
          WHEN crossfade_apply0
          THEN crossfade_v0
          ELSE crossfade_p."captured_at" END, "photo_url" = CASE
          WHEN crossfade_apply1
          THEN crossfade_v1
          ELSE crossfade_p."photo_url" END, "signature_url" = CASE
          WHEN crossfade_apply2
          THEN crossfade_v2
          ELSE crossfade_p."signature_url" END
          WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0;
      EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        IF crossfade_apply0 THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.shipments', 'captured_at', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('captured_at', crossfade_child."captured_at"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'fold-acknowledgments'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
        IF crossfade_apply1 THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.shipments', 'photo_url', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('photo_url', crossfade_child."photo_url"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'fold-acknowledgments'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
        IF crossfade_apply2 THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.shipments', 'signature_url', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('signature_url', crossfade_child."signature_url"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'fold-acknowledgments'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
      END;
      crossfade_count := nextval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass);
      PERFORM set_config('crossfade.link', CASE
        WHEN crossfade_held
        THEN 'fold-acknowledgments_804d46d4 to parent' || ' ' || crossfade_count
        ELSE crossfade_guard END, true);
    END IF;
  END LOOP;
  crossfade_count := nextval('crossfade."old_fold-acknowledgments_804d46d4"'::regclass);
  RETURN NULL;
END;
$crossfade$;
SELECT crossfade.keep_function('parent_fold-acknowledgments_804d46d4', 'public.shipments');
SELECT crossfade.keep_function('child_fold-acknowledgments_804d46d4', 'public.acknowledgments');
CREATE OR REPLACE TRIGGER "zz_crossfade_fold-acknowledgments_cb" BEFORE INSERT ON public.acknowledgments FOR EACH ROW EXECUTE FUNCTION crossfade."child_fold-acknowledgments_804d46d4"();
CREATE OR REPLACE TRIGGER "zz_crossfade_fold-acknowledgments_ci" AFTER INSERT
  OR DELETE ON public.acknowledgments FOR EACH ROW EXECUTE FUNCTION crossfade."child_fold-acknowledgments_804d46d4"();
CREATE OR REPLACE TRIGGER "zz_crossfade_fold-acknowledgments_cu" AFTER UPDATE ON public.acknowledgments FOR EACH ROW
  WHEN (new."shipment_id" IS DISTINCT FROM old."shipment_id"
    OR new."captured_at" IS DISTINCT FROM old."captured_at"
    OR new."photo_url" IS DISTINCT FROM old."photo_url"
    OR new."signature_url" IS DISTINCT FROM old."signature_url") EXECUTE FUNCTION crossfade."child_fold-acknowledgments_804d46d4"();
CREATE OR REPLACE TRIGGER "zz_crossfade_fold-acknowledgments_pi" AFTER INSERT ON public.shipments FOR EACH ROW EXECUTE FUNCTION crossfade."parent_fold-acknowledgments_804d46d4"();
CREATE OR REPLACE TRIGGER "zz_crossfade_fold-acknowledgments_pu" AFTER UPDATE ON public.shipments FOR EACH ROW
  WHEN (new."id" IS DISTINCT FROM old."id"
    OR new."captured_at" IS DISTINCT FROM old."captured_at"
    OR new."photo_url" IS DISTINCT FROM old."photo_url"
    OR new."signature_url" IS DISTINCT FROM old."signature_url") EXECUTE FUNCTION crossfade."parent_fold-acknowledgments_804d46d4"();
CREATE OR REPLACE TRIGGER "zz_crossfade_fold-acknowledgments_pb" BEFORE INSERT ON public.shipments FOR EACH ROW EXECUTE FUNCTION crossfade."parent_fold-acknowledgments_804d46d4"();
CREATE OR REPLACE TRIGGER "A_crossfade_fold-acknowledgments_pd" AFTER DELETE ON public.shipments FOR EACH ROW EXECUTE FUNCTION crossfade."parent_fold-acknowledgments_804d46d4"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_fold-acknowledgments_cb" ON public.acknowledgments;
DROP TRIGGER IF EXISTS "zz_crossfade_fold-acknowledgments_ci" ON public.acknowledgments;
DROP TRIGGER IF EXISTS "zz_crossfade_fold-acknowledgments_cu" ON public.acknowledgments;
DROP TRIGGER IF EXISTS "zz_crossfade_fold-acknowledgments_pi" ON public.shipments;
DROP TRIGGER IF EXISTS "zz_crossfade_fold-acknowledgments_pu" ON public.shipments;
DROP TRIGGER IF EXISTS "zz_crossfade_fold-acknowledgments_pb" ON public.shipments;
DROP TRIGGER IF EXISTS "A_crossfade_fold-acknowledgments_pd" ON public.shipments;
DROP FUNCTION IF EXISTS crossfade."parent_fold-acknowledgments_804d46d4"();
DROP FUNCTION IF EXISTS crossfade."child_fold-acknowledgments_804d46d4"();
DROP SEQUENCE IF EXISTS crossfade."old_fold-acknowledgments_804d46d4";
DROP SEQUENCE IF EXISTS crossfade."new_fold-acknowledgments_804d46d4";
DROP SEQUENCE IF EXISTS crossfade."guard_fold-acknowledgments_804d46d4";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.shipments
UPDATE ONLY public.shipments AS crossfade_filled
  SET "captured_at" = CASE
  WHEN ((crossfade_parent."captured_at" IS NULL) AND (crossfade_for_parent."captured_at" IS NOT NULL))
  THEN crossfade_for_parent."captured_at"
  ELSE crossfade_filled."captured_at" END, "photo_url" = CASE
  WHEN ((crossfade_parent."photo_url" IS NULL) AND (crossfade_for_parent."photo_url" IS NOT NULL))
  THEN crossfade_for_parent."photo_url"
  ELSE crossfade_filled."photo_url" END, "signature_url" = CASE
  WHEN ((crossfade_parent."signature_url" IS NULL) AND (crossfade_for_parent."signature_url" IS NOT NULL))
  THEN crossfade_for_parent."signature_url"
  ELSE crossfade_filled."signature_url" END
  FROM (SELECT crossfade_p.ctid AS crossfade_tid, crossfade_p.xmin AS crossfade_xmin, crossfade_p."id" AS "id", crossfade_p."captured_at" AS "captured_at", crossfade_p."photo_url" AS "photo_url", crossfade_p."signature_url" AS "signature_url"
    FROM ONLY public.shipments AS crossfade_p
    WHERE crossfade_p.ctid >= ($1::text)::tid
    AND crossfade_p.ctid < ($2::text)::tid
    AND (((crossfade_p."captured_at" IS NULL)
      OR (crossfade_p."photo_url" IS NULL)
      OR (crossfade_p."signature_url" IS NULL)))) AS crossfade_parent
  LEFT JOIN LATERAL (SELECT "acknowledgments".*
    FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c.xmin AS crossfade_xmin, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."captured_at" AS "captured_at", crossfade_c."photo_url" AS "photo_url", crossfade_c."signature_url" AS "signature_url"
      FROM public.acknowledgments AS crossfade_c
      WHERE crossfade_parent."id" OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "acknowledgments"
    LIMIT 1) AS crossfade_child ON true
  CROSS JOIN LATERAL (SELECT (captured_at
  ) AS "captured_at", (photo_url
  ) AS "photo_url", (signature_url
  ) AS "signature_url"
    FROM (SELECT crossfade_child."captured_at" AS "captured_at", crossfade_child."photo_url" AS "photo_url", crossfade_child."signature_url" AS "signature_url") AS "acknowledgments") AS crossfade_for_parent
    WHERE crossfade_filled.ctid = crossfade_parent.crossfade_tid
    AND (((crossfade_parent."captured_at" IS NULL) AND (crossfade_for_parent."captured_at" IS NOT NULL))
      OR ((crossfade_parent."photo_url" IS NULL) AND (crossfade_for_parent."photo_url" IS NOT NULL))
      OR ((crossfade_parent."signature_url" IS NULL) AND (crossfade_for_parent."signature_url" IS NOT NULL)));


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.shipments
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE (NOT ((NOT (crossfade_parent."captured_at" IS DISTINCT FROM crossfade_for_parent."captured_at")))
    OR NOT ((NOT (crossfade_parent."photo_url" IS DISTINCT FROM crossfade_for_parent."photo_url")))
    OR NOT ((NOT (crossfade_parent."signature_url" IS DISTINCT FROM crossfade_for_parent."signature_url")))))
  FROM (SELECT crossfade_p.ctid AS crossfade_tid, crossfade_p.xmin AS crossfade_xmin, crossfade_p."id" AS "id", crossfade_p."captured_at" AS "captured_at", crossfade_p."photo_url" AS "photo_url", crossfade_p."signature_url" AS "signature_url"
    FROM ONLY public.shipments AS crossfade_p
    WHERE crossfade_p.ctid >= ($1::text)::tid
    AND crossfade_p.ctid < ($2::text)::tid) AS crossfade_parent
  LEFT JOIN LATERAL (SELECT "acknowledgments".*
    FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c.xmin AS crossfade_xmin, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."captured_at" AS "captured_at", crossfade_c."photo_url" AS "photo_url", crossfade_c."signature_url" AS "signature_url"
      FROM public.acknowledgments AS crossfade_c
      WHERE crossfade_parent."id" OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "acknowledgments"
    LIMIT 1) AS crossfade_child ON true
  CROSS JOIN LATERAL (SELECT (captured_at
  ) AS "captured_at", (photo_url
  ) AS "photo_url", (signature_url
  ) AS "signature_url"
    FROM (SELECT crossfade_child."captured_at" AS "captured_at", crossfade_child."photo_url" AS "photo_url", crossfade_child."signature_url" AS "signature_url") AS "acknowledgments") AS crossfade_for_parent
    CROSS JOIN LATERAL (SELECT (captured_at
  ) AS "captured_at", (photo_url
  ) AS "photo_url", (signature_url
  ) AS "signature_url"
    FROM (SELECT crossfade_parent."captured_at" AS "captured_at", crossfade_parent."photo_url" AS "photo_url", crossfade_parent."signature_url" AS "signature_url") AS "shipments") AS crossfade_for_child;


-- ======== switch_reads
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== retire
-- gate: no row in quarantine
-- gate: the triggers are in place

-- retire_table:public.acknowledgments
LOCK TABLE public.shipments IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE public.acknowledgments RENAME TO acknowledgments_crossfade_retired;
CREATE SEQUENCE IF NOT EXISTS crossfade."guard_fold-acknowledgments_804d46d4";
CREATE OR REPLACE FUNCTION crossfade."parent_fold-acknowledgments_804d46d4"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
#variable_conflict use_column
-- crossfade: run fold-acknowledgments; keeps public.shipments and public.acknowledgments in step
<<crossfade_body>>
DECLARE
  crossfade_guard text := coalesce(current_setting('crossfade.link', true), '');
  crossfade_parent record;
  crossfade_child record;
  crossfade_held boolean := false;
  crossfade_there boolean;
  crossfade_apply boolean;
  crossfade_context text;
  crossfade_names_new boolean;
  crossfade_count bigint;
  crossfade_state text;
  crossfade_error text;
  crossfade_k0 bigint;
  crossfade_v0 timestamp with time zone;
  crossfade_v1 text;
  crossfade_v2 text;
  crossfade_w0 timestamp with time zone;
  crossfade_w1 text;
  crossfade_w2 text;
  crossfade_apply0 boolean;
  crossfade_fits0 boolean;
  crossfade_apply1 boolean;
  crossfade_fits1 boolean;
  crossfade_apply2 boolean;
  crossfade_fits2 boolean;
BEGIN
  IF (tg_table_name <> 'shipments' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.shipments')
    AND NOT crossfade.is_made_for('parent_fold-acknowledgments_804d46d4', 'public.shipments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "parent_fold-acknowledgments_804d46d4" is for the table public.shipments only';
  END IF;
  IF starts_with(crossfade_guard, 'fold-acknowledgments_804d46d4 to parent')
    OR starts_with(crossfade_guard, 'fold-acknowledgments_804d46d4 to child') THEN
    IF pg_trigger_depth() = 1 THEN
      crossfade_guard := '';
    ELSIF crossfade_guard = 'fold-acknowledgments_804d46d4 to parent' || ' ' || currval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass) THEN
      RETURN new;
    ELSIF crossfade_guard = 'fold-acknowledgments_804d46d4 to child' || ' ' || currval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass) THEN
      crossfade_held := true;
    ELSE
      crossfade_guard := '';
    END IF;
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('fold-acknowledgments') THEN
    RETURN new;
  END IF;
  IF tg_op = 'DELETE' THEN
    crossfade_k0 := old."id";
    crossfade_count := nextval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass);
    PERFORM set_config('crossfade.link', 'fold-acknowledgments_804d46d4 to child' || ' ' || crossfade_count, true);
    DELETE
      FROM public.acknowledgments_crossfade_retired AS crossfade_c
      WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id";
    crossfade_count := nextval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass);
    PERFORM set_config('crossfade.link', CASE
      WHEN crossfade_held
      THEN 'fold-acknowledgments_804d46d4 to child' || ' ' || crossfade_count
      ELSE crossfade_guard END, true);
    RETURN NULL;
  END IF;
  crossfade_k0 := new."id";
  IF tg_when = 'BEFORE' THEN
    IF new."captured_at" IS NULL AND new."photo_url" IS NULL AND new."signature_url" IS NULL THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'captured_at') = 0 OR NOT (current_query() ~* E'\\mcaptured_at\\M'))
        AND (strpos(lower(current_query()), 'photo_url') = 0 OR NOT (current_query() ~* E'\\mphoto_url\\M'))
        AND (strpos(lower(current_query()), 'signature_url') = 0 OR NOT (current_query() ~* E'\\msignature_url\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['captured_at', 'photo_url', 'signature_url']::text[], ARRAY[]::text[]) END;
      IF crossfade_names_new THEN
        RETURN new;
      END IF;
      SELECT "acknowledgments".* INTO crossfade_child
        FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."captured_at" AS "captured_at", crossfade_c."photo_url" AS "photo_url", crossfade_c."signature_url" AS "signature_url"
          FROM public.acknowledgments_crossfade_retired AS crossfade_c
          WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "acknowledgments"
        LIMIT 1;
      crossfade_there := FOUND;
      SELECT new."id" AS "id", new."captured_at" AS "captured_at", new."photo_url" AS "photo_url", new."signature_url" AS "signature_url" INTO crossfade_parent;
      crossfade_fits0 := true;
      crossfade_fits1 := true;
      crossfade_fits2 := true;
      crossfade_v0 := crossfade_child."captured_at";
      crossfade_v1 := crossfade_child."photo_url";
      crossfade_v2 := crossfade_child."signature_url";
      new."captured_at" := crossfade_v0;
      new."photo_url" := crossfade_v1;
      new."signature_url" := crossfade_v2;
    END IF;
    RETURN new;
  END IF;
  SELECT crossfade_p."id" AS "id", crossfade_p."captured_at" AS "captured_at", crossfade_p."photo_url" AS "photo_url", crossfade_p."signature_url" AS "signature_url" INTO crossfade_parent
    FROM public.shipments AS crossfade_p
    WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0 FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  crossfade_fits0 := true;
  crossfade_fits1 := true;
  crossfade_fits2 := true;
  IF tg_op = 'INSERT' THEN
    SELECT crossfade_c."shipment_id" AS "shipment_id", crossfade_c."captured_at" AS "captured_at", crossfade_c."photo_url" AS "photo_url", crossfade_c."signature_url" AS "signature_url" INTO crossfade_child
      FROM public.acknowledgments_crossfade_retired AS crossfade_c
      WHERE false;
    crossfade_v0 := crossfade_child."captured_at";
    crossfade_v1 := crossfade_child."photo_url";
    crossfade_v2 := crossfade_child."signature_url";
    IF NOT (crossfade_parent."captured_at" IS DISTINCT FROM crossfade_v0)
      AND NOT (crossfade_parent."photo_url" IS DISTINCT FROM crossfade_v1)
      AND NOT (crossfade_parent."signature_url" IS DISTINCT FROM crossfade_v2) THEN
      RETURN NULL;
    END IF;
    crossfade_fits0 := true;
    crossfade_fits1 := true;
    crossfade_fits2 := true;
  END IF;
  SELECT "acknowledgments".* INTO crossfade_child
    FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."captured_at" AS "captured_at", crossfade_c."photo_url" AS "photo_url", crossfade_c."signature_url" AS "signature_url"
      FROM public.acknowledgments_crossfade_retired AS crossfade_c
      WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id" FOR UPDATE) AS "acknowledgments"
    LIMIT 1;
  crossfade_there := FOUND;
  crossfade_v0 := crossfade_child."captured_at";
  crossfade_v1 := crossfade_child."photo_url";
  crossfade_v2 := crossfade_child."signature_url";
  crossfade_w0 := crossfade_parent."captured_at";
  crossfade_w1 := crossfade_parent."photo_url";
  crossfade_w2 := crossfade_parent."signature_url";
  crossfade_apply := false;
  crossfade_apply0 := NOT ((crossfade_fits0 AND NOT (crossfade_parent."captured_at" IS DISTINCT FROM crossfade_v0)));
  crossfade_apply := crossfade_apply OR crossfade_apply0;
  crossfade_apply1 := NOT ((crossfade_fits1 AND NOT (crossfade_parent."photo_url" IS DISTINCT FROM crossfade_v1)));
  crossfade_apply := crossfade_apply OR crossfade_apply1;
  crossfade_apply2 := NOT ((crossfade_fits2 AND NOT (crossfade_parent."signature_url" IS DISTINCT FROM crossfade_v2)));
  crossfade_apply := crossfade_apply OR crossfade_apply2;
  IF crossfade_apply THEN
    crossfade_count := nextval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass);
    PERFORM set_config('crossfade.link', 'fold-acknowledgments_804d46d4 to child' || ' ' || crossfade_count, true);
    BEGIN
      IF crossfade_there THEN
        UPDATE public.acknowledgments_crossfade_retired AS crossfade_c
          SET "captured_at" = CASE
          WHEN crossfade_apply0
          THEN crossfade_w0
          ELSE crossfade_c."captured_at" END, "photo_url" = CASE
          WHEN crossfade_apply1
          THEN crossfade_w1
          ELSE crossfade_c."photo_url" END, "signature_url" = CASE
          WHEN crossfade_apply2
          THEN crossfade_w2
          ELSE crossfade_c."signature_url" END
          WHERE crossfade_c.ctid = crossfade_child.crossfade_tid;
      ELSE
        INSERT INTO public.acknowledgments_crossfade_retired ("shipment_id", "captured_at", "photo_url", "signature_url")
          VALUES (crossfade_k0, crossfade_w0, crossfade_w1, crossfade_w2);
      END IF;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF crossfade_apply0 THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'captured_at', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('captured_at', crossfade_parent."captured_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'fold-acknowledgments'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
      IF crossfade_apply1 THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'photo_url', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('photo_url', crossfade_parent."photo_url"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'fold-acknowledgments'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
      IF crossfade_apply2 THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'signature_url', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('signature_url', crossfade_parent."signature_url"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'fold-acknowledgments'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    crossfade_count := nextval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass);
    PERFORM set_config('crossfade.link', CASE
      WHEN crossfade_held
      THEN 'fold-acknowledgments_804d46d4 to child' || ' ' || crossfade_count
      ELSE crossfade_guard END, true);
    crossfade_count := nextval('crossfade."new_fold-acknowledgments_804d46d4"'::regclass);
  END IF;
  RETURN NULL;
END;
$crossfade$;
CREATE OR REPLACE FUNCTION crossfade."child_fold-acknowledgments_804d46d4"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
#variable_conflict use_column
-- crossfade: run fold-acknowledgments; keeps public.shipments and public.acknowledgments in step
<<crossfade_body>>
DECLARE
  crossfade_guard text := coalesce(current_setting('crossfade.link', true), '');
  crossfade_parent record;
  crossfade_child record;
  crossfade_held boolean := false;
  crossfade_there boolean;
  crossfade_apply boolean;
  crossfade_context text;
  crossfade_names_new boolean;
  crossfade_count bigint;
  crossfade_state text;
  crossfade_error text;
  crossfade_k0 bigint;
  crossfade_v0 timestamp with time zone;
  crossfade_v1 text;
  crossfade_v2 text;
  crossfade_w0 timestamp with time zone;
  crossfade_w1 text;
  crossfade_w2 text;
  crossfade_apply0 boolean;
  crossfade_fits0 boolean;
  crossfade_apply1 boolean;
  crossfade_fits1 boolean;
  crossfade_apply2 boolean;
  crossfade_fits2 boolean;
BEGIN
  IF (tg_table_name <> 'acknowledgments_crossfade_retired' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.acknowledgments_crossfade_retired')
    AND NOT crossfade.is_made_for('child_fold-acknowledgments_804d46d4', 'public.acknowledgments_crossfade_retired', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "child_fold-acknowledgments_804d46d4" is for the table public.acknowledgments_crossfade_retired only';
  END IF;
  IF starts_with(crossfade_guard, 'fold-acknowledgments_804d46d4 to child')
    OR starts_with(crossfade_guard, 'fold-acknowledgments_804d46d4 to parent') THEN
    IF pg_trigger_depth() = 1 THEN
      crossfade_guard := '';
    ELSIF crossfade_guard = 'fold-acknowledgments_804d46d4 to child' || ' ' || currval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass) THEN
      RETURN new;
    ELSIF crossfade_guard = 'fold-acknowledgments_804d46d4 to parent' || ' ' || currval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass) THEN
      crossfade_held := true;
    ELSE
      crossfade_guard := '';
    END IF;
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('fold-acknowledgments') THEN
    RETURN new;
  END IF;
  IF tg_when = 'BEFORE' THEN
    crossfade_k0 := new."shipment_id";
    PERFORM
      FROM public.shipments AS crossfade_p
      WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0 FOR NO KEY UPDATE;
    RETURN new;
  END IF;
  FOR crossfade_turn IN 1..2 LOOP
    IF crossfade_turn = 1 THEN
      CONTINUE WHEN tg_op = 'DELETE';
      crossfade_k0 := new."shipment_id";
    ELSE
      CONTINUE WHEN tg_op = 'INSERT';
      IF tg_op = 'UPDATE' THEN
        CONTINUE WHEN NOT (new."shipment_id" IS DISTINCT FROM old."shipment_id");
      END IF;
      crossfade_k0 := old."shipment_id";
    END IF;
    SELECT crossfade_p."id" AS "id", crossfade_p."captured_at" AS "captured_at", crossfade_p."photo_url" AS "photo_url", crossfade_p."signature_url" AS "signature_url" INTO crossfade_parent
      FROM public.shipments AS crossfade_p
      WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0 FOR NO KEY UPDATE;
    CONTINUE WHEN NOT FOUND;
    SELECT "acknowledgments".* INTO crossfade_child
      FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."captured_at" AS "captured_at", crossfade_c."photo_url" AS "photo_url", crossfade_c."signature_url" AS "signature_url"
        FROM public.acknowledgments_crossfade_retired AS crossfade_c
        WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "acknowledgments"
      LIMIT 1;
    crossfade_there := FOUND;
    crossfade_fits0 := true;
    crossfade_fits1 := true;
    crossfade_fits2 := true;
    crossfade_v0 := crossfade_child."captured_at";
    crossfade_v1 := crossfade_child."photo_url";
    crossfade_v2 := crossfade_child."signature_url";
    crossfade_w0 := crossfade_parent."captured_at";
    crossfade_w1 := crossfade_parent."photo_url";
    crossfade_w2 := crossfade_parent."signature_url";
    crossfade_apply := false;
    crossfade_apply0 := NOT ((NOT (crossfade_parent."captured_at" IS DISTINCT FROM crossfade_v0)));
    crossfade_apply := crossfade_apply OR crossfade_apply0;
    crossfade_apply1 := NOT ((NOT (crossfade_parent."photo_url" IS DISTINCT FROM crossfade_v1)));
    crossfade_apply := crossfade_apply OR crossfade_apply1;
    crossfade_apply2 := NOT ((NOT (crossfade_parent."signature_url" IS DISTINCT FROM crossfade_v2)));
    crossfade_apply := crossfade_apply OR crossfade_apply2;
    IF crossfade_apply THEN
      crossfade_count := nextval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass);
      PERFORM set_config('crossfade.link', 'fold-acknowledgments_804d46d4 to parent' || ' ' || crossfade_count, true);
      BEGIN
        UPDATE public.shipments AS crossfade_p
          SET "captured_at" = CASE
          WHEN crossfade_apply0
          THEN crossfade_v0
          ELSE crossfade_p."captured_at" END, "photo_url" = CASE
          WHEN crossfade_apply1
          THEN crossfade_v1
          ELSE crossfade_p."photo_url" END, "signature_url" = CASE
          WHEN crossfade_apply2
          THEN crossfade_v2
          ELSE crossfade_p."signature_url" END
          WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0;
      EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        IF crossfade_apply0 THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.shipments', 'captured_at', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('captured_at', crossfade_child."captured_at"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'fold-acknowledgments'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
        IF crossfade_apply1 THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.shipments', 'photo_url', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('photo_url', crossfade_child."photo_url"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'fold-acknowledgments'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
        IF crossfade_apply2 THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.shipments', 'signature_url', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('signature_url', crossfade_child."signature_url"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'fold-acknowledgments'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
      END;
      crossfade_count := nextval('crossfade."guard_fold-acknowledgments_804d46d4"'::regclass);
      PERFORM set_config('crossfade.link', CASE
        WHEN crossfade_held
        THEN 'fold-acknowledgments_804d46d4 to parent' || ' ' || crossfade_count
        ELSE crossfade_guard END, true);
    END IF;
  END LOOP;
  crossfade_count := nextval('crossfade."old_fold-acknowledgments_804d46d4"'::regclass);
  RETURN NULL;
END;
$crossfade$;
-- undo:
LOCK TABLE public.shipments IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE public.acknowledgments_crossfade_retired RENAME TO acknowledgments;
CREATE SEQUENCE IF NOT EXISTS crossfade."guard_fold-acknowledgments_804d46d4";
CREATE OR REPLACE FUNCTION crossfade."parent_fold-acknowledgments_804d46d4"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_tables:public.acknowledgments->public.shipments
CREATE OR REPLACE FUNCTION crossfade."child_fold-acknowledgments_804d46d4"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_tables:public.acknowledgments->public.shipments


-- ======== contract, one transaction
-- gate: no row in quarantine
-- gate: the triggers are in place

-- drop_sync:public.shipments
DROP TRIGGER IF EXISTS "zz_crossfade_fold-acknowledgments_cb" ON public.acknowledgments_crossfade_retired;
DROP TRIGGER IF EXISTS "zz_crossfade_fold-acknowledgments_ci" ON public.acknowledgments_crossfade_retired;
DROP TRIGGER IF EXISTS "zz_crossfade_fold-acknowledgments_cu" ON public.acknowledgments_crossfade_retired;
DROP TRIGGER IF EXISTS "zz_crossfade_fold-acknowledgments_pi" ON public.shipments;
DROP TRIGGER IF EXISTS "zz_crossfade_fold-acknowledgments_pu" ON public.shipments;
DROP TRIGGER IF EXISTS "zz_crossfade_fold-acknowledgments_pb" ON public.shipments;
DROP TRIGGER IF EXISTS "A_crossfade_fold-acknowledgments_pd" ON public.shipments;
DROP FUNCTION IF EXISTS crossfade."parent_fold-acknowledgments_804d46d4"();
DROP FUNCTION IF EXISTS crossfade."child_fold-acknowledgments_804d46d4"();
DROP SEQUENCE IF EXISTS crossfade."old_fold-acknowledgments_804d46d4";
DROP SEQUENCE IF EXISTS crossfade."new_fold-acknowledgments_804d46d4";
DROP SEQUENCE IF EXISTS crossfade."guard_fold-acknowledgments_804d46d4";
-- cannot be undone

-- drop_table:public.acknowledgments
DROP TABLE public.acknowledgments_crossfade_retired;
-- cannot be undone
