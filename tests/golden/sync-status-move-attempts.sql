-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.shipments.sync_attempts
ALTER TABLE public.shipments ADD COLUMN sync_attempts integer;
-- undo:
ALTER TABLE public.shipments DROP COLUMN sync_attempts;


-- ======== dual_write

-- sync_tables:public.sync_status->public.shipments
CREATE SEQUENCE IF NOT EXISTS crossfade."old_move-sync-attempts_b901084c";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_move-sync-attempts_b901084c";
CREATE SEQUENCE IF NOT EXISTS crossfade."guard_move-sync-attempts_b901084c";
CREATE OR REPLACE FUNCTION crossfade."parent_move-sync-attempts_b901084c"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
#variable_conflict use_column
-- crossfade: run move-sync-attempts; keeps public.shipments and public.sync_status in step
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
  crossfade_v0 integer;
  crossfade_apply0 boolean;
  crossfade_fits0 boolean;
BEGIN
  IF (tg_table_name <> 'shipments' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.shipments')
    AND NOT crossfade.is_made_for('parent_move-sync-attempts_b901084c', 'public.shipments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "parent_move-sync-attempts_b901084c" is for the table public.shipments only';
  END IF;
  IF starts_with(crossfade_guard, 'move-sync-attempts_b901084c to parent')
    OR starts_with(crossfade_guard, 'move-sync-attempts_b901084c to child') THEN
    IF pg_trigger_depth() = 1 THEN
      crossfade_guard := '';
    ELSIF crossfade_guard = 'move-sync-attempts_b901084c to parent' || ' ' || currval('crossfade."guard_move-sync-attempts_b901084c"'::regclass) THEN
      RETURN new;
    ELSIF crossfade_guard = 'move-sync-attempts_b901084c to child' || ' ' || currval('crossfade."guard_move-sync-attempts_b901084c"'::regclass) THEN
      crossfade_held := true;
    ELSE
      crossfade_guard := '';
    END IF;
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('move-sync-attempts') THEN
    RETURN new;
  END IF;
  IF tg_op = 'DELETE' THEN
    crossfade_k0 := old."id";
    crossfade_count := nextval('crossfade."guard_move-sync-attempts_b901084c"'::regclass);
    PERFORM set_config('crossfade.link', 'move-sync-attempts_b901084c to child' || ' ' || crossfade_count, true);
    DELETE FROM public.sync_status AS crossfade_c WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id";
    crossfade_count := nextval('crossfade."guard_move-sync-attempts_b901084c"'::regclass);
    PERFORM set_config('crossfade.link', CASE
      WHEN crossfade_held
      THEN 'move-sync-attempts_b901084c to child' || ' ' || crossfade_count
      ELSE crossfade_guard END, true);
    RETURN NULL;
  END IF;
  crossfade_k0 := new."id";
  IF tg_when = 'BEFORE' THEN
    IF new."sync_attempts" IS NULL THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'sync_attempts') = 0 OR NOT (current_query() ~* E'\\msync_attempts\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['sync_attempts']::text[], ARRAY[]::text[]) END;
      IF crossfade_names_new THEN
        RETURN new;
      END IF;
      SELECT "sync_status".* INTO crossfade_child
        FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."attempts" AS "attempts"
          FROM public.sync_status AS crossfade_c
          WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "sync_status"
        ORDER BY (attempts
      ) DESC NULLS LAST LIMIT 1;
      crossfade_there := FOUND;
      SELECT new."id" AS "id", new."sync_attempts" AS "sync_attempts" INTO crossfade_parent;
      crossfade_fits0 := true;
      BEGIN
        <<"sync_status">>
        DECLARE
          "attempts" integer := crossfade_child."attempts";
        BEGIN
          crossfade_body.crossfade_v0 := (COALESCE(attempts, 0)
          );
        END;
      EXCEPTION WHEN OTHERS THEN
        crossfade_fits0 := false;
      END;
      new."sync_attempts" := crossfade_v0;
    END IF;
    RETURN new;
  END IF;
  SELECT crossfade_p."id" AS "id", crossfade_p."sync_attempts" AS "sync_attempts" INTO crossfade_parent
    FROM public.shipments AS crossfade_p
    WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0 FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  crossfade_fits0 := true;
  IF tg_op = 'INSERT' THEN
    SELECT crossfade_c."shipment_id" AS "shipment_id", crossfade_c."attempts" AS "attempts" INTO crossfade_child
      FROM public.sync_status AS crossfade_c
      WHERE false;
    BEGIN
      <<"sync_status">>
      DECLARE
        "attempts" integer := crossfade_child."attempts";
      BEGIN
        crossfade_body.crossfade_v0 := (COALESCE(attempts, 0)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      crossfade_fits0 := false;
    END;
    IF NOT (crossfade_parent."sync_attempts" IS DISTINCT FROM crossfade_v0) THEN
      RETURN NULL;
    END IF;
    crossfade_fits0 := true;
  END IF;
  SELECT "sync_status".* INTO crossfade_child
    FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."attempts" AS "attempts"
      FROM public.sync_status AS crossfade_c
      WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id" FOR UPDATE) AS "sync_status"
    ORDER BY (attempts
  ) DESC NULLS LAST LIMIT 1;
  crossfade_there := FOUND;
  BEGIN
    <<"sync_status">>
    DECLARE
      "attempts" integer := crossfade_child."attempts";
    BEGIN
      crossfade_body.crossfade_v0 := (COALESCE(attempts, 0)
      );
    END;
  EXCEPTION WHEN OTHERS THEN
    crossfade_fits0 := false;
  END;
  crossfade_apply := false;
  crossfade_apply0 := NOT ((crossfade_fits0 AND NOT (crossfade_parent."sync_attempts" IS DISTINCT FROM crossfade_v0)));
  crossfade_apply := crossfade_apply OR crossfade_apply0;
  IF crossfade_apply THEN
    INSERT INTO crossfade.overtaken (run_id, table_name, row_key) SELECT r.id, q.table_name, q.row_key
      FROM crossfade.runs AS r, (
        VALUES ('public.shipments', pg_catalog.jsonb_build_object('id', crossfade_k0))) AS q (table_name, row_key)
        WHERE r.name = 'move-sync-attempts'
        AND r.state = 'active' ON CONFLICT DO NOTHING;
    crossfade_count := nextval('crossfade."new_move-sync-attempts_b901084c"'::regclass);
  END IF;
  RETURN NULL;
END;
$crossfade$;
CREATE OR REPLACE FUNCTION crossfade."child_move-sync-attempts_b901084c"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
#variable_conflict use_column
-- crossfade: run move-sync-attempts; keeps public.shipments and public.sync_status in step
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
  crossfade_v0 integer;
  crossfade_apply0 boolean;
  crossfade_fits0 boolean;
BEGIN
  IF (tg_table_name <> 'sync_status' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.sync_status')
    AND NOT crossfade.is_made_for('child_move-sync-attempts_b901084c', 'public.sync_status', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "child_move-sync-attempts_b901084c" is for the table public.sync_status only';
  END IF;
  IF starts_with(crossfade_guard, 'move-sync-attempts_b901084c to child')
    OR starts_with(crossfade_guard, 'move-sync-attempts_b901084c to parent') THEN
    IF pg_trigger_depth() = 1 THEN
      crossfade_guard := '';
    ELSIF crossfade_guard = 'move-sync-attempts_b901084c to child' || ' ' || currval('crossfade."guard_move-sync-attempts_b901084c"'::regclass) THEN
      RETURN new;
    ELSIF crossfade_guard = 'move-sync-attempts_b901084c to parent' || ' ' || currval('crossfade."guard_move-sync-attempts_b901084c"'::regclass) THEN
      crossfade_held := true;
    ELSE
      crossfade_guard := '';
    END IF;
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('move-sync-attempts') THEN
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
    SELECT crossfade_p."id" AS "id", crossfade_p."sync_attempts" AS "sync_attempts" INTO crossfade_parent
      FROM public.shipments AS crossfade_p
      WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0 FOR NO KEY UPDATE;
    CONTINUE WHEN NOT FOUND;
    SELECT "sync_status".* INTO crossfade_child
      FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."attempts" AS "attempts"
        FROM public.sync_status AS crossfade_c
        WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "sync_status"
      ORDER BY (attempts
    ) DESC NULLS LAST LIMIT 1;
    crossfade_there := FOUND;
    crossfade_fits0 := true;
    BEGIN
      <<"sync_status">>
      DECLARE
        "attempts" integer := crossfade_child."attempts";
      BEGIN
        crossfade_body.crossfade_v0 := (COALESCE(attempts, 0)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      crossfade_v0 := NULL;
      INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
        SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
        FROM crossfade.runs AS r, (
          VALUES ('public.shipments', 'sync_attempts', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('attempts', crossfade_child."attempts"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
        WHERE r.name = 'move-sync-attempts'
          AND r.state = 'active'
          AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
          WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
    END;
    crossfade_apply := false;
    crossfade_apply0 := NOT ((NOT (crossfade_parent."sync_attempts" IS DISTINCT FROM crossfade_v0)));
    crossfade_apply := crossfade_apply OR crossfade_apply0;
    IF crossfade_apply THEN
      crossfade_count := nextval('crossfade."guard_move-sync-attempts_b901084c"'::regclass);
      PERFORM set_config('crossfade.link', 'move-sync-attempts_b901084c to parent' || ' ' || crossfade_count, true);
      BEGIN
        UPDATE public.shipments AS crossfade_p
          SET "sync_attempts" = CASE
          WHEN crossfade_apply0
          THEN crossfade_v0
          ELSE crossfade_p."sync_attempts" END
          WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0;
      EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        IF crossfade_apply0 THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.shipments', 'sync_attempts', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('attempts', crossfade_child."attempts"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'move-sync-attempts'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
      END;
      crossfade_count := nextval('crossfade."guard_move-sync-attempts_b901084c"'::regclass);
      PERFORM set_config('crossfade.link', CASE
        WHEN crossfade_held
        THEN 'move-sync-attempts_b901084c to parent' || ' ' || crossfade_count
        ELSE crossfade_guard END, true);
    END IF;
    IF crossfade_apply THEN
      DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', pg_catalog.jsonb_build_object('id', crossfade_k0))) AS q (table_name, row_key)
            WHERE r.name = 'move-sync-attempts'
            AND r.state = 'active' ) AS gone
            WHERE (o.run_id, o.table_name, o.row_key) = (gone.id, gone.table_name, gone.row_key);
    END IF;
  END LOOP;
  crossfade_count := nextval('crossfade."old_move-sync-attempts_b901084c"'::regclass);
  RETURN NULL;
END;
$crossfade$;
SELECT crossfade.keep_function('parent_move-sync-attempts_b901084c', 'public.shipments');
SELECT crossfade.keep_function('child_move-sync-attempts_b901084c', 'public.sync_status');
CREATE OR REPLACE TRIGGER "zz_crossfade_move-sync-attempts_cb" BEFORE INSERT ON public.sync_status FOR EACH ROW EXECUTE FUNCTION crossfade."child_move-sync-attempts_b901084c"();
CREATE OR REPLACE TRIGGER "zz_crossfade_move-sync-attempts_ci" AFTER INSERT
  OR DELETE ON public.sync_status FOR EACH ROW EXECUTE FUNCTION crossfade."child_move-sync-attempts_b901084c"();
CREATE OR REPLACE TRIGGER "zz_crossfade_move-sync-attempts_cu" AFTER UPDATE ON public.sync_status FOR EACH ROW
  WHEN (new."shipment_id" IS DISTINCT FROM old."shipment_id"
    OR new."attempts" IS DISTINCT FROM old."attempts") EXECUTE FUNCTION crossfade."child_move-sync-attempts_b901084c"();
CREATE OR REPLACE TRIGGER "zz_crossfade_move-sync-attempts_pi" AFTER INSERT ON public.shipments FOR EACH ROW EXECUTE FUNCTION crossfade."parent_move-sync-attempts_b901084c"();
CREATE OR REPLACE TRIGGER "zz_crossfade_move-sync-attempts_pu" AFTER UPDATE ON public.shipments FOR EACH ROW
  WHEN (new."id" IS DISTINCT FROM old."id"
    OR new."sync_attempts" IS DISTINCT FROM old."sync_attempts") EXECUTE FUNCTION crossfade."parent_move-sync-attempts_b901084c"();
CREATE OR REPLACE TRIGGER "zz_crossfade_move-sync-attempts_pb" BEFORE INSERT ON public.shipments FOR EACH ROW EXECUTE FUNCTION crossfade."parent_move-sync-attempts_b901084c"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_move-sync-attempts_cb" ON public.sync_status;
DROP TRIGGER IF EXISTS "zz_crossfade_move-sync-attempts_ci" ON public.sync_status;
DROP TRIGGER IF EXISTS "zz_crossfade_move-sync-attempts_cu" ON public.sync_status;
DROP TRIGGER IF EXISTS "zz_crossfade_move-sync-attempts_pi" ON public.shipments;
DROP TRIGGER IF EXISTS "zz_crossfade_move-sync-attempts_pu" ON public.shipments;
DROP TRIGGER IF EXISTS "zz_crossfade_move-sync-attempts_pb" ON public.shipments;
DROP FUNCTION IF EXISTS crossfade."parent_move-sync-attempts_b901084c"();
DROP FUNCTION IF EXISTS crossfade."child_move-sync-attempts_b901084c"();
DROP SEQUENCE IF EXISTS crossfade."old_move-sync-attempts_b901084c";
DROP SEQUENCE IF EXISTS crossfade."new_move-sync-attempts_b901084c";
DROP SEQUENCE IF EXISTS crossfade."guard_move-sync-attempts_b901084c";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.shipments
UPDATE ONLY public.shipments AS crossfade_filled
  SET "sync_attempts" = CASE
  WHEN ((crossfade_parent."sync_attempts" IS NULL) AND (crossfade_for_parent."sync_attempts" IS NOT NULL))
  THEN crossfade_for_parent."sync_attempts"
  ELSE crossfade_filled."sync_attempts" END
  FROM (SELECT crossfade_p.ctid AS crossfade_tid, crossfade_p.xmin AS crossfade_xmin, crossfade_p."id" AS "id", crossfade_p."sync_attempts" AS "sync_attempts"
    FROM ONLY public.shipments AS crossfade_p
    WHERE crossfade_p.ctid >= ($1::text)::tid
    AND crossfade_p.ctid < ($2::text)::tid
    AND ((crossfade_p."sync_attempts" IS NULL))) AS crossfade_parent
  LEFT JOIN LATERAL (SELECT "sync_status".*
    FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c.xmin AS crossfade_xmin, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."attempts" AS "attempts"
      FROM public.sync_status AS crossfade_c
      WHERE crossfade_parent."id" OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "sync_status"
    ORDER BY (attempts
  ) DESC NULLS LAST LIMIT 1) AS crossfade_child ON true CROSS JOIN LATERAL (SELECT (COALESCE(attempts, 0)
  ) AS "sync_attempts"
    FROM (SELECT crossfade_child."attempts" AS "attempts") AS "sync_status") AS crossfade_for_parent
    WHERE crossfade_filled.ctid = crossfade_parent.crossfade_tid
    AND ((crossfade_parent."sync_attempts" IS NULL) AND (crossfade_for_parent."sync_attempts" IS NOT NULL));


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.shipments
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE CASE
  WHEN (crossfade_parent."sync_attempts" IS NULL
    AND (SELECT EXISTS (SELECT
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.shipments'
      AND crossfade_q.column_name = 'sync_attempts'))
    AND (pg_catalog.jsonb_build_object('id', crossfade_parent."id"), pg_catalog.jsonb_build_object('attempts', crossfade_child."attempts")) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.shipments'
      AND crossfade_q.column_name = 'sync_attempts'))
  OR ((SELECT EXISTS (SELECT
    FROM crossfade.overtaken AS crossfade_o JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_o.run_id
    WHERE crossfade_r.state = 'active'
    AND crossfade_o.table_name = 'public.shipments'))
    AND pg_catalog.jsonb_build_object('id', crossfade_parent."id") IN (SELECT crossfade_o.row_key
      FROM crossfade.overtaken AS crossfade_o JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_o.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_o.table_name = 'public.shipments'))
  THEN false
  ELSE NOT ((NOT (crossfade_parent."sync_attempts" IS DISTINCT FROM crossfade_for_parent."sync_attempts"))) END)
  FROM (SELECT crossfade_p.ctid AS crossfade_tid, crossfade_p.xmin AS crossfade_xmin, crossfade_p."id" AS "id", crossfade_p."sync_attempts" AS "sync_attempts"
    FROM ONLY public.shipments AS crossfade_p
    WHERE crossfade_p.ctid >= ($1::text)::tid
    AND crossfade_p.ctid < ($2::text)::tid) AS crossfade_parent
  LEFT JOIN LATERAL (SELECT "sync_status".*
    FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c.xmin AS crossfade_xmin, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."attempts" AS "attempts"
      FROM public.sync_status AS crossfade_c
      WHERE crossfade_parent."id" OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "sync_status"
    ORDER BY (attempts
  ) DESC NULLS LAST LIMIT 1) AS crossfade_child ON true CROSS JOIN LATERAL (SELECT (COALESCE(attempts, 0)
  )::integer AS "sync_attempts"
    FROM (SELECT crossfade_child."attempts" AS "attempts") AS "sync_status") AS crossfade_for_parent;


-- ======== switch_reads
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== retire
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.sync_status.attempts

-- retire_column:public.sync_status.attempts
LOCK TABLE public.shipments IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE public.sync_status RENAME COLUMN attempts TO attempts_crossfade_retired;
CREATE SEQUENCE IF NOT EXISTS crossfade."guard_move-sync-attempts_b901084c";
CREATE OR REPLACE FUNCTION crossfade."parent_move-sync-attempts_b901084c"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
#variable_conflict use_column
-- crossfade: run move-sync-attempts; keeps public.shipments and public.sync_status in step
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
  crossfade_v0 integer;
  crossfade_apply0 boolean;
  crossfade_fits0 boolean;
BEGIN
  IF (tg_table_name <> 'shipments' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.shipments')
    AND NOT crossfade.is_made_for('parent_move-sync-attempts_b901084c', 'public.shipments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "parent_move-sync-attempts_b901084c" is for the table public.shipments only';
  END IF;
  IF starts_with(crossfade_guard, 'move-sync-attempts_b901084c to parent')
    OR starts_with(crossfade_guard, 'move-sync-attempts_b901084c to child') THEN
    IF pg_trigger_depth() = 1 THEN
      crossfade_guard := '';
    ELSIF crossfade_guard = 'move-sync-attempts_b901084c to parent' || ' ' || currval('crossfade."guard_move-sync-attempts_b901084c"'::regclass) THEN
      RETURN new;
    ELSIF crossfade_guard = 'move-sync-attempts_b901084c to child' || ' ' || currval('crossfade."guard_move-sync-attempts_b901084c"'::regclass) THEN
      crossfade_held := true;
    ELSE
      crossfade_guard := '';
    END IF;
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('move-sync-attempts') THEN
    RETURN new;
  END IF;
  IF tg_op = 'DELETE' THEN
    crossfade_k0 := old."id";
    crossfade_count := nextval('crossfade."guard_move-sync-attempts_b901084c"'::regclass);
    PERFORM set_config('crossfade.link', 'move-sync-attempts_b901084c to child' || ' ' || crossfade_count, true);
    DELETE FROM public.sync_status AS crossfade_c WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id";
    crossfade_count := nextval('crossfade."guard_move-sync-attempts_b901084c"'::regclass);
    PERFORM set_config('crossfade.link', CASE
      WHEN crossfade_held
      THEN 'move-sync-attempts_b901084c to child' || ' ' || crossfade_count
      ELSE crossfade_guard END, true);
    RETURN NULL;
  END IF;
  crossfade_k0 := new."id";
  IF tg_when = 'BEFORE' THEN
    IF new."sync_attempts" IS NULL THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'sync_attempts') = 0 OR NOT (current_query() ~* E'\\msync_attempts\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['sync_attempts']::text[], ARRAY[]::text[]) END;
      IF crossfade_names_new THEN
        RETURN new;
      END IF;
      SELECT "sync_status".* INTO crossfade_child
        FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."attempts_crossfade_retired" AS "attempts"
          FROM public.sync_status AS crossfade_c
          WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "sync_status"
        ORDER BY (attempts
      ) DESC NULLS LAST LIMIT 1;
      crossfade_there := FOUND;
      SELECT new."id" AS "id", new."sync_attempts" AS "sync_attempts" INTO crossfade_parent;
      crossfade_fits0 := true;
      BEGIN
        <<"sync_status">>
        DECLARE
          "attempts" integer := crossfade_child."attempts";
        BEGIN
          crossfade_body.crossfade_v0 := (COALESCE(attempts, 0)
          );
        END;
      EXCEPTION WHEN OTHERS THEN
        crossfade_fits0 := false;
      END;
      new."sync_attempts" := crossfade_v0;
    END IF;
    RETURN new;
  END IF;
  SELECT crossfade_p."id" AS "id", crossfade_p."sync_attempts" AS "sync_attempts" INTO crossfade_parent
    FROM public.shipments AS crossfade_p
    WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0 FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  crossfade_fits0 := true;
  IF tg_op = 'INSERT' THEN
    SELECT crossfade_c."shipment_id" AS "shipment_id", crossfade_c."attempts_crossfade_retired" AS "attempts" INTO crossfade_child
      FROM public.sync_status AS crossfade_c
      WHERE false;
    BEGIN
      <<"sync_status">>
      DECLARE
        "attempts" integer := crossfade_child."attempts";
      BEGIN
        crossfade_body.crossfade_v0 := (COALESCE(attempts, 0)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      crossfade_fits0 := false;
    END;
    IF NOT (crossfade_parent."sync_attempts" IS DISTINCT FROM crossfade_v0) THEN
      RETURN NULL;
    END IF;
    crossfade_fits0 := true;
  END IF;
  SELECT "sync_status".* INTO crossfade_child
    FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."attempts_crossfade_retired" AS "attempts"
      FROM public.sync_status AS crossfade_c
      WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id" FOR UPDATE) AS "sync_status"
    ORDER BY (attempts
  ) DESC NULLS LAST LIMIT 1;
  crossfade_there := FOUND;
  BEGIN
    <<"sync_status">>
    DECLARE
      "attempts" integer := crossfade_child."attempts";
    BEGIN
      crossfade_body.crossfade_v0 := (COALESCE(attempts, 0)
      );
    END;
  EXCEPTION WHEN OTHERS THEN
    crossfade_fits0 := false;
  END;
  crossfade_apply := false;
  crossfade_apply0 := NOT ((crossfade_fits0 AND NOT (crossfade_parent."sync_attempts" IS DISTINCT FROM crossfade_v0)));
  crossfade_apply := crossfade_apply OR crossfade_apply0;
  IF crossfade_apply THEN
    INSERT INTO crossfade.overtaken (run_id, table_name, row_key) SELECT r.id, q.table_name, q.row_key
      FROM crossfade.runs AS r, (
        VALUES ('public.shipments', pg_catalog.jsonb_build_object('id', crossfade_k0))) AS q (table_name, row_key)
        WHERE r.name = 'move-sync-attempts'
        AND r.state = 'active' ON CONFLICT DO NOTHING;
    crossfade_count := nextval('crossfade."new_move-sync-attempts_b901084c"'::regclass);
  END IF;
  RETURN NULL;
END;
$crossfade$;
CREATE OR REPLACE FUNCTION crossfade."child_move-sync-attempts_b901084c"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
#variable_conflict use_column
-- crossfade: run move-sync-attempts; keeps public.shipments and public.sync_status in step
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
  crossfade_v0 integer;
  crossfade_apply0 boolean;
  crossfade_fits0 boolean;
BEGIN
  IF (tg_table_name <> 'sync_status' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.sync_status')
    AND NOT crossfade.is_made_for('child_move-sync-attempts_b901084c', 'public.sync_status', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "child_move-sync-attempts_b901084c" is for the table public.sync_status only';
  END IF;
  IF starts_with(crossfade_guard, 'move-sync-attempts_b901084c to child')
    OR starts_with(crossfade_guard, 'move-sync-attempts_b901084c to parent') THEN
    IF pg_trigger_depth() = 1 THEN
      crossfade_guard := '';
    ELSIF crossfade_guard = 'move-sync-attempts_b901084c to child' || ' ' || currval('crossfade."guard_move-sync-attempts_b901084c"'::regclass) THEN
      RETURN new;
    ELSIF crossfade_guard = 'move-sync-attempts_b901084c to parent' || ' ' || currval('crossfade."guard_move-sync-attempts_b901084c"'::regclass) THEN
      crossfade_held := true;
    ELSE
      crossfade_guard := '';
    END IF;
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('move-sync-attempts') THEN
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
    SELECT crossfade_p."id" AS "id", crossfade_p."sync_attempts" AS "sync_attempts" INTO crossfade_parent
      FROM public.shipments AS crossfade_p
      WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0 FOR NO KEY UPDATE;
    CONTINUE WHEN NOT FOUND;
    SELECT "sync_status".* INTO crossfade_child
      FROM (SELECT crossfade_c.ctid AS crossfade_tid, crossfade_c."shipment_id" AS "shipment_id", crossfade_c."attempts_crossfade_retired" AS "attempts"
        FROM public.sync_status AS crossfade_c
        WHERE crossfade_k0 OPERATOR(pg_catalog.=) crossfade_c."shipment_id") AS "sync_status"
      ORDER BY (attempts
    ) DESC NULLS LAST LIMIT 1;
    crossfade_there := FOUND;
    crossfade_fits0 := true;
    BEGIN
      <<"sync_status">>
      DECLARE
        "attempts" integer := crossfade_child."attempts";
      BEGIN
        crossfade_body.crossfade_v0 := (COALESCE(attempts, 0)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      crossfade_v0 := NULL;
      INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
        SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
        FROM crossfade.runs AS r, (
          VALUES ('public.shipments', 'sync_attempts', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('attempts', crossfade_child."attempts"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
        WHERE r.name = 'move-sync-attempts'
          AND r.state = 'active'
          AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
          WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
    END;
    crossfade_apply := false;
    crossfade_apply0 := NOT ((NOT (crossfade_parent."sync_attempts" IS DISTINCT FROM crossfade_v0)));
    crossfade_apply := crossfade_apply OR crossfade_apply0;
    IF crossfade_apply THEN
      crossfade_count := nextval('crossfade."guard_move-sync-attempts_b901084c"'::regclass);
      PERFORM set_config('crossfade.link', 'move-sync-attempts_b901084c to parent' || ' ' || crossfade_count, true);
      BEGIN
        UPDATE public.shipments AS crossfade_p
          SET "sync_attempts" = CASE
          WHEN crossfade_apply0
          THEN crossfade_v0
          ELSE crossfade_p."sync_attempts" END
          WHERE crossfade_p."id" OPERATOR(pg_catalog.=) crossfade_k0;
      EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        IF crossfade_apply0 THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.shipments', 'sync_attempts', pg_catalog.jsonb_build_object('id', crossfade_k0), pg_catalog.jsonb_build_object('attempts', crossfade_child."attempts"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'move-sync-attempts'
              AND r.state = 'active'
              AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
              WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
        END IF;
      END;
      crossfade_count := nextval('crossfade."guard_move-sync-attempts_b901084c"'::regclass);
      PERFORM set_config('crossfade.link', CASE
        WHEN crossfade_held
        THEN 'move-sync-attempts_b901084c to parent' || ' ' || crossfade_count
        ELSE crossfade_guard END, true);
    END IF;
    IF crossfade_apply THEN
      DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', pg_catalog.jsonb_build_object('id', crossfade_k0))) AS q (table_name, row_key)
            WHERE r.name = 'move-sync-attempts'
            AND r.state = 'active' ) AS gone
            WHERE (o.run_id, o.table_name, o.row_key) = (gone.id, gone.table_name, gone.row_key);
    END IF;
  END LOOP;
  crossfade_count := nextval('crossfade."old_move-sync-attempts_b901084c"'::regclass);
  RETURN NULL;
END;
$crossfade$;
-- undo:
LOCK TABLE public.shipments IN SHARE ROW EXCLUSIVE MODE;
ALTER TABLE public.sync_status RENAME COLUMN attempts_crossfade_retired TO attempts;
CREATE SEQUENCE IF NOT EXISTS crossfade."guard_move-sync-attempts_b901084c";
CREATE OR REPLACE FUNCTION crossfade."parent_move-sync-attempts_b901084c"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_tables:public.sync_status->public.shipments
CREATE OR REPLACE FUNCTION crossfade."child_move-sync-attempts_b901084c"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_tables:public.sync_status->public.shipments

-- set_not_null:public.shipments.sync_attempts
ALTER TABLE public.shipments ADD CONSTRAINT sync_attempts_crossfade_not_null CHECK (sync_attempts IS NOT NULL) NOT VALID;
ALTER TABLE public.shipments VALIDATE CONSTRAINT sync_attempts_crossfade_not_null;
ALTER TABLE public.shipments ALTER COLUMN sync_attempts SET NOT NULL;
ALTER TABLE public.shipments DROP CONSTRAINT IF EXISTS sync_attempts_crossfade_not_null;
-- undo:
ALTER TABLE public.shipments ALTER COLUMN sync_attempts DROP NOT NULL;
ALTER TABLE public.shipments DROP CONSTRAINT IF EXISTS sync_attempts_crossfade_not_null;


-- ======== contract, one transaction
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.sync_status.attempts

-- drop_sync:public.shipments
DROP TRIGGER IF EXISTS "zz_crossfade_move-sync-attempts_cb" ON public.sync_status;
DROP TRIGGER IF EXISTS "zz_crossfade_move-sync-attempts_ci" ON public.sync_status;
DROP TRIGGER IF EXISTS "zz_crossfade_move-sync-attempts_cu" ON public.sync_status;
DROP TRIGGER IF EXISTS "zz_crossfade_move-sync-attempts_pi" ON public.shipments;
DROP TRIGGER IF EXISTS "zz_crossfade_move-sync-attempts_pu" ON public.shipments;
DROP TRIGGER IF EXISTS "zz_crossfade_move-sync-attempts_pb" ON public.shipments;
DROP FUNCTION IF EXISTS crossfade."parent_move-sync-attempts_b901084c"();
DROP FUNCTION IF EXISTS crossfade."child_move-sync-attempts_b901084c"();
DROP SEQUENCE IF EXISTS crossfade."old_move-sync-attempts_b901084c";
DROP SEQUENCE IF EXISTS crossfade."new_move-sync-attempts_b901084c";
DROP SEQUENCE IF EXISTS crossfade."guard_move-sync-attempts_b901084c";
-- cannot be undone

-- set_default:public.shipments.sync_attempts
ALTER TABLE public.shipments ALTER COLUMN sync_attempts SET DEFAULT 0;
-- undo:
ALTER TABLE public.shipments ALTER COLUMN sync_attempts DROP DEFAULT;

-- drop_column:public.sync_status.attempts
ALTER TABLE public.sync_status DROP COLUMN attempts_crossfade_retired;
-- cannot be undone
