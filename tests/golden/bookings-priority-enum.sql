-- What this plan runs, phase by phase, and what undoes each step: as `crossfade explain` shows it.
-- Written by a test (tests/integration/golden.rs). $1, $2 …: the bounds of a batch.


-- ======== expand

-- add_column:public.bookings.priority_new
ALTER TABLE public.bookings ADD COLUMN priority_new public.booking_priority;
-- undo:
ALTER TABLE public.bookings DROP COLUMN priority_new;


-- ======== dual_write

-- sync_columns:public.bookings
CREATE SEQUENCE IF NOT EXISTS crossfade."old_booking-priority-as-enum_0e03477e";
CREATE SEQUENCE IF NOT EXISTS crossfade."new_booking-priority-as-enum_0e03477e";
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_booking-priority-as-enum_0e03477e";
CREATE OR REPLACE FUNCTION crossfade."sync_booking-priority-as-enum_0e03477e"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run booking-priority-as-enum, table public.bookings; keeps both sides of a change in step, filling rows as they move
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
  IF (tg_table_name <> 'bookings' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.bookings')
    AND NOT crossfade.is_made_for('sync_booking-priority-as-enum_0e03477e', 'public.bookings', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_booking-priority-as-enum_0e03477e" is for the table public.bookings only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('booking-priority-as-enum') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."priority_new" IS NOT NULL
      THEN 'new'
      WHEN new."priority" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."priority" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'priority_new') = 0 OR NOT (current_query() ~* E'\\mpriority_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['priority_new']::text[], ARRAY['priority']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_side = 'old' OR crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'priority_new') = 0 OR NOT (current_query() ~* E'\\mpriority_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['priority_new']::text[], ARRAY['priority']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT (new."priority" IS DISTINCT FROM ('normal'::text)::text);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF pg_catalog.record_image_ne(ROW(new."priority_new"), ROW(old."priority_new")) THEN
    crossfade_side := 'new';
  ELSIF new."priority" IS DISTINCT FROM old."priority" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"bookings">>
      DECLARE
        "priority_new" public.booking_priority := "sync_booking-priority-as-enum_0e03477e".new."priority_new";
      BEGIN
        "sync_booking-priority-as-enum_0e03477e".new."priority" := ((priority_new)::text
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'booking-priority-as-enum'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.bookings', 'priority', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('priority_new', new."priority_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'booking-priority-as-enum'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."priority" IS DISTINCT FROM ('normal'::text)::text
      OR left(current_query(), 10000) ~* E'\\mpriority\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"bookings">>
      DECLARE
        "priority" text := "sync_booking-priority-as-enum_0e03477e".new."priority";
      BEGIN
        "sync_booking-priority-as-enum_0e03477e".new."priority_new" := ((priority)::public.booking_priority
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."priority_new" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'booking-priority-as-enum'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.bookings', 'priority_new', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('priority', new."priority"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'booking-priority-as-enum'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSE
    IF (new."priority_new" IS NULL AND (new."priority" IS NOT NULL)) THEN
      BEGIN
        <<"bookings">>
        DECLARE
          "priority" text := "sync_booking-priority-as-enum_0e03477e".new."priority";
        BEGIN
          "sync_booking-priority-as-enum_0e03477e".new."priority_new" := ((priority)::public.booking_priority
          );
        END;
      EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
        new."priority_new" := NULL;
        IF EXISTS (SELECT 1
          FROM crossfade.runs AS crossfade_active
          WHERE crossfade_active.name = 'booking-priority-as-enum'
          AND crossfade_active.state = 'active') THEN
          INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
            SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
            FROM crossfade.runs AS r, (
              VALUES ('public.bookings', 'priority_new', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('priority', new."priority"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
            WHERE r.name = 'booking-priority-as-enum'
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
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'priority_new') = 0 OR NOT (current_query() ~* E'\\mpriority_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['priority_new']::text[], ARRAY['priority']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"bookings">>
          DECLARE
            "priority" text := "sync_booking-priority-as-enum_0e03477e".new."priority";
          BEGIN
            "sync_booking-priority-as-enum_0e03477e".new."priority_new" := ((priority)::public.booking_priority
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."priority_new" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'booking-priority-as-enum'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.bookings', 'priority_new', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('priority', new."priority"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'booking-priority-as-enum'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_booking-priority-as-enum_0e03477e"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_booking-priority-as-enum_0e03477e"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_booking-priority-as-enum_0e03477e"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_booking-priority-as-enum_0e03477e', 'public.bookings');
CREATE OR REPLACE TRIGGER "zz_crossfade_booking-priority-as-enum_u" BEFORE UPDATE ON public.bookings FOR EACH ROW
  WHEN (new."priority" IS DISTINCT FROM old."priority"
    OR pg_catalog.record_image_ne(ROW(new."priority_new"), ROW(old."priority_new"))
    OR (new."priority_new" IS NULL
      AND (new."priority" IS NOT NULL))) EXECUTE FUNCTION crossfade."sync_booking-priority-as-enum_0e03477e"();
CREATE OR REPLACE TRIGGER "zz_crossfade_booking-priority-as-enum_i" BEFORE INSERT ON public.bookings FOR EACH ROW EXECUTE FUNCTION crossfade."sync_booking-priority-as-enum_0e03477e"();
-- undo:
DROP TRIGGER IF EXISTS "zz_crossfade_booking-priority-as-enum_i" ON public.bookings;
DROP TRIGGER IF EXISTS "zz_crossfade_booking-priority-as-enum_u" ON public.bookings;
DROP FUNCTION IF EXISTS crossfade."sync_booking-priority-as-enum_0e03477e"();
DROP SEQUENCE IF EXISTS crossfade."old_booking-priority-as-enum_0e03477e";
DROP SEQUENCE IF EXISTS crossfade."new_booking-priority-as-enum_0e03477e";
DROP SEQUENCE IF EXISTS crossfade."untold_booking-priority-as-enum_0e03477e";


-- ======== backfill
-- gate: the triggers are in place

-- fill:public.bookings
UPDATE ONLY public.bookings AS "bookings" SET priority_new = ((priority)::public.booking_priority
)
  WHERE ctid >= ($1::text)::tid
  AND ctid < ($2::text)::tid
  AND CASE
  WHEN ctid >= (SELECT ($1::text)::tid)
  AND ctid < (SELECT ($2::text)::tid)
  THEN (priority_new IS NULL AND ((priority)::public.booking_priority
  ) IS NOT NULL) ELSE false END;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_booking-priority-as-enum_0e03477e";
CREATE OR REPLACE FUNCTION crossfade."sync_booking-priority-as-enum_0e03477e"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run booking-priority-as-enum, table public.bookings; keeps both sides of a change in step, not filling
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
  IF (tg_table_name <> 'bookings' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.bookings')
    AND NOT crossfade.is_made_for('sync_booking-priority-as-enum_0e03477e', 'public.bookings', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_booking-priority-as-enum_0e03477e" is for the table public.bookings only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('booking-priority-as-enum') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."priority_new" IS NOT NULL
      THEN 'new'
      WHEN new."priority" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."priority" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'priority_new') = 0 OR NOT (current_query() ~* E'\\mpriority_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['priority_new']::text[], ARRAY['priority']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_side = 'old' OR crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'priority_new') = 0 OR NOT (current_query() ~* E'\\mpriority_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['priority_new']::text[], ARRAY['priority']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT (new."priority" IS DISTINCT FROM ('normal'::text)::text);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF pg_catalog.record_image_ne(ROW(new."priority_new"), ROW(old."priority_new")) THEN
    crossfade_side := 'new';
  ELSIF new."priority" IS DISTINCT FROM old."priority" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"bookings">>
      DECLARE
        "priority_new" public.booking_priority := "sync_booking-priority-as-enum_0e03477e".new."priority_new";
      BEGIN
        "sync_booking-priority-as-enum_0e03477e".new."priority" := ((priority_new)::text
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'booking-priority-as-enum'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.bookings', 'priority', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('priority_new', new."priority_new"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'booking-priority-as-enum'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."priority" IS DISTINCT FROM ('normal'::text)::text
      OR left(current_query(), 10000) ~* E'\\mpriority\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"bookings">>
      DECLARE
        "priority" text := "sync_booking-priority-as-enum_0e03477e".new."priority";
      BEGIN
        "sync_booking-priority-as-enum_0e03477e".new."priority_new" := ((priority)::public.booking_priority
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."priority_new" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'booking-priority-as-enum'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.bookings', 'priority_new', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('priority', new."priority"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'booking-priority-as-enum'
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
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'priority_new') = 0 OR NOT (current_query() ~* E'\\mpriority_new\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['priority_new']::text[], ARRAY['priority']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"bookings">>
          DECLARE
            "priority" text := "sync_booking-priority-as-enum_0e03477e".new."priority";
          BEGIN
            "sync_booking-priority-as-enum_0e03477e".new."priority_new" := ((priority)::public.booking_priority
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."priority_new" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'booking-priority-as-enum'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.bookings', 'priority_new', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('priority', new."priority"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'booking-priority-as-enum'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_booking-priority-as-enum_0e03477e"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_booking-priority-as-enum_0e03477e"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_booking-priority-as-enum_0e03477e"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
SELECT crossfade.keep_function('sync_booking-priority-as-enum_0e03477e', 'public.bookings');
CREATE OR REPLACE TRIGGER "zz_crossfade_booking-priority-as-enum_u" BEFORE UPDATE ON public.bookings FOR EACH ROW
  WHEN (new."priority" IS DISTINCT FROM old."priority"
    OR pg_catalog.record_image_ne(ROW(new."priority_new"), ROW(old."priority_new"))) EXECUTE FUNCTION crossfade."sync_booking-priority-as-enum_0e03477e"();
-- undo:
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_booking-priority-as-enum_0e03477e";
CREATE OR REPLACE FUNCTION crossfade."sync_booking-priority-as-enum_0e03477e"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in dual_write, sync_columns:public.bookings
SELECT crossfade.keep_function('sync_booking-priority-as-enum_0e03477e', 'public.bookings');
CREATE OR REPLACE TRIGGER "zz_crossfade_booking-priority-as-enum_u" BEFORE UPDATE ON public.bookings FOR EACH ROW
  WHEN (new."priority" IS DISTINCT FROM old."priority"
    OR pg_catalog.record_image_ne(ROW(new."priority_new"), ROW(old."priority_new"))
    OR (new."priority_new" IS NULL
      AND (new."priority" IS NOT NULL))) EXECUTE FUNCTION crossfade."sync_booking-priority-as-enum_0e03477e"();


-- ======== verify
-- gate: no row in quarantine
-- gate: the triggers are in place

-- match:public.bookings
SELECT pg_catalog.count(*), pg_catalog.count(*) FILTER (
  WHERE CASE
  WHEN (priority_new IS NULL
    AND (SELECT EXISTS (SELECT
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.bookings'
      AND crossfade_q.column_name = 'priority_new'))
    AND (pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('priority', priority)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'forward'
      AND crossfade_q.table_name = 'public.bookings'
      AND crossfade_q.column_name = 'priority_new'))
  OR ((SELECT EXISTS (SELECT
    FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
    WHERE crossfade_r.state = 'active'
    AND crossfade_q.accepted_at IS NOT NULL
    AND crossfade_q.direction = 'backward'
    AND crossfade_q.table_name = 'public.bookings'
    AND crossfade_q.column_name = 'priority'))
    AND (pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('priority_new', priority_new)) IN (SELECT crossfade_q.row_key, crossfade_q.row_values
      FROM crossfade.quarantine AS crossfade_q JOIN crossfade.runs AS crossfade_r ON crossfade_r.id = crossfade_q.run_id
      WHERE crossfade_r.state = 'active'
      AND crossfade_q.accepted_at IS NOT NULL
      AND crossfade_q.direction = 'backward'
      AND crossfade_q.table_name = 'public.bookings'
      AND crossfade_q.column_name = 'priority'))
  THEN false
  ELSE NOT ((NOT (pg_catalog.record_image_ne(ROW(priority_new), ROW(((priority)::public.booking_priority
            )::public.booking_priority)))) OR (NOT (priority IS DISTINCT FROM ((priority_new)::text
        )::text))) END)
          FROM (SELECT ctid AS crossfade_tid, xmin AS crossfade_xmin, priority AS priority, priority_new AS priority_new
            FROM ONLY public.bookings
            WHERE ctid >= ($1::text)::tid
            AND ctid < ($2::text)::tid) AS "bookings";


-- ======== enforce
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== switch_reads
-- gate: no row in quarantine
-- gate: the triggers are in place


-- ======== retire
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.bookings.priority

-- retire_column:public.bookings.priority
ALTER TABLE public.bookings RENAME COLUMN priority TO priority_crossfade_retired;
ALTER TABLE public.bookings RENAME COLUMN priority_new TO priority;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_booking-priority-as-enum_0e03477e";
CREATE OR REPLACE FUNCTION crossfade."sync_booking-priority-as-enum_0e03477e"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
-- crossfade: run booking-priority-as-enum, table public.bookings; keeps both sides of a change in step, not filling
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
  IF (tg_table_name <> 'bookings' OR tg_table_schema <> 'public')
    AND pg_partition_root(tg_relid) IS DISTINCT FROM to_regclass('public.bookings')
    AND NOT crossfade.is_made_for('sync_booking-priority-as-enum_0e03477e', 'public.bookings', tg_relid) THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'crossfade: the function "sync_booking-priority-as-enum_0e03477e" is for the table public.bookings only';
  END IF;
  IF coalesce(current_setting('crossfade.filling', true), '') = 'on'
    AND pg_trigger_depth() = 1
    AND crossfade.fills('booking-priority-as-enum') THEN
    RETURN new;
  END IF;
  IF tg_op = 'INSERT' THEN
    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');
    crossfade_side := CASE
      WHEN new."priority" IS NOT NULL
      THEN 'new'
      WHEN new."priority_crossfade_retired" IS NOT NULL
      THEN 'old'
      ELSE 'none' END;
    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND (new."priority_crossfade_retired" IS NOT NULL) THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'priority') = 0 OR NOT (current_query() ~* E'\\mpriority\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['priority']::text[], ARRAY['priority_crossfade_retired']::text[]) END;
      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;
    ELSIF crossfade_side <> 'new' AND (crossfade_side = 'old' OR crossfade_writer = 'new') THEN
      GET DIAGNOSTICS crossfade_context = PG_CONTEXT;
      crossfade_names_new := CASE
        WHEN strpos(crossfade_context, chr(10)) = 0
        AND octet_length(current_query()) < 2000
        AND strpos(lower(current_query()), 'insert') > 0
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'priority') = 0 OR NOT (current_query() ~* E'\\mpriority\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['priority']::text[], ARRAY['priority_crossfade_retired']::text[]) END;
      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN
        crossfade_side := 'new';
      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN
        crossfade_untold_write := crossfade_untold_write
          OR NOT (new."priority_crossfade_retired" IS DISTINCT FROM ('normal'::text)::text);
      END IF;
    END IF;
    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN
      crossfade_side := 'old';
    END IF;
  ELSIF pg_catalog.record_image_ne(ROW(new."priority"), ROW(old."priority")) THEN
    crossfade_side := 'new';
  ELSIF new."priority_crossfade_retired" IS DISTINCT FROM old."priority_crossfade_retired" THEN
    crossfade_side := 'old';
  ELSE
    crossfade_side := 'none';
  END IF;
  IF crossfade_side = 'new' THEN
    crossfade_new_write := true;
    BEGIN
      <<"bookings">>
      DECLARE
        "priority_new" public.booking_priority := "sync_booking-priority-as-enum_0e03477e".new."priority";
      BEGIN
        "sync_booking-priority-as-enum_0e03477e".new."priority_crossfade_retired" := ((priority_new)::text
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'booking-priority-as-enum'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.bookings', 'priority', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('priority_new', new."priority"), 'backward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'booking-priority-as-enum'
            AND r.state = 'active'
            AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
            WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
      END IF;
    END;
  ELSIF crossfade_side = 'old' THEN
    IF tg_op = 'UPDATE' THEN
      crossfade_old_write := crossfade_old_write OR true;
    ELSIF (new."priority_crossfade_retired" IS DISTINCT FROM ('normal'::text)::text
      OR left(current_query(), 10000) ~* E'\\mpriority_crossfade_retired\\M') THEN
      crossfade_old_write := true;
    END IF;
    BEGIN
      <<"bookings">>
      DECLARE
        "priority" text := "sync_booking-priority-as-enum_0e03477e".new."priority_crossfade_retired";
      BEGIN
        "sync_booking-priority-as-enum_0e03477e".new."priority" := ((priority)::public.booking_priority
        );
      END;
    EXCEPTION WHEN OTHERS THEN
      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
      new."priority" := NULL;
      IF EXISTS (SELECT 1
        FROM crossfade.runs AS crossfade_active
        WHERE crossfade_active.name = 'booking-priority-as-enum'
        AND crossfade_active.state = 'active') THEN
        INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
          SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
          FROM crossfade.runs AS r, (
            VALUES ('public.bookings', 'priority_new', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('priority', new."priority_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
          WHERE r.name = 'booking-priority-as-enum'
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
        AND strpos(lower(current_query()), 'bookings') > 0
        AND (strpos(lower(current_query()), 'priority') = 0 OR NOT (current_query() ~* E'\\mpriority\\M'))
        THEN false
        ELSE crossfade.names_new_side(crossfade_context, ARRAY[tg_table_name, 'bookings'], ARRAY['priority']::text[], ARRAY['priority_crossfade_retired']::text[]) END;
      IF crossfade_names_new IS NOT TRUE THEN
        BEGIN
          <<"bookings">>
          DECLARE
            "priority" text := "sync_booking-priority-as-enum_0e03477e".new."priority_crossfade_retired";
          BEGIN
            "sync_booking-priority-as-enum_0e03477e".new."priority" := ((priority)::public.booking_priority
            );
          END;
        EXCEPTION WHEN OTHERS THEN
          GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;
          new."priority" := NULL;
          IF EXISTS (SELECT 1
            FROM crossfade.runs AS crossfade_active
            WHERE crossfade_active.name = 'booking-priority-as-enum'
            AND crossfade_active.state = 'active') THEN
            INSERT INTO crossfade.quarantine (run_id, table_name, column_name, row_key, row_values, direction, sqlstate, error)
              SELECT r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction, crossfade_state, crossfade_error
              FROM crossfade.runs AS r, (
                VALUES ('public.bookings', 'priority_new', pg_catalog.jsonb_build_object(), pg_catalog.jsonb_build_object('priority', new."priority_crossfade_retired"), 'forward')) AS q (table_name, column_name, row_key, row_values, direction)
              WHERE r.name = 'booking-priority-as-enum'
                AND r.state = 'active'
                AND NOT EXISTS (SELECT 1 FROM crossfade.quarantine AS o
                WHERE (o.run_id, o.table_name, o.column_name, o.row_key, o.row_values, o.direction) = (r.id, q.table_name, q.column_name, q.row_key, q.row_values, q.direction));
          END IF;
        END;
      END IF;
    END IF;
  END IF;
  IF crossfade_new_write THEN
    crossfade_count := nextval('crossfade."new_booking-priority-as-enum_0e03477e"'::regclass);
  END IF;
  IF crossfade_old_write THEN
    crossfade_count := nextval('crossfade."old_booking-priority-as-enum_0e03477e"'::regclass);
  END IF;
  IF crossfade_untold_write THEN
    crossfade_count := nextval('crossfade."untold_booking-priority-as-enum_0e03477e"'::regclass);
  END IF;
  RETURN new;
END;
$crossfade$;
-- undo:
ALTER TABLE public.bookings RENAME COLUMN priority TO priority_new;
ALTER TABLE public.bookings RENAME COLUMN priority_crossfade_retired TO priority;
CREATE SEQUENCE IF NOT EXISTS crossfade."untold_booking-priority-as-enum_0e03477e";
CREATE OR REPLACE FUNCTION crossfade."sync_booking-priority-as-enum_0e03477e"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = "postgres", "public", "pg_temp" SET DateStyle = 'ISO, MDY' SET IntervalStyle = 'postgres' SET TimeZone = 'Etc/UTC' SET bytea_output = 'hex' SET extra_float_digits = '1' SET array_nulls = 'on' SET quote_all_identifiers = 'off' SET standard_conforming_strings = 'on' SET transform_null_equals = 'off' AS $crossfade$
  -- … the same as in backfill, fill:public.bookings

-- set_not_null:public.bookings.priority
ALTER TABLE public.bookings ADD CONSTRAINT priority_crossfade_not_null CHECK (priority IS NOT NULL) NOT VALID;
ALTER TABLE public.bookings VALIDATE CONSTRAINT priority_crossfade_not_null;
ALTER TABLE public.bookings ALTER COLUMN priority SET NOT NULL;
ALTER TABLE public.bookings DROP CONSTRAINT IF EXISTS priority_crossfade_not_null;
-- undo:
ALTER TABLE public.bookings ALTER COLUMN priority DROP NOT NULL;
ALTER TABLE public.bookings DROP CONSTRAINT IF EXISTS priority_crossfade_not_null;


-- ======== contract, one transaction
-- gate: no row in quarantine
-- gate: the triggers are in place
-- gate: no database object names public.bookings.priority

-- drop_sync:public.bookings
DROP TRIGGER IF EXISTS "zz_crossfade_booking-priority-as-enum_i" ON public.bookings;
DROP TRIGGER IF EXISTS "zz_crossfade_booking-priority-as-enum_u" ON public.bookings;
DROP FUNCTION IF EXISTS crossfade."sync_booking-priority-as-enum_0e03477e"();
DROP SEQUENCE IF EXISTS crossfade."old_booking-priority-as-enum_0e03477e";
DROP SEQUENCE IF EXISTS crossfade."new_booking-priority-as-enum_0e03477e";
DROP SEQUENCE IF EXISTS crossfade."untold_booking-priority-as-enum_0e03477e";
-- cannot be undone

-- set_default:public.bookings.priority
ALTER TABLE public.bookings ALTER COLUMN priority SET DEFAULT (('normal'::text)::text)::public.booking_priority;
-- undo:
ALTER TABLE public.bookings ALTER COLUMN priority DROP DEFAULT;

-- drop_column:public.bookings.priority
ALTER TABLE public.bookings DROP COLUMN priority_crossfade_retired;
-- cannot be undone
