-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.shipments.carrier_code
ALTER TABLE public.shipments ADD COLUMN carrier_code character varying(20);
-- undo:
ALTER TABLE public.shipments DROP COLUMN carrier_code;

-- add_column:public.shipments.shipped_at
ALTER TABLE public.shipments ADD COLUMN shipped_at timestamp without time zone;
-- undo:
ALTER TABLE public.shipments DROP COLUMN shipped_at;

-- add_column:public.shipments.weight_kg
ALTER TABLE public.shipments ADD COLUMN weight_kg numeric(10,3);
-- undo:
ALTER TABLE public.shipments DROP COLUMN weight_kg;


-- ======== dual_write

-- sync_columns:public.shipments
CREATE SEQUENCE IF NOT EXISTS crossfade."old_transform-shipment-units_ab204d15";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_transform-shipment-units_ab204d15";
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_transform-shipment-units_ab204d15";
CREATE OR REPLACE FUNCTION crossfade."sync_transform-shipment-units_ab204d15"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run transform-shipment-units, table public.shipments; keeps both sides of a change in step, filling rows as they move
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
    AND NOT crossfade.is_made_for('sync_transform-shipment-units_ab204d15', 'public.shipments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_transform-shipment-units_ab204d15" is for the table public.shipments only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('transform-shipment-units') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'transform-shipment-units'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.shipments'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
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
    BEGIN
      <<"shipments">>
      DECLARE
        "carrier_code" character varying(20) := "sync_transform-shipment-units_ab204d15".new."carrier_code";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."carrier" := (carrier_code
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'carrier', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('carrier_code', new."carrier_code"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
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
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."shipped_at" IS NOT NULL
      THEN 'new'
      WHEN new."sent_on" IS NOT NULL
      OR new."sent_at" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old'
      AND crossfade_side = 'new'
      AND (new."sent_on" IS NOT NULL OR new."sent_at" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on', 'sent_at']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on', 'sent_at']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT (new."sent_on" IS NOT NULL OR new."sent_at" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."shipped_at" IS DISTINCT FROM old."shipped_at" THEN
    crossfade_side := 'new';
  ELSIF new."sent_on" IS DISTINCT FROM old."sent_on" OR new."sent_at" IS DISTINCT FROM old."sent_at" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"shipments">>
      DECLARE
        "shipped_at" timestamp without time zone := "sync_transform-shipment-units_ab204d15".new."shipped_at";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."sent_at" := ((shipped_at)::time without time zone
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('shipped_at', new."shipped_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    BEGIN
      <<"shipments">>
      DECLARE
        "shipped_at" timestamp without time zone := "sync_transform-shipment-units_ab204d15".new."shipped_at";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."sent_on" := ((shipped_at)::date
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_on', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('shipped_at', new."shipped_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."sent_on" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\msent_on\\M'
      OR new."sent_at" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\msent_at\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"shipments">>
      DECLARE
        "sent_on" date := "sync_transform-shipment-units_ab204d15".new."sent_on";
        "sent_at" time without time zone := "sync_transform-shipment-units_ab204d15".new."sent_at";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."shipped_at" := ((sent_on + sent_at)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."shipped_at" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'shipped_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('sent_on', new."sent_on", 'sent_at', new."sent_at"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF (new."shipped_at" IS NULL AND (new."sent_on" IS NOT NULL OR new."sent_at" IS NOT NULL)) THEN
      BEGIN
        <<"shipments">>
        DECLARE
          "sent_on" date := "sync_transform-shipment-units_ab204d15".new."sent_on";
          "sent_at" time without time zone := "sync_transform-shipment-units_ab204d15".new."sent_at";
        BEGIN
          "sync_transform-shipment-units_ab204d15".new."shipped_at" := ((sent_on + sent_at)
          );
        END;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        new."shipped_at" := NULL;
        IF EXISTS (SELECT 1
          FROM crossfade.runs AS crossfade_active
          WHERE crossfade_active.name = 'transform-shipment-units'
          AND crossfade_active.state = 'active') THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.shipments', 'shipped_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('sent_on', new."sent_on", 'sent_at', new."sent_at"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'transform-shipment-units'
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
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on', 'sent_at']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"shipments">>
          DECLARE
            "sent_on" date := "sync_transform-shipment-units_ab204d15".new."sent_on";
            "sent_at" time without time zone := "sync_transform-shipment-units_ab204d15".new."sent_at";
          BEGIN
            "sync_transform-shipment-units_ab204d15".new."shipped_at" := ((sent_on + sent_at)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."shipped_at" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'transform-shipment-units'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.shipments', 'shipped_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('sent_on', new."sent_on", 'sent_at', new."sent_at"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'transform-shipment-units'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."weight_kg" IS NOT NULL
      THEN 'new'
      WHEN new."weight_lb" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."weight_lb" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."weight_lb" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF pg_catalog.record_image_ne(ROW(new."weight_kg"), ROW(old."weight_kg")) THEN
    crossfade_side := 'new';
  ELSIF new."weight_lb" IS DISTINCT FROM old."weight_lb" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"shipments">>
      DECLARE
        "weight_kg" numeric(10,3) := "sync_transform-shipment-units_ab204d15".new."weight_kg";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."weight_lb" := ((round((weight_kg / 0.45359237), 2))::text
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'weight_lb', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_kg', new."weight_kg"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."weight_lb" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mweight_lb\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"shipments">>
      DECLARE
        "weight_lb" text := "sync_transform-shipment-units_ab204d15".new."weight_lb";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."weight_kg" := (round(((weight_lb)::numeric * 0.45359237), 3)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."weight_kg" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'weight_kg', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_lb', new."weight_lb"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF (new."weight_kg" IS NULL AND (new."weight_lb" IS NOT NULL)) THEN
      BEGIN
        <<"shipments">>
        DECLARE
          "weight_lb" text := "sync_transform-shipment-units_ab204d15".new."weight_lb";
        BEGIN
          "sync_transform-shipment-units_ab204d15".new."weight_kg" := (round(((weight_lb)::numeric * 0.45359237), 3)
          );
        END;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        new."weight_kg" := NULL;
        IF EXISTS (SELECT 1
          FROM crossfade.runs AS crossfade_active
          WHERE crossfade_active.name = 'transform-shipment-units'
          AND crossfade_active.state = 'active') THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.shipments', 'weight_kg', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_lb', new."weight_lb"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'transform-shipment-units'
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
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"shipments">>
          DECLARE
            "weight_lb" text := "sync_transform-shipment-units_ab204d15".new."weight_lb";
          BEGIN
            "sync_transform-shipment-units_ab204d15".new."weight_kg" := (round(((weight_lb)::numeric * 0.45359237), 3)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."weight_kg" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'transform-shipment-units'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.shipments', 'weight_kg', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_lb', new."weight_lb"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'transform-shipment-units'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_transform-shipment-units_ab204d15', 'public.shipments');
CREATE OR REPLACE TRIGGER "zz_crossfade_transform-shipment-units_u" BEFORE UPDATE ON public.shipments FOR EACH ROW
  WHEN ((new."carrier")::text IS DISTINCT FROM (old."carrier")::text
    OR (new."carrier_code")::text IS DISTINCT FROM (old."carrier_code")::text
    OR (new."carrier_code" IS NULL AND (new."carrier" IS NOT NULL))
    OR new."sent_on" IS DISTINCT FROM old."sent_on"
    OR new."sent_at" IS DISTINCT FROM old."sent_at"
    OR new."shipped_at" IS DISTINCT FROM old."shipped_at"
    OR (new."shipped_at" IS NULL AND (new."sent_on" IS NOT NULL OR new."sent_at" IS NOT NULL))
    OR new."weight_lb" IS DISTINCT FROM old."weight_lb"
    OR pg_catalog.record_image_ne(ROW(new."weight_kg"), ROW(old."weight_kg"))
    OR (new."weight_kg" IS NULL AND (new."weight_lb" IS NOT NULL))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_transform-shipment-units_ab204d15"();
CREATE OR REPLACE TRIGGER "zz_crossfade_transform-shipment-units_i" BEFORE INSERT ON public.shipments FOR EACH ROW EXECUTE FUNCTION crossfade."sync_transform-shipment-units_ab204d15"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_transform-shipment-units_i" ON public.shipments;
DROP TRIGGER IF EXISTS "zz_crossfade_transform-shipment-units_u" ON public.shipments;
DROP FUNCTION IF EXISTS crossfade."sync_transform-shipment-units_ab204d15"();
DROP SEQUENCE IF EXISTS crossfade."old_transform-shipment-units_ab204d15";
DROP SEQUENCE IF EXISTS crossfade."new_transform-shipment-units_ab204d15";
DROP SEQUENCE IF EXISTS crossfade."untold_transform-shipment-units_ab204d15";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.shipments
UPDATE ONLY public.shipments AS "shipments"
  SET carrier_code = CASE
  WHEN (carrier_code IS NULL AND carrier IS NOT NULL)
  THEN carrier
  ELSE carrier_code END, shipped_at = CASE
  WHEN (shipped_at IS NULL AND ((sent_on + sent_at)
  ) IS NOT NULL) THEN ((sent_on + sent_at)
) ELSE shipped_at END, weight_kg = CASE WHEN (weight_kg IS NULL AND (round(((weight_lb)::numeric * 0.45359237), 3)
  ) IS NOT NULL) THEN (round(((weight_lb)::numeric * 0.45359237), 3)
)
  ELSE weight_kg END
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND CASE
  WHEN ctid >= (SELECT ($1::text)::tid)
  AND ctid < (SELECT ($2::text)::tid)
  THEN ((carrier_code IS NULL AND carrier IS NOT NULL) OR (shipped_at IS NULL AND ((sent_on + sent_at)
    ) IS NOT NULL) OR (weight_kg IS NULL AND (round(((weight_lb)::numeric * 0.45359237), 3)
    ) IS NOT NULL)) ELSE false END;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_transform-shipment-units_ab204d15";
CREATE OR REPLACE FUNCTION crossfade."sync_transform-shipment-units_ab204d15"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run transform-shipment-units, table public.shipments; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_transform-shipment-units_ab204d15', 'public.shipments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_transform-shipment-units_ab204d15" is for the table public.shipments only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('transform-shipment-units') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'transform-shipment-units'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.shipments'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
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
    BEGIN
      <<"shipments">>
      DECLARE
        "carrier_code" character varying(20) := "sync_transform-shipment-units_ab204d15".new."carrier_code";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."carrier" := (carrier_code
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'carrier', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('carrier_code', new."carrier_code"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
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
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."shipped_at" IS NOT NULL
      THEN 'new'
      WHEN new."sent_on" IS NOT NULL
      OR new."sent_at" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old'
      AND crossfade_side = 'new'
      AND (new."sent_on" IS NOT NULL OR new."sent_at" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on', 'sent_at']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on', 'sent_at']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT (new."sent_on" IS NOT NULL OR new."sent_at" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."shipped_at" IS DISTINCT FROM old."shipped_at" THEN
    crossfade_side := 'new';
  ELSIF new."sent_on" IS DISTINCT FROM old."sent_on" OR new."sent_at" IS DISTINCT FROM old."sent_at" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"shipments">>
      DECLARE
        "shipped_at" timestamp without time zone := "sync_transform-shipment-units_ab204d15".new."shipped_at";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."sent_at" := ((shipped_at)::time without time zone
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('shipped_at', new."shipped_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    BEGIN
      <<"shipments">>
      DECLARE
        "shipped_at" timestamp without time zone := "sync_transform-shipment-units_ab204d15".new."shipped_at";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."sent_on" := ((shipped_at)::date
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_on', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('shipped_at', new."shipped_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."sent_on" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\msent_on\\M'
      OR new."sent_at" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\msent_at\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"shipments">>
      DECLARE
        "sent_on" date := "sync_transform-shipment-units_ab204d15".new."sent_on";
        "sent_at" time without time zone := "sync_transform-shipment-units_ab204d15".new."sent_at";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."shipped_at" := ((sent_on + sent_at)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."shipped_at" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'shipped_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('sent_on', new."sent_on", 'sent_at', new."sent_at"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on', 'sent_at']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"shipments">>
          DECLARE
            "sent_on" date := "sync_transform-shipment-units_ab204d15".new."sent_on";
            "sent_at" time without time zone := "sync_transform-shipment-units_ab204d15".new."sent_at";
          BEGIN
            "sync_transform-shipment-units_ab204d15".new."shipped_at" := ((sent_on + sent_at)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."shipped_at" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'transform-shipment-units'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.shipments', 'shipped_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('sent_on', new."sent_on", 'sent_at', new."sent_at"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'transform-shipment-units'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."weight_kg" IS NOT NULL
      THEN 'new'
      WHEN new."weight_lb" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."weight_lb" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."weight_lb" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF pg_catalog.record_image_ne(ROW(new."weight_kg"), ROW(old."weight_kg")) THEN
    crossfade_side := 'new';
  ELSIF new."weight_lb" IS DISTINCT FROM old."weight_lb" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"shipments">>
      DECLARE
        "weight_kg" numeric(10,3) := "sync_transform-shipment-units_ab204d15".new."weight_kg";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."weight_lb" := ((round((weight_kg / 0.45359237), 2))::text
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'weight_lb', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_kg', new."weight_kg"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."weight_lb" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mweight_lb\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"shipments">>
      DECLARE
        "weight_lb" text := "sync_transform-shipment-units_ab204d15".new."weight_lb";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."weight_kg" := (round(((weight_lb)::numeric * 0.45359237), 3)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."weight_kg" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'weight_kg', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_lb', new."weight_lb"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"shipments">>
          DECLARE
            "weight_lb" text := "sync_transform-shipment-units_ab204d15".new."weight_lb";
          BEGIN
            "sync_transform-shipment-units_ab204d15".new."weight_kg" := (round(((weight_lb)::numeric * 0.45359237), 3)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."weight_kg" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'transform-shipment-units'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.shipments', 'weight_kg', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_lb', new."weight_lb"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'transform-shipment-units'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_transform-shipment-units_ab204d15', 'public.shipments');
CREATE OR REPLACE TRIGGER "zz_crossfade_transform-shipment-units_u" BEFORE UPDATE ON public.shipments FOR EACH ROW
  WHEN ((new."carrier")::text IS DISTINCT FROM (old."carrier")::text
    OR (new."carrier_code")::text IS DISTINCT FROM (old."carrier_code")::text
    OR new."sent_on" IS DISTINCT FROM old."sent_on"
    OR new."sent_at" IS DISTINCT FROM old."sent_at"
    OR new."shipped_at" IS DISTINCT FROM old."shipped_at"
    OR new."weight_lb" IS DISTINCT FROM old."weight_lb"
    OR pg_catalog.record_image_ne(ROW(new."weight_kg"), ROW(old."weight_kg"))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_transform-shipment-units_ab204d15"();
-- undo:
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_transform-shipment-units_ab204d15";
CREATE OR REPLACE FUNCTION crossfade."sync_transform-shipment-units_ab204d15"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_columns:public.shipments
SELECT crossfade.keep_function('sync_transform-shipment-units_ab204d15', 'public.shipments');
CREATE OR REPLACE TRIGGER "zz_crossfade_transform-shipment-units_u" BEFORE UPDATE ON public.shipments FOR EACH ROW
  WHEN ((new."carrier")::text IS DISTINCT FROM (old."carrier")::text
    OR (new."carrier_code")::text IS DISTINCT FROM (old."carrier_code")::text
    OR (new."carrier_code" IS NULL AND (new."carrier" IS NOT NULL))
    OR new."sent_on" IS DISTINCT FROM old."sent_on"
    OR new."sent_at" IS DISTINCT FROM old."sent_at"
    OR new."shipped_at" IS DISTINCT FROM old."shipped_at"
    OR (new."shipped_at" IS NULL AND (new."sent_on" IS NOT NULL OR new."sent_at" IS NOT NULL))
    OR new."weight_lb" IS DISTINCT FROM old."weight_lb"
    OR pg_catalog.record_image_ne(ROW(new."weight_kg"), ROW(old."weight_kg"))
    OR (new."weight_kg" IS NULL AND (new."weight_lb" IS NOT NULL))
    OR pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id"))) EXECUTE FUNCTION crossfade."sync_transform-shipment-units_ab204d15"();


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.shipments
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE (CASE
    WHEN ((SELECT EXISTS (SELECT
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'backward'
      AND crossfade_q.table_name = 'public.shipments'
      AND crossfade_q.column_name = 'carrier'))
      AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('carrier_code', carrier_code)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
        FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
        WHERE crossfade_r.state = 'active'
        AND crossfade_q.accepted_at IS NOT NULL
        AND crossfade_q.direction = 'backward'
        AND crossfade_q.table_name = 'public.shipments'
        AND crossfade_q.column_name = 'carrier'))
    THEN false
    ELSE NOT ((NOT ((carrier_code)::text IS DISTINCT FROM ((carrier
            )::character varying(20))::text)) OR (NOT ((carrier)::text IS DISTINCT FROM ((carrier_code
            )::character varying(10))::text))) END
              OR CASE
              WHEN (shipped_at IS NULL
                AND (SELECT EXISTS (SELECT
                  FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
                  WHERE crossfade_r.state = 'active'
                  AND crossfade_q.accepted_at IS NOT NULL
                  AND crossfade_q.direction = 'forward'
                  AND crossfade_q.table_name = 'public.shipments'
                  AND crossfade_q.column_name = 'shipped_at'))
                AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('sent_on', sent_on, 'sent_at', sent_at)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
                  FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
                  WHERE crossfade_r.state = 'active'
                  AND crossfade_q.accepted_at IS NOT NULL
                  AND crossfade_q.direction = 'forward'
                  AND crossfade_q.table_name = 'public.shipments'
                  AND crossfade_q.column_name = 'shipped_at'))
              OR ((SELECT EXISTS (SELECT
                FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
                WHERE crossfade_r.state = 'active'
                AND crossfade_q.accepted_at IS NOT NULL
                AND crossfade_q.direction = 'backward'
                AND crossfade_q.table_name = 'public.shipments'
                AND crossfade_q.column_name = 'sent_at'))
                AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('shipped_at', shipped_at)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
                  FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
                  WHERE crossfade_r.state = 'active'
                  AND crossfade_q.accepted_at IS NOT NULL
                  AND crossfade_q.direction = 'backward'
                  AND crossfade_q.table_name = 'public.shipments'
                  AND crossfade_q.column_name = 'sent_at'))
              OR ((SELECT EXISTS (SELECT
                FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
                WHERE crossfade_r.state = 'active'
                AND crossfade_q.accepted_at IS NOT NULL
                AND crossfade_q.direction = 'backward'
                AND crossfade_q.table_name = 'public.shipments'
                AND crossfade_q.column_name = 'sent_on'))
                AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('shipped_at', shipped_at)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
                  FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
                  WHERE crossfade_r.state = 'active'
                  AND crossfade_q.accepted_at IS NOT NULL
                  AND crossfade_q.direction = 'backward'
                  AND crossfade_q.table_name = 'public.shipments'
                  AND crossfade_q.column_name = 'sent_on'))
              THEN false
              ELSE NOT ((NOT (shipped_at IS DISTINCT FROM ((sent_on + sent_at)
          )::timestamp without time zone)) OR (NOT (sent_at IS DISTINCT FROM ((shipped_at)::time without time zone
          )::time without time zone) AND NOT (sent_on IS DISTINCT FROM ((shipped_at)::date
          )::date))) END
            OR CASE
            WHEN (weight_kg IS NULL
              AND (SELECT EXISTS (SELECT
                FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
                WHERE crossfade_r.state = 'active'
                AND crossfade_q.accepted_at IS NOT NULL
                AND crossfade_q.direction = 'forward'
                AND crossfade_q.table_name = 'public.shipments'
                AND crossfade_q.column_name = 'weight_kg'))
              AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('weight_lb', weight_lb)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
                FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
                WHERE crossfade_r.state = 'active'
                AND crossfade_q.accepted_at IS NOT NULL
                AND crossfade_q.direction = 'forward'
                AND crossfade_q.table_name = 'public.shipments'
                AND crossfade_q.column_name = 'weight_kg'))
            OR ((SELECT EXISTS (SELECT
              FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
              WHERE crossfade_r.state = 'active'
              AND crossfade_q.accepted_at IS NOT NULL
              AND crossfade_q.direction = 'backward'
              AND crossfade_q.table_name = 'public.shipments'
              AND crossfade_q.column_name = 'weight_lb'))
              AND (pg_catalog.jsonb_build_object('id', id), pg_catalog.jsonb_build_object('weight_kg', weight_kg)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
                FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
                WHERE crossfade_r.state = 'active'
                AND crossfade_q.accepted_at IS NOT NULL
                AND crossfade_q.direction = 'backward'
                AND crossfade_q.table_name = 'public.shipments'
                AND crossfade_q.column_name = 'weight_lb'))
            THEN false
            ELSE NOT ((NOT (pg_catalog.record_image_ne(ROW(weight_kg), ROW((round(((weight_lb)::numeric * 0.45359237), 3)
              )::numeric(10,3))))) OR (NOT (weight_lb IS DISTINCT FROM ((round((weight_kg / 0.45359237), 2))::text
          )::text))) END))
            FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, carrier AS carrier, carrier_code AS carrier_code, id AS id, sent_at AS sent_at, sent_on AS sent_on, shipped_at AS shipped_at, weight_kg AS weight_kg, weight_lb AS weight_lb
              FROM ONLY public.shipments
              WHERE ctid >= ($1::text)::tid
              AND ctid < ($2::text)::tid) AS "shipments";


-- ======== enforce
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== switch_reads
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== retire
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.shipments.carrier, public.shipments.sent_on, public.shipments.sent_at, public.shipments.weight_lb

-- retire_column:public.shipments.carrier
ALTER TABLE public.shipments RENAME COLUMN carrier TO carrier_crossfade_retired;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_transform-shipment-units_ab204d15";
CREATE OR REPLACE FUNCTION crossfade."sync_transform-shipment-units_ab204d15"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run transform-shipment-units, table public.shipments; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_transform-shipment-units_ab204d15', 'public.shipments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_transform-shipment-units_ab204d15" is for the table public.shipments only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('transform-shipment-units') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'transform-shipment-units'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.shipments'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
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
    BEGIN
      <<"shipments">>
      DECLARE
        "carrier_code" character varying(20) := "sync_transform-shipment-units_ab204d15".new."carrier_code";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."carrier_crossfade_retired" := (carrier_code
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'carrier', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('carrier_code', new."carrier_code"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
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
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."shipped_at" IS NOT NULL
      THEN 'new'
      WHEN new."sent_on" IS NOT NULL
      OR new."sent_at" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old'
      AND crossfade_side = 'new'
      AND (new."sent_on" IS NOT NULL OR new."sent_at" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on', 'sent_at']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on', 'sent_at']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT (new."sent_on" IS NOT NULL OR new."sent_at" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."shipped_at" IS DISTINCT FROM old."shipped_at" THEN
    crossfade_side := 'new';
  ELSIF new."sent_on" IS DISTINCT FROM old."sent_on" OR new."sent_at" IS DISTINCT FROM old."sent_at" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"shipments">>
      DECLARE
        "shipped_at" timestamp without time zone := "sync_transform-shipment-units_ab204d15".new."shipped_at";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."sent_at" := ((shipped_at)::time without time zone
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('shipped_at', new."shipped_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    BEGIN
      <<"shipments">>
      DECLARE
        "shipped_at" timestamp without time zone := "sync_transform-shipment-units_ab204d15".new."shipped_at";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."sent_on" := ((shipped_at)::date
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_on', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('shipped_at', new."shipped_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."sent_on" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\msent_on\\M'
      OR new."sent_at" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\msent_at\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"shipments">>
      DECLARE
        "sent_on" date := "sync_transform-shipment-units_ab204d15".new."sent_on";
        "sent_at" time without time zone := "sync_transform-shipment-units_ab204d15".new."sent_at";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."shipped_at" := ((sent_on + sent_at)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."shipped_at" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'shipped_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('sent_on', new."sent_on", 'sent_at', new."sent_at"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on', 'sent_at']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"shipments">>
          DECLARE
            "sent_on" date := "sync_transform-shipment-units_ab204d15".new."sent_on";
            "sent_at" time without time zone := "sync_transform-shipment-units_ab204d15".new."sent_at";
          BEGIN
            "sync_transform-shipment-units_ab204d15".new."shipped_at" := ((sent_on + sent_at)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."shipped_at" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'transform-shipment-units'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.shipments', 'shipped_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('sent_on', new."sent_on", 'sent_at', new."sent_at"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'transform-shipment-units'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."weight_kg" IS NOT NULL
      THEN 'new'
      WHEN new."weight_lb" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."weight_lb" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."weight_lb" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF pg_catalog.record_image_ne(ROW(new."weight_kg"), ROW(old."weight_kg")) THEN
    crossfade_side := 'new';
  ELSIF new."weight_lb" IS DISTINCT FROM old."weight_lb" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"shipments">>
      DECLARE
        "weight_kg" numeric(10,3) := "sync_transform-shipment-units_ab204d15".new."weight_kg";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."weight_lb" := ((round((weight_kg / 0.45359237), 2))::text
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'weight_lb', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_kg', new."weight_kg"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."weight_lb" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mweight_lb\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"shipments">>
      DECLARE
        "weight_lb" text := "sync_transform-shipment-units_ab204d15".new."weight_lb";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."weight_kg" := (round(((weight_lb)::numeric * 0.45359237), 3)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."weight_kg" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'weight_kg', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_lb', new."weight_lb"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"shipments">>
          DECLARE
            "weight_lb" text := "sync_transform-shipment-units_ab204d15".new."weight_lb";
          BEGIN
            "sync_transform-shipment-units_ab204d15".new."weight_kg" := (round(((weight_lb)::numeric * 0.45359237), 3)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."weight_kg" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'transform-shipment-units'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.shipments', 'weight_kg', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_lb', new."weight_lb"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'transform-shipment-units'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
-- undo:
ALTER TABLE public.shipments RENAME COLUMN carrier_crossfade_retired TO carrier;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_transform-shipment-units_ab204d15";
CREATE OR REPLACE FUNCTION crossfade."sync_transform-shipment-units_ab204d15"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in backfill, fill:public.shipments

-- retire_column:public.shipments.sent_on
ALTER TABLE public.shipments RENAME COLUMN sent_on TO sent_on_crossfade_retired;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_transform-shipment-units_ab204d15";
CREATE OR REPLACE FUNCTION crossfade."sync_transform-shipment-units_ab204d15"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run transform-shipment-units, table public.shipments; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_transform-shipment-units_ab204d15', 'public.shipments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_transform-shipment-units_ab204d15" is for the table public.shipments only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('transform-shipment-units') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'transform-shipment-units'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.shipments'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
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
    BEGIN
      <<"shipments">>
      DECLARE
        "carrier_code" character varying(20) := "sync_transform-shipment-units_ab204d15".new."carrier_code";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."carrier_crossfade_retired" := (carrier_code
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'carrier', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('carrier_code', new."carrier_code"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
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
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."shipped_at" IS NOT NULL
      THEN 'new'
      WHEN new."sent_on_crossfade_retired" IS NOT NULL
      OR new."sent_at" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old'
      AND crossfade_side = 'new'
      AND (new."sent_on_crossfade_retired" IS NOT NULL OR new."sent_at" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on_crossfade_retired', 'sent_at']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on_crossfade_retired', 'sent_at']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT (new."sent_on_crossfade_retired" IS NOT NULL OR new."sent_at" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."shipped_at" IS DISTINCT FROM old."shipped_at" THEN
    crossfade_side := 'new';
  ELSIF new."sent_on_crossfade_retired" IS DISTINCT FROM old."sent_on_crossfade_retired"
    OR new."sent_at" IS DISTINCT FROM old."sent_at" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"shipments">>
      DECLARE
        "shipped_at" timestamp without time zone := "sync_transform-shipment-units_ab204d15".new."shipped_at";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."sent_at" := ((shipped_at)::time without time zone
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('shipped_at', new."shipped_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    BEGIN
      <<"shipments">>
      DECLARE
        "shipped_at" timestamp without time zone := "sync_transform-shipment-units_ab204d15".new."shipped_at";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."sent_on_crossfade_retired" := ((shipped_at)::date
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_on', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('shipped_at', new."shipped_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."sent_on_crossfade_retired" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\msent_on_crossfade_retired\\M'
      OR new."sent_at" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\msent_at\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"shipments">>
      DECLARE
        "sent_on" date := "sync_transform-shipment-units_ab204d15".new."sent_on_crossfade_retired";
        "sent_at" time without time zone := "sync_transform-shipment-units_ab204d15".new."sent_at";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."shipped_at" := ((sent_on + sent_at)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."shipped_at" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'shipped_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('sent_on', new."sent_on_crossfade_retired", 'sent_at', new."sent_at"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on_crossfade_retired', 'sent_at']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"shipments">>
          DECLARE
            "sent_on" date := "sync_transform-shipment-units_ab204d15".new."sent_on_crossfade_retired";
            "sent_at" time without time zone := "sync_transform-shipment-units_ab204d15".new."sent_at";
          BEGIN
            "sync_transform-shipment-units_ab204d15".new."shipped_at" := ((sent_on + sent_at)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."shipped_at" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'transform-shipment-units'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.shipments', 'shipped_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('sent_on', new."sent_on_crossfade_retired", 'sent_at', new."sent_at"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'transform-shipment-units'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."weight_kg" IS NOT NULL
      THEN 'new'
      WHEN new."weight_lb" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."weight_lb" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."weight_lb" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF pg_catalog.record_image_ne(ROW(new."weight_kg"), ROW(old."weight_kg")) THEN
    crossfade_side := 'new';
  ELSIF new."weight_lb" IS DISTINCT FROM old."weight_lb" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"shipments">>
      DECLARE
        "weight_kg" numeric(10,3) := "sync_transform-shipment-units_ab204d15".new."weight_kg";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."weight_lb" := ((round((weight_kg / 0.45359237), 2))::text
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'weight_lb', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_kg', new."weight_kg"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."weight_lb" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mweight_lb\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"shipments">>
      DECLARE
        "weight_lb" text := "sync_transform-shipment-units_ab204d15".new."weight_lb";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."weight_kg" := (round(((weight_lb)::numeric * 0.45359237), 3)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."weight_kg" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'weight_kg', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_lb', new."weight_lb"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"shipments">>
          DECLARE
            "weight_lb" text := "sync_transform-shipment-units_ab204d15".new."weight_lb";
          BEGIN
            "sync_transform-shipment-units_ab204d15".new."weight_kg" := (round(((weight_lb)::numeric * 0.45359237), 3)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."weight_kg" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'transform-shipment-units'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.shipments', 'weight_kg', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_lb', new."weight_lb"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'transform-shipment-units'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
-- undo:
ALTER TABLE public.shipments RENAME COLUMN sent_on_crossfade_retired TO sent_on;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_transform-shipment-units_ab204d15";
CREATE OR REPLACE FUNCTION crossfade."sync_transform-shipment-units_ab204d15"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in retire, retire_column:public.shipments.carrier

-- retire_column:public.shipments.sent_at
ALTER TABLE public.shipments RENAME COLUMN sent_at TO sent_at_crossfade_retired;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_transform-shipment-units_ab204d15";
CREATE OR REPLACE FUNCTION crossfade."sync_transform-shipment-units_ab204d15"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run transform-shipment-units, table public.shipments; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_transform-shipment-units_ab204d15', 'public.shipments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_transform-shipment-units_ab204d15" is for the table public.shipments only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('transform-shipment-units') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'transform-shipment-units'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.shipments'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
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
    BEGIN
      <<"shipments">>
      DECLARE
        "carrier_code" character varying(20) := "sync_transform-shipment-units_ab204d15".new."carrier_code";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."carrier_crossfade_retired" := (carrier_code
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'carrier', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('carrier_code', new."carrier_code"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
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
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."shipped_at" IS NOT NULL
      THEN 'new'
      WHEN new."sent_on_crossfade_retired" IS NOT NULL
      OR new."sent_at_crossfade_retired" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old'
      AND crossfade_side = 'new'
      AND (new."sent_on_crossfade_retired" IS NOT NULL OR new."sent_at_crossfade_retired" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on_crossfade_retired', 'sent_at_crossfade_retired']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on_crossfade_retired', 'sent_at_crossfade_retired']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT (new."sent_on_crossfade_retired" IS NOT NULL OR new."sent_at_crossfade_retired" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."shipped_at" IS DISTINCT FROM old."shipped_at" THEN
    crossfade_side := 'new';
  ELSIF new."sent_on_crossfade_retired" IS DISTINCT FROM old."sent_on_crossfade_retired"
    OR new."sent_at_crossfade_retired" IS DISTINCT FROM old."sent_at_crossfade_retired" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"shipments">>
      DECLARE
        "shipped_at" timestamp without time zone := "sync_transform-shipment-units_ab204d15".new."shipped_at";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."sent_at_crossfade_retired" := ((shipped_at)::time without time zone
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('shipped_at', new."shipped_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    BEGIN
      <<"shipments">>
      DECLARE
        "shipped_at" timestamp without time zone := "sync_transform-shipment-units_ab204d15".new."shipped_at";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."sent_on_crossfade_retired" := ((shipped_at)::date
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_on', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('shipped_at', new."shipped_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."sent_on_crossfade_retired" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\msent_on_crossfade_retired\\M'
      OR new."sent_at_crossfade_retired" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\msent_at_crossfade_retired\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"shipments">>
      DECLARE
        "sent_on" date := "sync_transform-shipment-units_ab204d15".new."sent_on_crossfade_retired";
        "sent_at" time without time zone := "sync_transform-shipment-units_ab204d15".new."sent_at_crossfade_retired";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."shipped_at" := ((sent_on + sent_at)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."shipped_at" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'shipped_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('sent_on', new."sent_on_crossfade_retired", 'sent_at', new."sent_at_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on_crossfade_retired', 'sent_at_crossfade_retired']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"shipments">>
          DECLARE
            "sent_on" date := "sync_transform-shipment-units_ab204d15".new."sent_on_crossfade_retired";
            "sent_at" time without time zone := "sync_transform-shipment-units_ab204d15".new."sent_at_crossfade_retired";
          BEGIN
            "sync_transform-shipment-units_ab204d15".new."shipped_at" := ((sent_on + sent_at)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."shipped_at" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'transform-shipment-units'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.shipments', 'shipped_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('sent_on', new."sent_on_crossfade_retired", 'sent_at', new."sent_at_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'transform-shipment-units'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."weight_kg" IS NOT NULL
      THEN 'new'
      WHEN new."weight_lb" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."weight_lb" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."weight_lb" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF pg_catalog.record_image_ne(ROW(new."weight_kg"), ROW(old."weight_kg")) THEN
    crossfade_side := 'new';
  ELSIF new."weight_lb" IS DISTINCT FROM old."weight_lb" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"shipments">>
      DECLARE
        "weight_kg" numeric(10,3) := "sync_transform-shipment-units_ab204d15".new."weight_kg";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."weight_lb" := ((round((weight_kg / 0.45359237), 2))::text
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'weight_lb', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_kg', new."weight_kg"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."weight_lb" IS NOT NULL OR left(current_query(), 10000) ~* E'\\mweight_lb\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"shipments">>
      DECLARE
        "weight_lb" text := "sync_transform-shipment-units_ab204d15".new."weight_lb";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."weight_kg" := (round(((weight_lb)::numeric * 0.45359237), 3)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."weight_kg" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'weight_kg', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_lb', new."weight_lb"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"shipments">>
          DECLARE
            "weight_lb" text := "sync_transform-shipment-units_ab204d15".new."weight_lb";
          BEGIN
            "sync_transform-shipment-units_ab204d15".new."weight_kg" := (round(((weight_lb)::numeric * 0.45359237), 3)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."weight_kg" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'transform-shipment-units'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.shipments', 'weight_kg', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_lb', new."weight_lb"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'transform-shipment-units'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
-- undo:
ALTER TABLE public.shipments RENAME COLUMN sent_at_crossfade_retired TO sent_at;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_transform-shipment-units_ab204d15";
CREATE OR REPLACE FUNCTION crossfade."sync_transform-shipment-units_ab204d15"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in retire, retire_column:public.shipments.sent_on

-- retire_column:public.shipments.weight_lb
ALTER TABLE public.shipments RENAME COLUMN weight_lb TO weight_lb_crossfade_retired;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_transform-shipment-units_ab204d15";
CREATE OR REPLACE FUNCTION crossfade."sync_transform-shipment-units_ab204d15"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run transform-shipment-units, table public.shipments; keeps both sides of a change in step, not filling
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
    AND NOT crossfade.is_made_for('sync_transform-shipment-units_ab204d15', 'public.shipments', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_transform-shipment-units_ab204d15" is for the table public.shipments only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('transform-shipment-units') THEN
    RETURN new;
  END IF;
  IF tg_op = 'UPDATE' THEN
    IF EXISTS (SELECT 1
      FROM crossfade.runs AS crossfade_active
      WHERE crossfade_active.name = 'transform-shipment-units'
      AND crossfade_active.state = 'active') THEN
      IF pg_catalog.record_image_ne(ROW(new."id"), ROW(old."id")) THEN
        UPDATE crossfade.quarantine AS q
          SET row_key = pg_catalog.jsonb_build_object('id', new."id")
          FROM crossfade.runs AS r
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND q.run_id = r.id
            AND q.table_name = 'public.shipments'
            AND q.row_key = pg_catalog.jsonb_build_object('id', old."id");
      END IF;
    END IF;
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
    BEGIN
      <<"shipments">>
      DECLARE
        "carrier_code" character varying(20) := "sync_transform-shipment-units_ab204d15".new."carrier_code";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."carrier_crossfade_retired" := (carrier_code
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'carrier', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('carrier_code', new."carrier_code"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
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
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."shipped_at" IS NOT NULL
      THEN 'new'
      WHEN new."sent_on_crossfade_retired" IS NOT NULL
      OR new."sent_at_crossfade_retired" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old'
      AND crossfade_side = 'new'
      AND (new."sent_on_crossfade_retired" IS NOT NULL OR new."sent_at_crossfade_retired" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on_crossfade_retired', 'sent_at_crossfade_retired']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on_crossfade_retired', 'sent_at_crossfade_retired']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT (new."sent_on_crossfade_retired" IS NOT NULL OR new."sent_at_crossfade_retired" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF new."shipped_at" IS DISTINCT FROM old."shipped_at" THEN
    crossfade_side := 'new';
  ELSIF new."sent_on_crossfade_retired" IS DISTINCT FROM old."sent_on_crossfade_retired"
    OR new."sent_at_crossfade_retired" IS DISTINCT FROM old."sent_at_crossfade_retired" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"shipments">>
      DECLARE
        "shipped_at" timestamp without time zone := "sync_transform-shipment-units_ab204d15".new."shipped_at";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."sent_at_crossfade_retired" := ((shipped_at)::time without time zone
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('shipped_at', new."shipped_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
    BEGIN
      <<"shipments">>
      DECLARE
        "shipped_at" timestamp without time zone := "sync_transform-shipment-units_ab204d15".new."shipped_at";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."sent_on_crossfade_retired" := ((shipped_at)::date
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'sent_on', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('shipped_at', new."shipped_at"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."sent_on_crossfade_retired" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\msent_on_crossfade_retired\\M'
      OR new."sent_at_crossfade_retired" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\msent_at_crossfade_retired\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"shipments">>
      DECLARE
        "sent_on" date := "sync_transform-shipment-units_ab204d15".new."sent_on_crossfade_retired";
        "sent_at" time without time zone := "sync_transform-shipment-units_ab204d15".new."sent_at_crossfade_retired";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."shipped_at" := ((sent_on + sent_at)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."shipped_at" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'shipped_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('sent_on', new."sent_on_crossfade_retired", 'sent_at', new."sent_at_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'shipped_at') = 0 OR NOT (current_query() ~* E'\\mshipped_at\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['shipped_at']::text[], ARRAY['sent_on_crossfade_retired', 'sent_at_crossfade_retired']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"shipments">>
          DECLARE
            "sent_on" date := "sync_transform-shipment-units_ab204d15".new."sent_on_crossfade_retired";
            "sent_at" time without time zone := "sync_transform-shipment-units_ab204d15".new."sent_at_crossfade_retired";
          BEGIN
            "sync_transform-shipment-units_ab204d15".new."shipped_at" := ((sent_on + sent_at)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."shipped_at" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'transform-shipment-units'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.shipments', 'shipped_at', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('sent_on', new."sent_on_crossfade_retired", 'sent_at', new."sent_at_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'transform-shipment-units'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."weight_kg" IS NOT NULL
      THEN 'new'
      WHEN new."weight_lb_crossfade_retired" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."weight_lb_crossfade_retired" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb_crossfade_retired']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb_crossfade_retired']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write OR NOT (new."weight_lb_crossfade_retired" IS NOT NULL);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF pg_catalog.record_image_ne(ROW(new."weight_kg"), ROW(old."weight_kg")) THEN
    crossfade_side := 'new';
  ELSIF new."weight_lb_crossfade_retired" IS DISTINCT FROM old."weight_lb_crossfade_retired" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"shipments">>
      DECLARE
        "weight_kg" numeric(10,3) := "sync_transform-shipment-units_ab204d15".new."weight_kg";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."weight_lb_crossfade_retired" := ((round((weight_kg / 0.45359237), 2))::text
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'weight_lb', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_kg', new."weight_kg"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."weight_lb_crossfade_retired" IS NOT NULL
      OR left(current_query(), 10000) ~* E'\\mweight_lb_crossfade_retired\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"shipments">>
      DECLARE
        "weight_lb" text := "sync_transform-shipment-units_ab204d15".new."weight_lb_crossfade_retired";
      BEGIN
        "sync_transform-shipment-units_ab204d15".new."weight_kg" := (round(((weight_lb)::numeric * 0.45359237), 3)
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."weight_kg" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'transform-shipment-units'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.shipments', 'weight_kg', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_lb', new."weight_lb_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'transform-shipment-units'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF tg_op = 'INSERT' THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'shipments') > 0
        AND (strpos(lower(current_query()), 'weight_kg') = 0 OR NOT (current_query() ~* E'\\mweight_kg\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'shipments'], ARRAY['weight_kg']::text[], ARRAY['weight_lb_crossfade_retired']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"shipments">>
          DECLARE
            "weight_lb" text := "sync_transform-shipment-units_ab204d15".new."weight_lb_crossfade_retired";
          BEGIN
            "sync_transform-shipment-units_ab204d15".new."weight_kg" := (round(((weight_lb)::numeric * 0.45359237), 3)
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."weight_kg" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'transform-shipment-units'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.shipments', 'weight_kg', pg_catalog.jsonb_build_object('id', new."id"), pg_catalog.jsonb_build_object('weight_lb', new."weight_lb_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'transform-shipment-units'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_transform-shipment-units_ab204d15"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
-- undo:
ALTER TABLE public.shipments RENAME COLUMN weight_lb_crossfade_retired TO weight_lb;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_transform-shipment-units_ab204d15";
CREATE OR REPLACE FUNCTION crossfade."sync_transform-shipment-units_ab204d15"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in retire, retire_column:public.shipments.sent_at


-- ======== contract, one transaction
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.shipments.carrier, public.shipments.sent_on, public.shipments.sent_at, public.shipments.weight_lb

-- drop_sync:public.shipments
DROP TRIGGER IF EXISTS "zz_crossfade_transform-shipment-units_i" ON public.shipments;
DROP TRIGGER IF EXISTS "zz_crossfade_transform-shipment-units_u" ON public.shipments;
DROP FUNCTION IF EXISTS crossfade."sync_transform-shipment-units_ab204d15"();
DROP SEQUENCE IF EXISTS crossfade."old_transform-shipment-units_ab204d15";
DROP SEQUENCE IF EXISTS crossfade."new_transform-shipment-units_ab204d15";
DROP SEQUENCE IF EXISTS crossfade."untold_transform-shipment-units_ab204d15";
-- cannot be undone

-- drop_column:public.shipments.carrier
ALTER TABLE public.shipments DROP COLUMN carrier_crossfade_retired;
-- cannot be undone

-- drop_column:public.shipments.sent_on
ALTER TABLE public.shipments DROP COLUMN sent_on_crossfade_retired;
-- cannot be undone

-- drop_column:public.shipments.sent_at
ALTER TABLE public.shipments DROP COLUMN sent_at_crossfade_retired;
-- cannot be undone

-- drop_column:public.shipments.weight_lb
ALTER TABLE public.shipments DROP COLUMN weight_lb_crossfade_retired;
-- cannot be undone
