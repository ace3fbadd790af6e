-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- create_table:public.dispatches
CREATE TABLE public.dispatches (shipment_id bigint, sent_at time without time zone, sent_on date, PRIMARY KEY (shipment_id), FOREIGN KEY (shipment_id) REFERENCES public.shipments (id) ON DELETE CASCADE
);
COMMENT ON TABLE public.dispatches IS 'when a shipment left';
-- undo:
DROP TABLE public.dispatches;


-- ======== dual_write

-- sync_tables:public.shipments->public.dispatches
CREATE SEQUENCE IF NOT EXISTS crossfade."old_extract-dispatches_14848e18";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_extract-dispatches_14848e18";
CREATE SEQUENCE IF NOT EXISTS crossfade."guard_extract-dispatches_14848e18";
CREATE OR REPLACE FUNCTION crossfade."parent_extract-dispatches_14848e18"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
#variable_conflict use_column
-- crossfade: run extract-dispatches; keeps public.shipments and public.dispatches in step
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
  crossfade_v0 time without time zone;
  crossfade_v1 date;
  crossfade_w0 time without time zone;
  crossfade_w1 date;
  crossfade_apply0 boolean;
  crossfade_fits0 boolean;
  crossfade_apply1 boolean;
  crossfade_fits1 boolean;
BEGIN
  IF (tg_table_name <> 'shipments' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.shipments')
    AND NOT crossfade.is_made_for('parent_extract-dispatches_14848e18', 'public.shipments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "parent_extract-dispatches_14848e18" is for the table public.shipments only';
  END IF;
  IF starts_with(crossfade_guard, 'extract-dispatches_14848e18 to parent')
    OR starts_with(crossfade_guard, 'extract-dispatches_14848e18 to child') THEN
    IF pg_trigger_depth() = 1 THEN
      crossfade_guard := '';
    ELSIF crossfade_guard = 'extract-dispatches_14848e18 to parent' || ' ' || currval('crossfade."guard_extract-dispatches_14848e18"'::regclass) THEN
      RETURN new;
    ELSIF crossfade_guard = 'extract-dispatches_14848e18 to child' || ' ' || currval('crossfade."guard_extract-dispatches_14848e18"'::regclass) THEN
      crossfade_held := true;
    ELSE
      crossfade_guard := '';
    END IF;
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('extract-dispatches') THEN
    RETURN new;
  END IF;
  IF tg_op = 'DELETE' THEN
    crossfade_k0 := old."id";
    crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
    PERFORM set_config('crossfade.link', 'extract-dispatches_14848e18 to child' || ' ' || crossfade_count, true);
    DELETE FROM public.dispatches AS crossfade_c WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id";
    crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
    PERFORM set_config('crossfade.link', CASE
      WHEN crossfade_held
      THEN 'extract-dispatches_14848e18 to child' || ' ' || crossfade_count
      ELSE crossfade_guard END, true);
    RETURN NULL;
  END IF;
  crossfade_k0 := new."id";
  SELECT crossfade_p."id" AS "id", crossfade_p."sent_at" AS "sent_at", crossfade_p."sent_on" AS "sent_on" INTO crossfade_parent
    FROM public.shipments AS crossfade_p
    WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0 FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  crossfade_fits0 := true;
  crossfade_fits1 := true;
  SELECT "dispatches".* INTO crossfade_child
    FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."sent_at" AS "sent_at", crossfade_c."sent_on" AS "sent_on"
      FROM public.dispatches AS crossfade_c
      WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id" FOR UPDATE) AS "dispatches"
    LIMIT 1;
  crossfade_there := FOUND;
  IF tg_op = 'INSERT'
    AND crossfade_there
    AND crossfade_parent."sent_at" IS NULL
    AND crossfade_parent."sent_on" IS NULL THEN
    RETURN NULL;
  END IF;
  crossfade_v0 := crossfade_child."sent_at";
  crossfade_v1 := crossfade_child."sent_on";
  crossfade_w0 := crossfade_parent."sent_at";
  crossfade_w1 := crossfade_parent."sent_on";
  crossfade_apply := false;
  crossfade_apply0 := NOT ((crossfade_fits0 AND NOT (crossfade_parent."sent_at" IS DISTINCT FROM crossfade_v0)));
  crossfade_apply := crossfade_apply OR crossfade_apply0;
  crossfade_apply1 := NOT ((crossfade_fits1 AND NOT (crossfade_parent."sent_on" IS DISTINCT FROM crossfade_v1)));
  crossfade_apply := crossfade_apply OR crossfade_apply1;
  IF crossfade_apply THEN
    crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
    PERFORM set_config('crossfade.link', 'extract-dispatches_14848e18 to child' || ' ' || crossfade_count, true);
    BEGIN
      IF crossfade_there THEN
        UPDATE public.dispatches AS crossfade_c
          SET "sent_at" = CASE
          WHEN crossfade_apply0
          THEN crossfade_w0
          ELSE crossfade_c."sent_at" END, "sent_on" = CASE
          WHEN crossfade_apply1
          THEN crossfade_w1
          ELSE crossfade_c."sent_on" END
          WHERE crossfade_c.ctid = crossfade_child.crossfade_tid;
      ELSE
        INSERT INTO public.dispatches ("shipment_id", "sent_at", "sent_on")
          VALUES (crossfade_k0, crossfade_w0, crossfade_w1);
      END IF;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF crossfade_apply0 THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_at', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('sent_at', crossfade_parent."sent_at"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'extract-dispatches'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
      IF crossfade_apply1 THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_on', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('sent_on', crossfade_parent."sent_on"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'extract-dispatches'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
    PERFORM set_config('crossfade.link', CASE
      WHEN crossfade_held
      THEN 'extract-dispatches_14848e18 to child' || ' ' || crossfade_count
      ELSE crossfade_guard END, true);
    crossfade_count := nextval('crossfade."old_extract-dispatches_14848e18"'::regclass);
  END IF;
  RETURN NULL;
END;
$crossfade$;
CREATE OR REPLACE FUNCTION crossfade."child_extract-dispatches_14848e18"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
#variable_conflict use_column
-- crossfade: run extract-dispatches; keeps public.shipments and public.dispatches in step
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
  crossfade_v0 time without time zone;
  crossfade_v1 date;
  crossfade_w0 time without time zone;
  crossfade_w1 date;
  crossfade_apply0 boolean;
  crossfade_fits0 boolean;
  crossfade_apply1 boolean;
  crossfade_fits1 boolean;
BEGIN
  IF (tg_table_name <> 'dispatches' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.dispatches')
    AND NOT crossfade.is_made_for('child_extract-dispatches_14848e18', 'public.dispatches', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "child_extract-dispatches_14848e18" is for the table public.dispatches only';
  END IF;
  IF starts_with(crossfade_guard, 'extract-dispatches_14848e18 to child')
    OR starts_with(crossfade_guard, 'extract-dispatches_14848e18 to parent') THEN
    IF pg_trigger_depth() = 1 THEN
      crossfade_guard := '';
    ELSIF crossfade_guard = 'extract-dispatches_14848e18 to child' || ' ' || currval('crossfade."guard_extract-dispatches_14848e18"'::regclass) THEN
      RETURN new;
    ELSIF crossfade_guard = 'extract-dispatches_14848e18 to parent' || ' ' || currval('crossfade."guard_extract-dispatches_14848e18"'::regclass) THEN
      crossfade_held := true;
    ELSE
      crossfade_guard := '';
    END IF;
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('extract-dispatches') THEN
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
    SELECT crossfade_p."id" AS "id", crossfade_p."sent_at" AS "sent_at", crossfade_p."sent_on" AS "sent_on" INTO crossfade_parent
      FROM public.shipments AS crossfade_p
      WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0 FOR NO KEY UPDATE;
    CONTINUE WHEN NOT FOUND;
    SELECT "dispatches".* INTO crossfade_child
      FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."sent_at" AS "sent_at", crossfade_c."sent_on" AS "sent_on"
        FROM public.dispatches AS crossfade_c
        WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "dispatches"
      LIMIT 1;
    crossfade_there := FOUND;
    crossfade_fits0 := true;
    crossfade_fits1 := true;
    crossfade_v0 := crossfade_child."sent_at";
    crossfade_v1 := crossfade_child."sent_on";
    crossfade_w0 := crossfade_parent."sent_at";
    crossfade_w1 := crossfade_parent."sent_on";
    crossfade_apply := false;
    crossfade_apply0 := NOT ((NOT (crossfade_parent."sent_at" IS DISTINCT FROM crossfade_v0)));
    crossfade_apply := crossfade_apply OR crossfade_apply0;
    crossfade_apply1 := NOT ((NOT (crossfade_parent."sent_on" IS DISTINCT FROM crossfade_v1)));
    crossfade_apply := crossfade_apply OR crossfade_apply1;
    IF crossfade_apply THEN
      crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
      PERFORM set_config('crossfade.link', 'extract-dispatches_14848e18 to parent' || ' ' || crossfade_count, true);
      BEGIN
        UPDATE public.shipments AS crossfade_p
          SET "sent_at" = CASE
          WHEN crossfade_apply0
          THEN crossfade_v0
          ELSE crossfade_p."sent_at" END, "sent_on" = CASE
          WHEN crossfade_apply1
          THEN crossfade_v1
          ELSE crossfade_p."sent_on" END
          WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0;
      EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        IF crossfade_apply0 THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.shipments', 'sent_at', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('sent_at', crossfade_child."sent_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'extract-dispatches'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
        IF crossfade_apply1 THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.shipments', 'sent_on', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('sent_on', crossfade_child."sent_on"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'extract-dispatches'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
      END;
      crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
      PERFORM set_config('crossfade.link', CASE
        WHEN crossfade_held
        THEN 'extract-dispatches_14848e18 to parent' || ' ' || crossfade_count
        ELSE crossfade_guard END, true);
    END IF;
  END LOOP;
  crossfade_count := nextval('crossfade."new_extract-dispatches_14848e18"'::regclass);
  RETURN NULL;
END;
$crossfade$;
SELECT crossfade.keep_function('parent_extract-dispatches_14848e18', 'public.shipments');
SELECT crossfade.keep_function('child_extract-dispatches_14848e18', 'public.dispatches');
CREATE OR REPLACE TRIGGER "zz_crossfade_extract-dispatches_cb" BEFORE INSERT ON public.dispatches FOR EACH ROW EXECUTE FUNCTION crossfade."child_extract-dispatches_14848e18"();
CREATE OR REPLACE TRIGGER "zz_crossfade_extract-dispatches_ci" AFTER INSERT
  OR DELETE ON public.dispatches FOR EACH ROW EXECUTE FUNCTION crossfade."child_extract-dispatches_14848e18"();
CREATE OR REPLACE TRIGGER "zz_crossfade_extract-dispatches_cu" AFTER UPDATE ON public.dispatches FOR EACH ROW
  WHEN (new."shipment_id" IS DISTINCT FROM old."shipment_id"
    OR new."sent_at" IS DISTINCT FROM old."sent_at"
    OR new."sent_on" IS DISTINCT FROM old."sent_on") EXECUTE FUNCTION crossfade."child_extract-dispatches_14848e18"();
CREATE OR REPLACE TRIGGER "zz_crossfade_extract-dispatches_pi" AFTER INSERT ON public.shipments FOR EACH ROW EXECUTE FUNCTION crossfade."parent_extract-dispatches_14848e18"();
CREATE OR REPLACE TRIGGER "zz_crossfade_extract-dispatches_pu" AFTER UPDATE ON public.shipments FOR EACH ROW
  WHEN (new."id" IS DISTINCT FROM old."id"
    OR new."sent_at" IS DISTINCT FROM old."sent_at"
    OR new."sent_on" IS DISTINCT FROM old."sent_on") EXECUTE FUNCTION crossfade."parent_extract-dispatches_14848e18"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_extract-dispatches_cb" ON public.dispatches;
DROP TRIGGER IF EXISTS "zz_crossfade_extract-dispatches_ci" ON public.dispatches;
DROP TRIGGER IF EXISTS "zz_crossfade_extract-dispatches_cu" ON public.dispatches;
DROP TRIGGER IF EXISTS "zz_crossfade_extract-dispatches_pi" ON public.shipments;
DROP TRIGGER IF EXISTS "zz_crossfade_extract-dispatches_pu" ON public.shipments;
DROP FUNCTION IF EXISTS crossfade."parent_extract-dispatches_14848e18"();
DROP FUNCTION IF EXISTS crossfade."child_extract-dispatches_14848e18"();
DROP SEQUENCE IF EXISTS crossfade."old_extract-dispatches_14848e18";
DROP SEQUENCE IF EXISTS crossfade."new_extract-dispatches_14848e18";
DROP SEQUENCE IF EXISTS crossfade."guard_extract-dispatches_14848e18";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.dispatches
INSERT INTO public.dispatches ("shipment_id", "sent_at", "sent_on") SELECT crossfade_parent."id", crossfade_for_child."sent_at", crossfade_for_child."sent_on"
  FROM (SELECT crossfade_p.ctid AS crossfade_tid, crossfade_p.xmin AS crossfade_xmin, crossfade_p."id" AS "id", crossfade_p."sent_at" AS "sent_at", crossfade_p."sent_on" AS "sent_on"
    FROM ONLY public.shipments AS crossfade_p
    WHERE crossfade_p.ctid >= ($1::text)::tid
    AND crossfade_p.ctid < ($2::text)::tid
    AND (NOT EXISTS (SELECT
      FROM public.dispatches AS crossfade_c
      WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_c."shipment_id"))) AS crossfade_parent
  LEFT JOIN LATERAL (SELECT "dispatches".*
    FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c.xmin AS crossfade_xmin, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."sent_at" AS "sent_at", crossfade_c."sent_on" AS "sent_on"
      FROM public.dispatches AS crossfade_c
      WHERE crossfade_parent."id" OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "dispatches"
    LIMIT 1) AS crossfade_child ON true
  CROSS JOIN LATERAL (SELECT (sent_at
  ) AS "sent_at", (sent_on
  ) AS "sent_on"
    FROM (SELECT crossfade_parent."sent_at" AS "sent_at", crossfade_parent."sent_on" AS "sent_on") AS "shipments") AS crossfade_for_child
    WHERE CASE
    WHEN crossfade_parent.crossfade_tid >= (SELECT ($1::text)::tid)
    AND crossfade_parent.crossfade_tid < (SELECT ($2::text)::tid)
    THEN (crossfade_for_child."sent_at" IS NOT NULL OR crossfade_for_child."sent_on" IS NOT NULL)
    ELSE false END ON CONFLICT DO NOTHING;


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.dispatches
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE (NOT ((NOT (crossfade_parent."sent_at" IS DISTINCT FROM crossfade_for_parent."sent_at")))
    OR NOT ((NOT (crossfade_parent."sent_on" IS DISTINCT FROM crossfade_for_parent."sent_on")))))
  FROM (SELECT crossfade_p.ctid AS crossfade_tid, crossfade_p.xmin AS crossfade_xmin, crossfade_p."id" AS "id", crossfade_p."sent_at" AS "sent_at", crossfade_p."sent_on" AS "sent_on"
    FROM ONLY public.shipments AS crossfade_p
    WHERE crossfade_p.ctid >= ($1::text)::tid
    AND crossfade_p.ctid < ($2::text)::tid) AS crossfade_parent
  LEFT JOIN LATERAL (SELECT "dispatches".*
    FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c.xmin AS crossfade_xmin, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."sent_at" AS "sent_at", crossfade_c."sent_on" AS "sent_on"
      FROM public.dispatches AS crossfade_c
      WHERE crossfade_parent."id" OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "dispatches"
    LIMIT 1) AS crossfade_child ON true
  CROSS JOIN LATERAL (SELECT (sent_at
  ) AS "sent_at", (sent_on
  ) AS "sent_on"
    FROM (SELECT crossfade_child."sent_at" AS "sent_at", crossfade_child."sent_on" AS "sent_on") AS "dispatches") AS crossfade_for_parent
    CROSS JOIN LATERAL (SELECT (sent_at
  ) AS "sent_at", (sent_on
  ) AS "sent_on"
    FROM (SELECT crossfade_parent."sent_at" AS "sent_at", crossfade_parent."sent_on" AS "sent_on") AS "shipments") AS crossfade_for_child;


-- ======== switch_reads
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== retire
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.shipments.sent_at, public.shipments.sent_on

-- retire_column:public.shipments.sent_at
LOCK TABLE public.dispatches IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE public.shipments RENAME COLUMN sent_at TO sent_at_crossfade_retired;
CREATE SEQUENCE IF NOT EXISTS crossfade."guard_extract-dispatches_14848e18";
CREATE OR REPLACE FUNCTION crossfade."parent_extract-dispatches_14848e18"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
#variable_conflict use_column
-- crossfade: run extract-dispatches; keeps public.shipments and public.dispatches in step
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
  crossfade_v0 time without time zone;
  crossfade_v1 date;
  crossfade_w0 time without time zone;
  crossfade_w1 date;
  crossfade_apply0 boolean;
  crossfade_fits0 boolean;
  crossfade_apply1 boolean;
  crossfade_fits1 boolean;
BEGIN
  IF (tg_table_name <> 'shipments' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.shipments')
    AND NOT crossfade.is_made_for('parent_extract-dispatches_14848e18', 'public.shipments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "parent_extract-dispatches_14848e18" is for the table public.shipments only';
  END IF;
  IF starts_with(crossfade_guard, 'extract-dispatches_14848e18 to parent')
    OR starts_with(crossfade_guard, 'extract-dispatches_14848e18 to child') THEN
    IF pg_trigger_depth() = 1 THEN
      crossfade_guard := '';
    ELSIF crossfade_guard = 'extract-dispatches_14848e18 to parent' || ' ' || currval('crossfade."guard_extract-dispatches_14848e18"'::regclass) THEN
      RETURN new;
    ELSIF crossfade_guard = 'extract-dispatches_14848e18 to child' || ' ' || currval('crossfade."guard_extract-dispatches_14848e18"'::regclass) THEN
      crossfade_held := true;
    ELSE
      crossfade_guard := '';
    END IF;
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('extract-dispatches') THEN
    RETURN new;
  END IF;
  IF tg_op = 'DELETE' THEN
    crossfade_k0 := old."id";
    crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
    PERFORM set_config('crossfade.link', 'extract-dispatches_14848e18 to child' || ' ' || crossfade_count, true);
    DELETE FROM public.dispatches AS crossfade_c WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id";
    crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
    PERFORM set_config('crossfade.link', CASE
      WHEN crossfade_held
      THEN 'extract-dispatches_14848e18 to child' || ' ' || crossfade_count
      ELSE crossfade_guard END, true);
    RETURN NULL;
  END IF;
  crossfade_k0 := new."id";
  SELECT crossfade_p."id" AS "id", crossfade_p."sent_at_crossfade_retired" AS "sent_at", crossfade_p."sent_on" AS "sent_on" INTO crossfade_parent
    FROM public.shipments AS crossfade_p
    WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0 FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  crossfade_fits0 := true;
  crossfade_fits1 := true;
  SELECT "dispatches".* INTO crossfade_child
    FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."sent_at" AS "sent_at", crossfade_c."sent_on" AS "sent_on"
      FROM public.dispatches AS crossfade_c
      WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id" FOR UPDATE) AS "dispatches"
    LIMIT 1;
  crossfade_there := FOUND;
  IF tg_op = 'INSERT'
    AND crossfade_there
    AND crossfade_parent."sent_at" IS NULL
    AND crossfade_parent."sent_on" IS NULL THEN
    RETURN NULL;
  END IF;
  crossfade_v0 := crossfade_child."sent_at";
  crossfade_v1 := crossfade_child."sent_on";
  crossfade_w0 := crossfade_parent."sent_at";
  crossfade_w1 := crossfade_parent."sent_on";
  crossfade_apply := false;
  crossfade_apply0 := NOT ((crossfade_fits0 AND NOT (crossfade_parent."sent_at" IS DISTINCT FROM crossfade_v0)));
  crossfade_apply := crossfade_apply OR crossfade_apply0;
  crossfade_apply1 := NOT ((crossfade_fits1 AND NOT (crossfade_parent."sent_on" IS DISTINCT FROM crossfade_v1)));
  crossfade_apply := crossfade_apply OR crossfade_apply1;
  IF crossfade_apply THEN
    crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
    PERFORM set_config('crossfade.link', 'extract-dispatches_14848e18 to child' || ' ' || crossfade_count, true);
    BEGIN
      IF crossfade_there THEN
        UPDATE public.dispatches AS crossfade_c
          SET "sent_at" = CASE
          WHEN crossfade_apply0
          THEN crossfade_w0
          ELSE crossfade_c."sent_at" END, "sent_on" = CASE
          WHEN crossfade_apply1
          THEN crossfade_w1
          ELSE crossfade_c."sent_on" END
          WHERE crossfade_c.ctid = crossfade_child.crossfade_tid;
      ELSE
        INSERT INTO public.dispatches ("shipment_id", "sent_at", "sent_on")
          VALUES (crossfade_k0, crossfade_w0, crossfade_w1);
      END IF;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF crossfade_apply0 THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_at', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('sent_at', crossfade_parent."sent_at"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'extract-dispatches'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
      IF crossfade_apply1 THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_on', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('sent_on', crossfade_parent."sent_on"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'extract-dispatches'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
    PERFORM set_config('crossfade.link', CASE
      WHEN crossfade_held
      THEN 'extract-dispatches_14848e18 to child' || ' ' || crossfade_count
      ELSE crossfade_guard END, true);
    crossfade_count := nextval('crossfade."old_extract-dispatches_14848e18"'::regclass);
  END IF;
  RETURN NULL;
END;
$crossfade$;
CREATE OR REPLACE FUNCTION crossfade."child_extract-dispatches_14848e18"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
#variable_conflict use_column
-- crossfade: run extract-dispatches; keeps public.shipments and public.dispatches in step
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
  crossfade_v0 time without time zone;
  crossfade_v1 date;
  crossfade_w0 time without time zone;
  crossfade_w1 date;
  crossfade_apply0 boolean;
  crossfade_fits0 boolean;
  crossfade_apply1 boolean;
  crossfade_fits1 boolean;
BEGIN
  IF (tg_table_name <> 'dispatches' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.dispatches')
    AND NOT crossfade.is_made_for('child_extract-dispatches_14848e18', 'public.dispatches', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "child_extract-dispatches_14848e18" is for the table public.dispatches only';
  END IF;
  IF starts_with(crossfade_guard, 'extract-dispatches_14848e18 to child')
    OR starts_with(crossfade_guard, 'extract-dispatches_14848e18 to parent') THEN
    IF pg_trigger_depth() = 1 THEN
      crossfade_guard := '';
    ELSIF crossfade_guard = 'extract-dispatches_14848e18 to child' || ' ' || currval('crossfade."guard_extract-dispatches_14848e18"'::regclass) THEN
      RETURN new;
    ELSIF crossfade_guard = 'extract-dispatches_14848e18 to parent' || ' ' || currval('crossfade."guard_extract-dispatches_14848e18"'::regclass) THEN
      crossfade_held := true;
    ELSE
      crossfade_guard := '';
    END IF;
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('extract-dispatches') THEN
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
    SELECT crossfade_p."id" AS "id", crossfade_p."sent_at_crossfade_retired" AS "sent_at", crossfade_p."sent_on" AS "sent_on" INTO crossfade_parent
      FROM public.shipments AS crossfade_p
      WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0 FOR NO KEY UPDATE;
    CONTINUE WHEN NOT FOUND;
    SELECT "dispatches".* INTO crossfade_child
      FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."sent_at" AS "sent_at", crossfade_c."sent_on" AS "sent_on"
        FROM public.dispatches AS crossfade_c
        WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "dispatches"
      LIMIT 1;
    crossfade_there := FOUND;
    crossfade_fits0 := true;
    crossfade_fits1 := true;
    crossfade_v0 := crossfade_child."sent_at";
    crossfade_v1 := crossfade_child."sent_on";
    crossfade_w0 := crossfade_parent."sent_at";
    crossfade_w1 := crossfade_parent."sent_on";
    crossfade_apply := false;
    crossfade_apply0 := NOT ((NOT (crossfade_parent."sent_at" IS DISTINCT FROM crossfade_v0)));
    crossfade_apply := crossfade_apply OR crossfade_apply0;
    crossfade_apply1 := NOT ((NOT (crossfade_parent."sent_on" IS DISTINCT FROM crossfade_v1)));
    crossfade_apply := crossfade_apply OR crossfade_apply1;
    IF crossfade_apply THEN
      crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
      PERFORM set_config('crossfade.link', 'extract-dispatches_14848e18 to parent' || ' ' || crossfade_count, true);
      BEGIN
        UPDATE public.shipments AS crossfade_p
          SET "sent_at_crossfade_retired" = CASE
          WHEN crossfade_apply0
          THEN crossfade_v0
          ELSE crossfade_p."sent_at_crossfade_retired" END, "sent_on" = CASE
          WHEN crossfade_apply1
          THEN crossfade_v1
          ELSE crossfade_p."sent_on" END
          WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0;
      EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        IF crossfade_apply0 THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.shipments', 'sent_at', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('sent_at', crossfade_child."sent_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'extract-dispatches'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
        IF crossfade_apply1 THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.shipments', 'sent_on', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('sent_on', crossfade_child."sent_on"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'extract-dispatches'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
      END;
      crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
      PERFORM set_config('crossfade.link', CASE
        WHEN crossfade_held
        THEN 'extract-dispatches_14848e18 to parent' || ' ' || crossfade_count
        ELSE crossfade_guard END, true);
    END IF;
  END LOOP;
  crossfade_count := nextval('crossfade."new_extract-dispatches_14848e18"'::regclass);
  RETURN NULL;
END;
$crossfade$;
-- undo:
LOCK TABLE public.dispatches IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE public.shipments RENAME COLUMN sent_at_crossfade_retired TO sent_at;
CREATE SEQUENCE IF NOT EXISTS crossfade."guard_extract-dispatches_14848e18";
CREATE OR REPLACE FUNCTION crossfade."parent_extract-dispatches_14848e18"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_tables:public.shipments->public.dispatches
CREATE OR REPLACE FUNCTION crossfade."child_extract-dispatches_14848e18"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_tables:public.shipments->public.dispatches

-- retire_column:public.shipments.sent_on
LOCK TABLE public.dispatches IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE public.shipments RENAME COLUMN sent_on TO sent_on_crossfade_retired;
CREATE SEQUENCE IF NOT EXISTS crossfade."guard_extract-dispatches_14848e18";
CREATE OR REPLACE FUNCTION crossfade."parent_extract-dispatches_14848e18"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
#variable_conflict use_column
-- crossfade: run extract-dispatches; keeps public.shipments and public.dispatches in step
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
  crossfade_v0 time without time zone;
  crossfade_v1 date;
  crossfade_w0 time without time zone;
  crossfade_w1 date;
  crossfade_apply0 boolean;
  crossfade_fits0 boolean;
  crossfade_apply1 boolean;
  crossfade_fits1 boolean;
BEGIN
  IF (tg_table_name <> 'shipments' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.shipments')
    AND NOT crossfade.is_made_for('parent_extract-dispatches_14848e18', 'public.shipments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "parent_extract-dispatches_14848e18" is for the table public.shipments only';
  END IF;
  IF starts_with(crossfade_guard, 'extract-dispatches_14848e18 to parent')
    OR starts_with(crossfade_guard, 'extract-dispatches_14848e18 to child') THEN
    IF pg_trigger_depth() = 1 THEN
      crossfade_guard := '';
    ELSIF crossfade_guard = 'extract-dispatches_14848e18 to parent' || ' ' || currval('crossfade."guard_extract-dispatches_14848e18"'::regclass) THEN
      RETURN new;
    ELSIF crossfade_guard = 'extract-dispatches_14848e18 to child' || ' ' || currval('crossfade."guard_extract-dispatches_14848e18"'::regclass) THEN
      crossfade_held := true;
    ELSE
      crossfade_guard := '';
    END IF;
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('extract-dispatches') THEN
    RETURN new;
  END IF;
  IF tg_op = 'DELETE' THEN
    crossfade_k0 := old."id";
    crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
    PERFORM set_config('crossfade.link', 'extract-dispatches_14848e18 to child' || ' ' || crossfade_count, true);
    DELETE FROM public.dispatches AS crossfade_c WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id";
    crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
    PERFORM set_config('crossfade.link', CASE
      WHEN crossfade_held
      THEN 'extract-dispatches_14848e18 to child' || ' ' || crossfade_count
      ELSE crossfade_guard END, true);
    RETURN NULL;
  END IF;
  crossfade_k0 := new."id";
  SELECT crossfade_p."id" AS "id", crossfade_p."sent_at_crossfade_retired" AS "sent_at", crossfade_p."sent_on_crossfade_retired" AS "sent_on" INTO crossfade_parent
    FROM public.shipments AS crossfade_p
    WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0 FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  crossfade_fits0 := true;
  crossfade_fits1 := true;
  SELECT "dispatches".* INTO crossfade_child
    FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."sent_at" AS "sent_at", crossfade_c."sent_on" AS "sent_on"
      FROM public.dispatches AS crossfade_c
      WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id" FOR UPDATE) AS "dispatches"
    LIMIT 1;
  crossfade_there := FOUND;
  IF tg_op = 'INSERT'
    AND crossfade_there
    AND crossfade_parent."sent_at" IS NULL
    AND crossfade_parent."sent_on" IS NULL THEN
    RETURN NULL;
  END IF;
  crossfade_v0 := crossfade_child."sent_at";
  crossfade_v1 := crossfade_child."sent_on";
  crossfade_w0 := crossfade_parent."sent_at";
  crossfade_w1 := crossfade_parent."sent_on";
  crossfade_apply := false;
  crossfade_apply0 := NOT ((crossfade_fits0 AND NOT (crossfade_parent."sent_at" IS DISTINCT FROM crossfade_v0)));
  crossfade_apply := crossfade_apply OR crossfade_apply0;
  crossfade_apply1 := NOT ((crossfade_fits1 AND NOT (crossfade_parent."sent_on" IS DISTINCT FROM crossfade_v1)));
  crossfade_apply := crossfade_apply OR crossfade_apply1;
  IF crossfade_apply THEN
    crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
    PERFORM set_config('crossfade.link', 'extract-dispatches_14848e18 to child' || ' ' || crossfade_count, true);
    BEGIN
      IF crossfade_there THEN
        UPDATE public.dispatches AS crossfade_c
          SET "sent_at" = CASE
          WHEN crossfade_apply0
          THEN crossfade_w0
          ELSE crossfade_c."sent_at" END, "sent_on" = CASE
          WHEN crossfade_apply1
          THEN crossfade_w1
          ELSE crossfade_c."sent_on" END
          WHERE crossfade_c.ctid = crossfade_child.crossfade_tid;
      ELSE
        INSERT INTO public.dispatches ("shipment_id", "sent_at", "sent_on")
          VALUES (crossfade_k0, crossfade_w0, crossfade_w1);
      END IF;
    EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF crossfade_apply0 THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_at', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('sent_at', crossfade_parent."sent_at"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'extract-dispatches'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
      IF crossfade_apply1 THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_on', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('sent_on', crossfade_parent."sent_on"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'extract-dispatches'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
    PERFORM set_config('crossfade.link', CASE
      WHEN crossfade_held
      THEN 'extract-dispatches_14848e18 to child' || ' ' || crossfade_count
      ELSE crossfade_guard END, true);
    crossfade_count := nextval('crossfade."old_extract-dispatches_14848e18"'::regclass);
  END IF;
  RETURN NULL;
END;
$crossfade$;
CREATE OR REPLACE FUNCTION crossfade."child_extract-dispatches_14848e18"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
#variable_conflict use_column
-- crossfade: run extract-dispatches; keeps public.shipments and public.dispatches in step
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
  crossfade_v0 time without time zone;
  crossfade_v1 date;
  crossfade_w0 time without time zone;
  crossfade_w1 date;
  crossfade_apply0 boolean;
  crossfade_fits0 boolean;
  crossfade_apply1 boolean;
  crossfade_fits1 boolean;
BEGIN
  IF (tg_table_name <> 'dispatches' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.dispatches')
    AND NOT crossfade.is_made_for('child_extract-dispatches_14848e18', 'public.dispatches', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "child_extract-dispatches_14848e18" is for the table public.dispatches only';
  END IF;
  IF starts_with(crossfade_guard, 'extract-dispatches_14848e18 to child')
    OR starts_with(crossfade_guard, 'extract-dispatches_14848e18 to parent') THEN
    IF pg_trigger_depth() = 1 THEN
      crossfade_guard := '';
    ELSIF crossfade_guard = 'extract-dispatches_14848e18 to child' || ' ' || currval('crossfade."guard_extract-dispatches_14848e18"'::regclass) THEN
      RETURN new;
    ELSIF crossfade_guard = 'extract-dispatches_14848e18 to parent' || ' ' || currval('crossfade."guard_extract-dispatches_14848e18"'::regclass) THEN
      crossfade_held := true;
    ELSE
      crossfade_guard := '';
    END IF;
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('extract-dispatches') THEN
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
    SELECT crossfade_p."id" AS "id", crossfade_p."sent_at_crossfade_retired" AS "sent_at", crossfade_p."sent_on_crossfade_retired" AS "sent_on" INTO crossfade_parent
      FROM public.shipments AS crossfade_p
      WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0 FOR NO KEY UPDATE;
    CONTINUE WHEN NOT FOUND;
    SELECT "dispatches".* INTO crossfade_child
      FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."sent_at" AS "sent_at", crossfade_c."sent_on" AS "sent_on"
        FROM public.dispatches AS crossfade_c
        WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "dispatches"
      LIMIT 1;
    crossfade_there := FOUND;
    crossfade_fits0 := true;
    crossfade_fits1 := true;
    crossfade_v0 := crossfade_child."sent_at";
    crossfade_v1 := crossfade_child."sent_on";
    crossfade_w0 := crossfade_parent."sent_at";
    crossfade_w1 := crossfade_parent."sent_on";
    crossfade_apply := false;
    crossfade_apply0 := NOT ((NOT (crossfade_parent."sent_at" IS DISTINCT FROM crossfade_v0)));
    crossfade_apply := crossfade_apply OR crossfade_apply0;
    crossfade_apply1 := NOT ((NOT (crossfade_parent."sent_on" IS DISTINCT FROM crossfade_v1)));
    crossfade_apply := crossfade_apply OR crossfade_apply1;
    IF crossfade_apply THEN
      crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
      PERFORM set_config('crossfade.link', 'extract-dispatches_14848e18 to parent' || ' ' || crossfade_count, true);
      BEGIN
        UPDATE public.shipments AS crossfade_p
          SET "sent_at_crossfade_retired" = CASE
          WHEN crossfade_apply0
          THEN crossfade_v0
          ELSE crossfade_p."sent_at_crossfade_retired" END, "sent_on_crossfade_retired" = CASE
          WHEN crossfade_apply1
          THEN crossfade_v1
          ELSE crossfade_p."sent_on_crossfade_retired" END
          WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0;
      EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        IF crossfade_apply0 THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.shipments', 'sent_at', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('sent_at', crossfade_child."sent_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'extract-dispatches'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
        IF crossfade_apply1 THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.shipments', 'sent_on', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('sent_on', crossfade_child."sent_on"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'extract-dispatches'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
      END;
      crossfade_count := nextval('crossfade."guard_extract-dispatches_14848e18"'::regclass);
      PERFORM set_config('crossfade.link', CASE
        WHEN crossfade_held
        THEN 'extract-dispatches_14848e18 to parent' || ' ' || crossfade_count
        ELSE crossfade_guard END, true);
    END IF;
  END LOOP;
  crossfade_count := nextval('crossfade."new_extract-dispatches_14848e18"'::regclass);
  RETURN NULL;
END;
$crossfade$;
-- undo:
LOCK TABLE public.dispatches IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE public.shipments RENAME COLUMN sent_on_crossfade_retired TO sent_on;
CREATE SEQUENCE IF NOT EXISTS crossfade."guard_extract-dispatches_14848e18";
CREATE OR REPLACE FUNCTION crossfade."parent_extract-dispatches_14848e18"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in retire, retire_column:public.shipments.sent_at
CREATE OR REPLACE FUNCTION crossfade."child_extract-dispatches_14848e18"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in retire, retire_column:public.shipments.sent_at


-- ======== contract, one transaction
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.shipments.sent_at, public.shipments.sent_on

-- drop_sync:public.dispatches
DROP TRIGGER IF EXISTS "zz_crossfade_extract-dispatches_cb" ON public.dispatches;
DROP TRIGGER IF EXISTS "zz_crossfade_extract-dispatches_ci" ON public.dispatches;
DROP TRIGGER IF EXISTS "zz_crossfade_extract-dispatches_cu" ON public.dispatches;
DROP TRIGGER IF EXISTS "zz_crossfade_extract-dispatches_pi" ON public.shipments;
DROP TRIGGER IF EXISTS "zz_crossfade_extract-dispatches_pu" ON public.shipments;
DROP FUNCTION IF EXISTS crossfade."parent_extract-dispatches_14848e18"();
DROP FUNCTION IF EXISTS crossfade."child_extract-dispatches_14848e18"();
DROP SEQUENCE IF EXISTS crossfade."old_extract-dispatches_14848e18";
DROP SEQUENCE IF EXISTS crossfade."new_extract-dispatches_14848e18";
DROP SEQUENCE IF EXISTS crossfade."guard_extract-dispatches_14848e18";
-- cannot be undone

-- drop_column:public.shipments.sent_at
ALTER TABLE public.shipments DROP COLUMN sent_at_crossfade_retired;
-- cannot be undone

-- drop_column:public.shipments.sent_on
ALTER TABLE public.shipments DROP COLUMN sent_on_crossfade_retired;
-- cannot be undone
